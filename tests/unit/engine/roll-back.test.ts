import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { applyPlan } from '../../../src/engine/applier.js';
import { rollBack } from '../../../src/engine/host-work.js';
import type { Undo } from '../../../src/engine/perform.js';
import { planPlays } from '../../../src/engine/planner.js';
import type { Outcome, Resource } from '../../../src/model/change.js';
import { ProvisionError, RemoteError } from '../../../src/model/errors.js';
import type { Event } from '../../../src/model/events.js';
import type { Play } from '../../../src/playbook/play.js';
import {
  fakeHosts,
  fakeLook,
  fakeWorld,
  failing,
  inventoryOrder,
  opensAt,
  playOf,
  wantFlag,
  type FakeHosts,
} from '../../support/fake-world.js';

const HOSTS = ['a', 'b', 'c'];
const ORDERS = new Map([['inventory', inventoryOrder]]);

async function apply(play: Play, hosts: FakeHosts, world = fakeWorld(hosts)): Promise<string> {
  const { plan: planned } = await planPlays(
    {
      plays: [play],
      orders: ORDERS,
      tool: '',
      inventoryDigest: 'd',
      playbook: 'p',
      playbookDigest: '',
      limit: undefined,
      without: () => '',
    },
    fakeLook(hosts),
  );
  return applyPlan(planned, [play], world).then(() => 'done', String);
}

function undo(name: string, restores: Undo['restores'], script = `unset ${name}`): Undo {
  return { restores, command: { summary: `put back ${name}`, script } };
}

/** What was said of hosts, each with its host; a step that was rolled back by its name. */
function toldBy({ events }: { readonly events: readonly Event[] }): readonly string[] {
  return events.flatMap((event) => {
    if (event.type === 'rolled-back') return [`${event.host}: done: ${event.summary}`];
    return event.type === 'notice' ? [`${event.host ?? ''}: ${event.message}`] : [];
  });
}

describe('gates after a batch', () => {
  test.each(['one', 'two', 'three'])('that are all asked: %s alone keeps it shut', async (shut) => {
    const hosts = fakeHosts(HOSTS);
    const names = ['one', 'two', 'three'];
    const gates = new Map(names.map((name) => [name, opensAt(name, name === shut ? Infinity : 1)]));
    const play = playOf(HOSTS, [wantFlag('x')], { gatesAfter: names });
    expect(await apply(play, hosts, fakeWorld(hosts, { gates }))).toMatch(`gate ${shut} did not open`);
    const before = playOf(HOSTS, [wantFlag('y')], { gatesBefore: names });
    expect(await apply(before, hosts, fakeWorld(hosts, { gates }))).toMatch(`gate ${shut} did not open`);
    expect(hosts.ran.filter((line) => line.includes('y'))).toEqual([]);
  });

  test('that do not open have every host of the batch rolled back, and no later one touched', async () => {
    const hosts = fakeHosts([...HOSTS, 'd']);
    const gates = new Map([['after', opensAt('after', Infinity)]]);
    const play = playOf([...HOSTS, 'd'], [wantFlag('x')], { batchSize: 3, gatesAfter: ['after'] });
    await apply(play, hosts, fakeWorld(hosts, { gates }));
    expect(hosts.ran.toSorted()).toEqual(HOSTS.flatMap((host) => [`${host}: set x`, `${host}: unset x`]));
    expect([...hosts.flags.values()].flatMap((flags) => [...flags])).toEqual([]);
  });
});

describe('a roll-back', () => {
  test('goes on after a step that failed, and says that it is only half done', async () => {
    const hosts = fakeHosts(['a']);
    const world = fakeWorld(hosts);
    const undos = [undo('x', 'files'), undo('y', 'files', 'fail no space'), undo('z', 'files')];
    await rollBack({ play: 'p', host: 'a', undos, lasting: [], world });
    expect(hosts.ran).toEqual(['a: unset z', 'a: fail no space', 'a: unset x']);
    expect(toldBy(world)).toEqual([
      'a: done: put back z',
      expect.stringMatching(/^a: could not put back y: /),
      'a: done: put back x',
      expect.stringMatching(/^a: only partly/),
    ]);
  });

  test('of a host that is lost in its middle names each step that nobody tried', async () => {
    const hosts = fakeHosts(['a']);
    const isLost = () => hosts.ran.length > 1;
    const world = fakeWorld(hosts);
    const connector = {
      ...world.connector,
      connect: async (host: string) => {
        if (isLost()) throw new RemoteError({ code: 'unreachable', host, message: `${host}: no route` });
        return world.connector.connect(host);
      },
    };
    const undos = [...['w', 'x', 'y', 'z'].map((name) => undo(name, 'files')), undo('s', 'services')];
    await rollBack({ play: 'p', host: 'a', undos, lasting: [], world: { ...world, connector } });
    expect(hosts.ran).toEqual(['a: unset z', 'a: unset y']);
    expect(toldBy(world)).toEqual([
      'a: done: put back z',
      'a: done: put back y',
      'a: could not put back x: a: no route',
      'a: not tried: put back w; put back s',
      expect.stringMatching(/^a: only partly/),
    ]);
  });

  test.each([[['p stays']], [['p stays', 'q stays']]])('says all that it leaves: %j', async (lasting) => {
    const world = fakeWorld(fakeHosts(['a']));
    await rollBack({ play: 'p', host: 'a', undos: [undo('x', 'files')], lasting, world });
    expect(toldBy(world).slice(1)).toEqual([`a: rolled back, except: ${lasting.join('; ')}`]);
  });

  test('that is refused by what was done leaves all of that host as it is', async () => {
    const hosts = fakeHosts(['a']);
    const world = fakeWorld(hosts);
    const undos = [undo('x', 'files'), undo('y', 'all', 'fail the cluster is at 3.5'), undo('z', 'services')];
    await rollBack({ play: 'p', host: 'a', undos, lasting: [], world });
    expect(hosts.ran).toEqual(['a: fail the cluster is at 3.5']);
    expect(toldBy(world)).toEqual([
      expect.stringMatching(/^a: could not put back y: /),
      expect.stringMatching(/^a: not rolled back/),
    ]);
  });

  test('is the reverse of what was done, but that services run with the old files, and directories and users go last', async () => {
    const all: readonly Undo['restores'][] = ['all', 'files', 'services', 'directories', 'accounts'];
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...all), { maxLength: 12 }), async (kinds) => {
        const hosts = fakeHosts(['a']);
        const undos = kinds.map((restores, index) => undo(`${restores}-${index}`, restores));
        await rollBack({ play: 'p', host: 'a', undos, lasting: [], world: fakeWorld(hosts) });
        const done = (kind: string): string[] =>
          kinds.flatMap((each, index) => (each === kind ? [`a: unset ${each}-${index}`] : []));
        expect(hosts.ran).toEqual([
          ...done('all').reverse(),
          ...done('files').reverse(),
          ...done('services'),
          ...done('directories').reverse(),
          ...done('accounts').reverse(),
        ]);
      }),
      { numRuns: 50 },
    );
  });

  test.each<readonly [string, () => Outcome, RegExp]>([
    ['still can not decide', () => ({ kind: 'unknown', because: 'no etcd' }), /y still cannot be decided: no etcd/],
    [
      'is refused',
      () => {
        throw new ProvisionError({ code: 'apt-broken', message: 'a: dpkg' });
      },
      /a: dpkg/,
    ],
    [
      'can not be asked any more',
      () => {
        throw new RemoteError({ code: 'unreachable', host: 'a', message: 'a: no route' });
      },
      /a: no route/,
    ],
  ])('is made where a later step %s, and only where something was done', async (_, second, message) => {
    for (const first of [wantFlag('x'), undefined]) {
      const hosts = fakeHosts(['a']);
      const world = fakeWorld(hosts);
      let looks = 0;
      const late: Resource = {
        address: 'y',
        paths: [],
        // The plan, and the look right before the work of the host.
        plan: () => {
          looks += 1;
          return looks <= 2 ? Promise.resolve({ kind: 'unknown', because: 'not yet' }) : Promise.resolve().then(second);
        },
      };
      expect(await apply(playOf(['a'], first === undefined ? [late] : [first, late]), hosts, world)).toMatch(message);
      expect(hosts.ran).toEqual(first === undefined ? [] : ['a: set x', 'a: unset x']);
      const notices = world.events.flatMap((event) => (event.type === 'notice' ? [event.message] : []));
      expect(notices).toEqual(first === undefined ? [] : [expect.stringMatching(/^rolled back: /)]);
    }
  });

  test('of one host leaves the work of the others of its batch', async () => {
    const hosts = fakeHosts(HOSTS);
    const resources = new Map(
      HOSTS.map((host) => [host, host === 'b' ? [wantFlag('x'), wantFlag('y', failing)] : [wantFlag('x')]]),
    );
    expect(await apply(playOf(HOSTS, [], { resources }), hosts)).toMatch('disk full');
    expect(HOSTS.filter((host) => hosts.flags.get(host)?.has('x') === true)).toEqual(['a', 'c']);
  });
});
