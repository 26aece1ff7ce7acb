import { describe, expect, test } from '@jest/globals';
import { applyPlan } from '../../../src/engine/applier.js';
import { planPlays } from '../../../src/engine/planner.js';
import { Interrupted } from '../../../src/engine/run-error.js';
import { waitForGate } from '../../../src/engine/wait-for-gate.js';
import type { World } from '../../../src/engine/world.js';
import { UNCHANGED, type Resource } from '../../../src/model/change.js';
import { RemoteError } from '../../../src/model/errors.js';
import type { Event } from '../../../src/model/events.js';
import type { Play } from '../../../src/playbook/play.js';
import {
  failing,
  fakeHosts,
  fakeLook,
  fakeWorld,
  inventoryOrder,
  opensAt,
  playOf,
  wantFlag,
  type FakeHosts,
} from '../../support/fake-world.js';

// What a run tells of itself, whole: every event, in order, with its figures.

async function planned(plays: readonly Play[], hosts: FakeHosts) {
  const names = {
    tool: '',
    inventoryDigest: '',
    playbook: '',
    playbookDigest: '',
    limit: undefined,
    without: () => '',
  };
  return (await planPlays({ plays, orders: new Map([['inventory', inventoryOrder]]), ...names }, fakeLook(hosts))).plan;
}

async function apply(plays: readonly Play[], hosts: FakeHosts, world: World) {
  return applyPlan(await planned(plays, hosts), plays, world);
}

/** A clock that does not begin at 0, and goes on by a second at every look at it. */
function ticking(): () => number {
  let now = 1_000_000;
  return () => (now += 1000);
}

const settled: Resource = { address: 'settled', paths: [], plan: () => Promise.resolve(UNCHANGED) };
const lines = (events: readonly Event[]): readonly string[] =>
  events.map((event) => {
    const { type, ...rest } = event;
    return `${type} ${Object.values(rest).flat().join(' ')}`.trim();
  });

describe('a run tells', () => {
  test('each play, batch and change with its hosts, and a play without work not at all', async () => {
    const hosts = fakeHosts(['a', 'b', 'c']);
    const plays = [
      playOf(['a', 'b', 'c'], [wantFlag('x'), settled], { name: 'one', batchSize: 2 }),
      playOf(['a'], [settled], { name: 'idle' }),
      playOf(['c'], [wantFlag('y')], { name: 'two' }),
    ];
    const world = fakeWorld(hosts);
    expect(await apply(plays, hosts, world)).toEqual({ changed: 4, unchanged: 4, failed: 0, elapsedMs: 0 });
    const change = (play: string, host: string, flag: string): readonly string[] => [
      `change-started ${play} ${host} flag:${flag} set ${flag}`,
      `change-done ${play} ${host} flag:${flag} set ${flag} 0`,
    ];
    const [firstA, doneA, firstB, doneB] = [...change('one', 'a', 'x'), ...change('one', 'b', 'x')];
    expect(lines(world.events)).toEqual([
      'play-started one a b c',
      'batch-started one a b',
      ...[firstA, firstB, doneA, doneB],
      'batch-started one c',
      ...change('one', 'c', 'x'),
      'play-started two c',
      'batch-started two c',
      ...change('two', 'c', 'y'),
    ]);
  });

  test('how long it took, and each change', async () => {
    const hosts = fakeHosts(['a']);
    const world = fakeWorld(hosts, { now: ticking() });
    const { elapsedMs } = await apply([playOf(['a'], [wantFlag('x')])], hosts, world);
    const done = world.events.find(({ type }) => type === 'change-done');
    expect(done).toMatchObject({ elapsedMs: 1000 });
    expect(elapsedMs).toBe(4000);
  });

  test('a change that fails, with its reason', async () => {
    const hosts = fakeHosts(['a']);
    const world = fakeWorld(hosts);
    await expect(apply([playOf(['a'], [wantFlag('x', failing)])], hosts, world)).rejects.toMatchObject({
      summary: 'play test play stopped; no later host was touched',
      failures: [{ host: 'a', error: { code: 'command-failed' } }],
    });
    expect(lines(world.events).slice(2)).toEqual([
      'change-started test play a flag:x set x',
      expect.stringMatching(/^change-failed test play a flag:x set x a: break: ended with status 1$/),
      'notice a nothing had to be rolled back',
    ]);
  });

  test('every action of a change is done, and what stays of it is said when a later one fails', async () => {
    const hosts = fakeHosts(['a']);
    const keep = (name: string) =>
      ({ kind: 'run', command: { summary: name, script: `set ${name}` }, undo: { lasting: `${name} stays` } }) as const;
    const many = { actions: [keep('p'), keep('q'), ...failing.actions] };
    const world = fakeWorld(hosts);
    await expect(apply([playOf(['a'], [wantFlag('x', many)])], hosts, world)).rejects.toThrow('disk full');
    expect(hosts.ran).toEqual(['a: set p', 'a: set q', 'a: fail disk full']);
    expect(world.events.at(-1)).toEqual({
      type: 'notice',
      host: 'a',
      message: 'rolled back, except: set x: p stays; set x: q stays',
    });
  });
});

describe('a run that did not reach the planned state', () => {
  test('names everything that is left, on every host', async () => {
    const hosts = fakeHosts(['a', 'b']);
    const nothing = {
      actions: [{ kind: 'run', command: { summary: 's', script: 'set o' }, undo: 'nothing' }],
    } as const;
    const plays = [playOf(['a', 'b'], [wantFlag('x', nothing), wantFlag('y', nothing)])];
    const left = (host: string, flag: string): unknown => ({
      host,
      error: expect.objectContaining({
        code: 'not-converged',
        message: `flag:${flag} is still not as it should be after the change: set ${flag}`,
      }) as unknown,
    });
    await expect(apply(plays, hosts, fakeWorld(hosts))).rejects.toMatchObject({
      failures: [left('a', 'x'), left('a', 'y'), left('b', 'x'), left('b', 'y')],
    });
  });

  test('is not silent on what still cannot be decided', async () => {
    const hosts = fakeHosts(['a']);
    const never: Resource = {
      address: 'never',
      paths: [],
      plan: () => Promise.resolve({ kind: 'unknown', because: 'etcd is not installed' }),
    };
    await expect(apply([playOf(['a'], [wantFlag('x'), never])], hosts, fakeWorld(hosts))).rejects.toMatchObject({
      failures: [
        {
          host: 'a',
          error: { code: 'still-unknown', message: 'a: never still cannot be decided: etcd is not installed' },
        },
      ],
    });
  });

  test('decides a step that was unknown by its own address, whatever else is left on the host', async () => {
    const hosts = fakeHosts(['a']);
    const later = (name: string): Resource => ({
      address: `later:${name}`,
      paths: [],
      async plan(probe) {
        const first = await wantFlag('x').plan(probe);
        return first.kind === 'unchanged' ? wantFlag(name).plan(probe) : { kind: 'unknown', because: 'x' };
      },
    });
    await apply([playOf(['a'], [wantFlag('x'), later('y'), later('z')])], hosts, fakeWorld(hosts));
    expect(hosts.ran).toEqual(['a: set x', 'a: set y', 'a: set z']);
  });
});

test('a step that was unknown is decided by its own address, also while one before it is still not as it should be', async () => {
  const hosts = fakeHosts(['a']);
  const ineffective = {
    actions: [{ kind: 'run', command: { summary: 's', script: 'set o' }, undo: 'nothing' }],
  } as const;
  const later: Resource = {
    address: 'later',
    paths: [],
    async plan(probe) {
      const first = await wantFlag('x').plan(probe);
      return first.kind === 'unchanged' ? wantFlag('y').plan(probe) : { kind: 'unknown', because: 'x' };
    },
  };
  const plays = [playOf(['a'], [wantFlag('p', ineffective), wantFlag('x'), later])];
  await expect(apply(plays, hosts, fakeWorld(hosts))).rejects.toMatchObject({
    failures: [{ error: { code: 'not-converged' } }],
  });
  expect(hosts.ran).toEqual(['a: set o', 'a: set x', 'a: set y']);
});

describe('a plan that is stale', () => {
  test('says on which host, and everything that is new there; the other hosts of the batch are done', async () => {
    const hosts = fakeHosts(['a', 'b']);
    for (const name of ['y', 'z']) hosts.flags.get('a')?.add(name);
    const plays = [playOf(['a', 'b'], [wantFlag('x'), wantFlag('y'), wantFlag('z')])];
    const plan = await planned(plays, hosts);
    hosts.flags.get('a')?.clear();
    await expect(applyPlan(plan, plays, fakeWorld(hosts))).rejects.toMatchObject({
      failures: [
        {
          host: 'a',
          error: {
            code: 'plan-stale',
            message: [
              'a has changed since the plan was made:',
              '    flag:y: now set y; planned: nothing to do',
              '    flag:z: now set z; planned: nothing to do',
            ].join('\n'),
          },
        },
      ],
    });
    expect(hosts.ran).toEqual(['b: set x', 'b: set y', 'b: set z']);
  });

  test('is one that has fewer plays than the playbook would give', async () => {
    const hosts = fakeHosts(['a']);
    const plan = await planned([playOf(['a'], [wantFlag('x')])], hosts);
    await expect(applyPlan(plan, [], fakeWorld(hosts))).rejects.toMatchObject({ code: 'plan-mismatch' });
    expect(hosts.ran).toEqual([]);
  });

  test('is not one whose host an earlier play of this run has changed; in the first play it is', async () => {
    // What was there is evidence: it differs once the run itself has written.
    const evidence = (hosts: FakeHosts, name: string): Resource => ({
      ...wantFlag(name),
      async plan(probe) {
        const fact = {
          name: 'seen',
          script: () => '',
          parse: () => new Map(),
          evidence: () => [...(hosts.flags.get(probe.host) ?? [])],
        };
        await probe.ask(fact, name);
        return wantFlag(name).plan(probe);
      },
    });
    const hosts = fakeHosts(['a', 'b']);
    const plays = [
      playOf(['a', 'b'], [evidence(hosts, 'x')], { name: 'one' }),
      playOf(['a', 'b'], [evidence(hosts, 'y')], { name: 'two' }),
    ];
    await apply(plays, hosts, fakeWorld(hosts));
    expect(hosts.ran.toSorted()).toEqual(['a: set x', 'a: set y', 'b: set x', 'b: set y']);

    const other = fakeHosts(['a']);
    const first = [playOf(['a'], [evidence(other, 'x')])];
    const plan = await planned(first, other);
    other.flags.get('a')?.add('by-hand');
    await expect(applyPlan(plan, first, fakeWorld(other))).rejects.toThrow(/it was changed on the host since/);
    expect(other.ran).toEqual([]);
  });
});

describe('after a failure the gates after the batch are asked again', () => {
  const gateAfter = { gatesAfter: ['one', 'two'] };
  const lost: Resource = {
    address: 'lost',
    paths: [],
    plan: () => Promise.reject(new RemoteError({ code: 'connection-lost', host: 'a', message: 'a is gone' })),
  };

  /** How long it waited, and what it said, with these resources in place of those that were planned. */
  async function failWith(now: Readonly<Record<string, readonly Resource[]>>, more: Partial<World> = {}) {
    const names = Object.keys(now);
    const hosts = fakeHosts(names);
    const play = playOf(names, [wantFlag('x')], gateAfter);
    const plan = await planned([play], hosts);
    const asked: string[] = [];
    const gates = new Map(
      ['one', 'two'].map((name) => [
        name,
        {
          ...opensAt(name, Infinity),
          deadlineMs: 600_000,
          check: () => (
            asked.push(name),
            Promise.resolve({ open: false, reason: `${name} is shut`, next: 'x' } as const)
          ),
        },
      ]),
    );
    const world = fakeWorld(hosts, { gates, ...more });
    const then = { ...play, resources: new Map(Object.entries(now)) };
    await expect(applyPlan(plan, [then], world)).rejects.toMatchObject({ code: 'run-failed' });
    const told = world.events.flatMap((event) => (event.type === 'notice' ? [event.message] : []));
    return { asked: new Set(asked), waitedMs: world.now(), told };
  }

  test('each for half a minute, and each that did not open is reported', async () => {
    const { waitedMs, told, asked } = await failWith({ a: [wantFlag('x', failing)] });
    expect([...asked]).toEqual(['one', 'two']);
    expect(waitedMs).toBe(60_000);
    expect(told.slice(-2)).toEqual([
      'after the failure: gate one did not open within 30 s: one is shut',
      'after the failure: gate two did not open within 30 s: two is shut',
    ]);
  });

  test('just once where all that failed are lost; with the others waited for', async () => {
    expect((await failWith({ a: [lost] })).waitedMs).toBe(0);
    expect((await failWith({ a: [lost], b: [wantFlag('x', failing)] })).waitedMs).toBe(60_000);
    expect((await failWith({ a: [wantFlag('x', failing)], b: [lost] })).waitedMs).toBe(60_000);
  });

  test('not at all where the run was only asked to stop, and again where one host failed beside that', async () => {
    let begun = 0;
    const stop = { interrupted: () => (begun += 1) > 0 };
    expect((await failWith({ a: [wantFlag('x')] }, stop)).asked.size).toBe(0);
    const mixed = { a: [wantFlag('x')], b: [lost] };
    expect((await failWith(mixed, stop)).asked.size).toBe(2);
    expect((await failWith({ b: [lost], a: [wantFlag('x')] }, stop)).asked.size).toBe(2);
  });

  test('also where they themselves did not open after the work: the failure is theirs, and no one host’s', async () => {
    const hosts = fakeHosts(['a', 'b']);
    const gates = new Map([['after', opensAt('after', Infinity)]]);
    const world = fakeWorld(hosts, { gates });
    const play = playOf(['a', 'b'], [wantFlag('x')], { gatesAfter: ['after'] });
    await expect(apply([play], hosts, world)).rejects.toMatchObject({
      summary: 'play test play stopped and was rolled back on a, b',
      failures: [{ host: undefined, error: { code: 'gate-not-open' } }],
    });
    expect(world.now()).toBe(40_000);
  });
});

describe('a gate that is waited for', () => {
  const asking = (reasons: readonly string[], more: Partial<World> = {}) => {
    let asked = 0;
    const check = () => {
      const reason = reasons[Math.min(asked, reasons.length - 1)] ?? '';
      asked += 1;
      return Promise.resolve(
        reason === 'open'
          ? ({ open: true, note: 'noted' } as const)
          : ({ open: false, reason, next: 'type this' } as const),
      );
    };
    const gate = { name: 'g', deadlineMs: 10_000, check };
    let clock = 5_000_000;
    const world = fakeWorld(fakeHosts(['a', 'b']), {
      gates: new Map([['g', gate]]),
      now: () => clock,
      sleep: (ms) => Promise.resolve(void (clock += ms)),
      ...more,
    });
    return { world, clock: () => clock - 5_000_000 };
  };
  const request = { gate: 'g', hosts: ['a', 'b'], when: 'before' } as const;

  test('tells each reason once, and how long it took', async () => {
    const { world } = asking(['r', 'r', 's', 'r', 'open']);
    await waitForGate(request, world);
    expect(lines(world.events)).toEqual([
      'gate-waiting g a b r',
      'gate-waiting g a b s',
      'gate-waiting g a b r',
      'gate-opened g a b 1000 noted',
    ]);
  });

  test('is given up at its deadline, with the last reason and what to type', async () => {
    const { world, clock } = asking(['r']);
    await expect(waitForGate(request, world)).rejects.toMatchObject({
      code: 'gate-not-open',
      message: 'gate g did not open within 10 s: r',
      hint: 'type this\nnothing further was touched; fix the cause, then run the same command again',
    });
    expect(clock()).toBe(10_000);
  });

  test('is asked soon at first, then every half second, and the time that it had is shown in seconds', async () => {
    const pauses: number[] = [];
    let clock = 0;
    const sleep = (ms: number): Promise<void> => {
      pauses.push(ms);
      clock += ms;
      return Promise.resolve();
    };
    const { world } = asking(['r'], { now: () => clock, sleep });
    await expect(waitForGate({ ...request, deadlineMs: 1_800_000 }, world)).rejects.toMatchObject({
      message: 'gate g did not open within 1800 s: r',
    });
    expect(pauses.slice(0, 5)).toEqual([100, 150, 250, 500, 500]);
  });

  test('is left on a request to stop, which names all that waited', async () => {
    const { world } = asking(['r'], { interrupted: () => true });
    const stopped = await waitForGate(request, world).catch((error: unknown) => error);
    expect(stopped).toBeInstanceOf(Interrupted);
    expect(stopped).toMatchObject({ code: 'interrupted' });
    expect(String(stopped)).toContain('stopped on request before: a, b gate g, which is not open: r');
  });

  test('is an error where no such gate is known', async () => {
    const { world } = asking([]);
    await expect(waitForGate({ ...request, gate: 'h' }, world)).rejects.toMatchObject({ code: 'unknown-gate' });
  });

  test('gives a host that is away a minute from when it was last heard, each time anew', async () => {
    const away = new RemoteError({ code: 'unreachable', host: 'a', message: 'a is away' });
    // Away for just under a minute, heard once, away again for as long; then for good.
    const almost = 119;
    // The first half second has three questions.
    const script = [...Array<'away'>(almost + 2).fill('away'), 'heard', ...Array<'away'>(almost).fill('away'), 'open'];
    let asked = 0;
    const check = () => {
      const now = script[asked] ?? 'away';
      asked += 1;
      if (now === 'away') return Promise.reject(away);
      return Promise.resolve(
        now === 'open' ? ({ open: true } as const) : ({ open: false, reason: 'r', next: 'n' } as const),
      );
    };
    const gate = { name: 'g', deadlineMs: 600_000, check };
    const { world, clock } = asking([], { gates: new Map([['g', gate]]) });
    await waitForGate(request, world);
    expect(world.events.at(-1)).toMatchObject({ type: 'gate-opened' });
    expect(clock()).toBe(239 * 500);
    await expect(waitForGate(request, world)).rejects.toBe(away);
    expect(clock()).toBe(239 * 500 + 60_000);
  });
});
