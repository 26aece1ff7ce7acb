import type { Look } from '../../src/facts/batched-probe.js';
import { changed, UNCHANGED, type Change, type Resource } from '../../src/model/change.js';
import type { Event } from '../../src/model/events.js';
import type { Gate, Order } from '../../src/model/gate.js';
import { outputOf, type Fact, type Probe, type Transport } from '../../src/model/remote.js';
import type { Play } from '../../src/playbook/play.js';
import type { World } from '../../src/engine/world.js';
import { noDownload } from './local-transport.js';

/** Hosts as sets of flags; the only commands they know are `set X`, `unset X` and `fail X`. */
export interface FakeHosts {
  readonly flags: ReadonlyMap<string, Set<string>>;
  /** `host: script` of all that was run, in order. */
  readonly ran: string[];
}

export function fakeHosts(names: readonly string[]): FakeHosts {
  return { flags: new Map(names.map((name) => [name, new Set<string>()])), ran: [] };
}

const flag: Fact<boolean> = { name: 'flag', script: () => '', parse: () => new Map() };

/** Wants a flag on its host. */
export function wantFlag(name: string, change: Partial<Change> = {}): Resource {
  const command = { summary: `set ${name}`, script: `set ${name}` };
  const undo = { summary: `unset ${name}`, script: `unset ${name}` };
  return {
    address: `flag:${name}`,
    paths: [],
    async plan(probe) {
      if (await probe.ask(flag, name)) return UNCHANGED;
      const actions = [{ kind: 'run', command, undo }] as const;
      return changed({ summary: `set ${name}`, diff: [], actions, effect: 'change', disruptive: false, ...change });
    },
  };
}

/** An action list that fails on the host. */
export const failing = {
  actions: [{ kind: 'run', command: { summary: 'break', script: 'fail disk full' }, undo: 'nothing' }],
} as const;

export function fakeLook(hosts: FakeHosts): Look {
  function probe(host: string): Probe {
    return {
      host,
      ask: <V>(_: Fact<V>, key: string) => Promise.resolve((hosts.flags.get(host)?.has(key) ?? false) as V),
      on: probe,
    };
  }
  return { probe, lost: () => new Map() };
}

function fakeTransport(host: string, hosts: FakeHosts): Transport {
  return {
    host,
    run({ script, alone }) {
      if (alone !== true)
        throw new Error(`${script}: it changes the host, and does not wait for what still changes it`);
      hosts.ran.push(`${host}: ${script}`);
      const [verb, name = ''] = script.split(' ');
      if (verb === 'fail') return Promise.resolve(outputOf(1, '', script.slice(5)));
      if (verb === 'set') hosts.flags.get(host)?.add(name);
      else hosts.flags.get(host)?.delete(name);
      return Promise.resolve(outputOf(0, ''));
    },
    download: noDownload,
    close: () => Promise.resolve(),
  };
}

export const inventoryOrder: Order = (hosts) => Promise.resolve({ hosts, together: false });

/** A gate that opens at its nth question. */
export function opensAt(name: string, question: number): Gate {
  let asked = 0;
  return {
    name,
    deadlineMs: 10_000,
    check() {
      asked += 1;
      return Promise.resolve(
        asked >= question ? { open: true } : { open: false, reason: `asked ${asked} times`, next: 'ask again' },
      );
    },
  };
}

export function playOf(hosts: readonly string[], resources: readonly Resource[], more: Partial<Play> = {}): Play {
  return {
    name: 'test play',
    hosts,
    batchSize: undefined,
    order: 'inventory',
    gatesBefore: [],
    gatesAfter: [],
    resources: new Map(hosts.map((host) => [host, resources])),
    ...more,
  };
}

/** A world over fake hosts, whose clock moves only by sleeping, and which remembers its events. */
export function fakeWorld(hosts: FakeHosts, more: Partial<World> = {}): World & { readonly events: Event[] } {
  const events: Event[] = [];
  let clock = 0;
  function refuse(): never {
    throw new Error('not part of this test');
  }
  return {
    connector: { connect: (host) => Promise.resolve(fakeTransport(host, hosts)), close: () => Promise.resolve() },
    newLook: () => fakeLook(hosts),
    signer: {
      unlock: refuse,
      createAuthority: refuse,
      moveAuthority: refuse,
      keepSecret: refuse,
      issue: refuse,
      trustBundle: refuse,
    },
    saveSnapshot: refuse,
    prepareSnapshot: refuse,
    openRelease: refuse,
    gates: new Map(),
    orders: new Map([['inventory', inventoryOrder]]),
    hosts: [...hosts.flags.keys()],
    forks: 50,
    emit: (event) => events.push(event),
    randomHex: (bytes) => 'ab'.repeat(bytes),
    now: () => clock,
    sleep(ms) {
      clock += ms;
      return Promise.resolve();
    },
    interrupted: () => false,
    events,
    ...more,
  };
}
