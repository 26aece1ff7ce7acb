import { describe, expect, test } from '@jest/globals';
import { applyPlan } from '../../../src/engine/applier.js';
import { planPlays, type PlayPlan } from '../../../src/engine/planner.js';
import { UNCHANGED, type Resource } from '../../../src/model/change.js';
import { RemoteError } from '../../../src/model/errors.js';
import type { Plan } from '../../../src/model/plan.js';
import { summarisePlan } from '../../../src/model/plan.js';
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

const HOSTS = ['a', 'b', 'c'];

async function plan(plays: readonly Play[], hosts: FakeHosts): Promise<Plan> {
  const { plan: planned, missing } = await planAll(plays, hosts);
  if (missing !== undefined) throw missing;
  return planned;
}

function planAll(plays: readonly Play[], hosts: FakeHosts): Promise<PlayPlan> {
  const orders = new Map([
    ['inventory', inventoryOrder],
    ['backwards', (names: readonly string[]) => Promise.resolve({ hosts: names.toReversed(), together: false })],
    ['together', (names: readonly string[]) => Promise.resolve({ hosts: names, together: true })],
  ]);
  const names = { tool: 't', inventoryDigest: 'd', playbook: 'p', playbookDigest: 'e', limit: undefined };
  const without = (names: readonly string[]): string => `provision plan i --limit all:!${names.join(':!')}`;
  return planPlays({ plays, orders, without, ...names }, fakeLook(hosts));
}

describe('a plan', () => {
  test('changes nothing', async () => {
    const hosts = fakeHosts(HOSTS);
    await plan([playOf(HOSTS, [wantFlag('x')])], hosts);
    expect(hosts.ran).toEqual([]);
  });

  test('lists just what apply then performs, in the same order', async () => {
    const hosts = fakeHosts(HOSTS);
    const plays = [playOf(HOSTS, [wantFlag('x'), wantFlag('y')], { batchSize: 1 })];
    const planned = await plan(plays, hosts);
    await applyPlan(planned, plays, fakeWorld(hosts));
    const listed = planned.plays.flatMap(({ batches }) =>
      batches.flatMap((batch) =>
        batch.hosts.flatMap(({ host, steps }) =>
          steps.map(({ outcome }) => `${host}: ${outcome.kind === 'change' ? outcome.change.summary : ''}`),
        ),
      ),
    );
    expect(hosts.ran).toEqual(listed);
    expect(hosts.ran).toHaveLength(6);
  });

  test('is empty after apply, and then apply runs nothing', async () => {
    const hosts = fakeHosts(HOSTS);
    const plays = [playOf(HOSTS, [wantFlag('x')])];
    await applyPlan(await plan(plays, hosts), plays, fakeWorld(hosts));
    hosts.ran.length = 0;
    const second = await plan(plays, hosts);
    expect(summarisePlan(second)).toMatchObject({ changes: 0, unchanged: 3 });
    expect(await applyPlan(second, plays, fakeWorld(hosts))).toMatchObject({ changed: 0, unchanged: 3 });
    expect(hosts.ran).toEqual([]);
  });

  test('lists a change once that two plays want', async () => {
    const hosts = fakeHosts(['a']);
    const planned = await plan([playOf(['a'], [wantFlag('x')]), playOf(['a'], [wantFlag('x')])], hosts);
    expect(summarisePlan(planned)).toMatchObject({ changes: 1, unchanged: 1 });
  });

  test('cuts its hosts into batches, in their order', async () => {
    const hosts = fakeHosts(HOSTS);
    const batches = async (more: Partial<Play>): Promise<unknown> =>
      (await plan([playOf(HOSTS, [], more)], hosts)).plays[0]?.batches.map((batch) =>
        batch.hosts.map(({ host }) => host).join(''),
      );
    expect(await batches({})).toEqual(['abc']);
    expect(await batches({ batchSize: 2 })).toEqual(['ab', 'c']);
    expect(await batches({ batchSize: 1, order: 'backwards' })).toEqual(['c', 'b', 'a']);
    expect(await batches({ batchSize: 1, order: 'together' })).toEqual(['abc']);
  });

  test('names every host that could not be looked at', async () => {
    const broken: Resource = { address: 'x', paths: [], plan: () => Promise.reject(new Error('no route')) };
    await expect(plan([playOf(['a', 'b'], [broken])], fakeHosts(HOSTS))).rejects.toThrow(/a: no route\n.*b: no route/);
  });
});

describe('a host of a play that can’t be connected to', () => {
  /** On host `at`, asks `host`, which can't be connected to. */
  const asking = (host: string, at = host): Resource => ({
    address: 'x',
    paths: [],
    plan: (probe) =>
      probe.host === at
        ? Promise.reject(new RemoteError({ code: 'unreachable', host, message: `${host}: no route` }))
        : wantFlag('x').plan(probe),
  });

  test('is left out of a plan that is for showing, which names the command that leaves it out', async () => {
    const plays = [playOf(HOSTS, [asking('a')]), playOf(['b', 'c'], [asking('b')]), playOf(['c'], [wantFlag('y')])];
    const { plan: planned, missing } = await planAll(plays, fakeHosts(HOSTS));
    expect(planned.plays.map(({ leftOut }) => leftOut)).toEqual([['a'], ['b'], []]);
    const hosts = planned.plays.map(({ batches }) => batches.flatMap((batch) => batch.hosts.map(({ host }) => host)));
    expect(hosts).toEqual([['b', 'c'], ['c'], ['c']]);
    expect(planned.away).toEqual([
      { host: 'a', because: 'a: no route' },
      { host: 'b', because: 'b: no route' },
    ]);
    expect(missing?.message).toContain("a, b can't be reached: nothing was changed");
    expect(summarisePlan(planned).hosts).toBe(1);
    expect(missing?.hint).toBe('to skip a, b: provision plan i --limit all:!a:!b');
  });

  test('is no host that another one asks: what needs it fails, and no command helps', async () => {
    const failed = planAll([playOf(['a', 'b'], [asking('c', 'a')])], fakeHosts(HOSTS));
    await expect(failed).rejects.toMatchObject({
      message: expect.stringContaining('c: no route') as unknown,
      hint: undefined,
    });
  });

  test('is an error where no other is left', async () => {
    const failed = planAll([playOf(['a'], [asking('a')])], fakeHosts(HOSTS));
    await expect(failed).rejects.toMatchObject({
      message: expect.stringContaining('planning failed: nothing was changed') as unknown,
      hint: undefined,
    });
  });

  test('that --limit leaves out is shown where the play would have it, once somebody asked it', async () => {
    const hosts = fakeHosts(HOSTS);
    const error = new RemoteError({ code: 'unreachable', host: 'c', message: 'c: no route' });
    const look = { ...fakeLook(hosts), lost: () => new Map([['c', error]]) };
    const plays = [playOf(['a'], [wantFlag('x')], { limitedOut: ['b', 'c'] })];
    const names = { tool: 't', inventoryDigest: 'd', playbook: 'p', playbookDigest: 'e', limit: 'a' };
    const orders = new Map([['inventory', inventoryOrder]]);
    const { plan: planned, missing } = await planPlays({ plays, orders, without: () => '', ...names }, look);
    expect([planned.plays[0]?.leftOut, missing]).toEqual([['c'], undefined]);
  });
});

describe('apply', () => {
  test('takes a failed host back, its services in their order, and touches no later one', async () => {
    const hosts = fakeHosts(HOSTS);
    const plays = [playOf(HOSTS, [wantFlag('x'), wantFlag('y'), wantFlag('z', failing)], { batchSize: 1 })];
    const world = fakeWorld(hosts);
    await expect(applyPlan(await plan(plays, hosts), plays, world)).rejects.toThrow(/disk full/);
    expect(hosts.ran).toEqual(['a: set x', 'a: set y', 'a: fail disk full', 'a: unset x', 'a: unset y']);
    expect(hosts.flags.get('a')).toEqual(new Set());
    expect(world.events.map(({ type }) => type)).toContain('rolled-back');
  });

  test('rolls back a command that failed half done, after the files', async () => {
    const hosts = fakeHosts(['a']);
    const undo = { summary: 'restart with the old files', script: 'set old' };
    const half = {
      actions: [{ kind: 'run', command: { summary: 'restart', script: 'fail to start' }, undo }],
    } as const;
    const plays = [playOf(['a'], [wantFlag('x', half)])];
    await expect(applyPlan(await plan(plays, hosts), plays, fakeWorld(hosts))).rejects.toThrow(/to start/);
    expect(hosts.ran).toEqual(['a: fail to start', 'a: set old']);
  });

  test('refuses a host that would now need something that the plan did not show', async () => {
    const hosts = fakeHosts(['a']);
    const plays = [playOf(['a'], [wantFlag('x'), wantFlag('y')])];
    hosts.flags.get('a')?.add('y');
    const stale = await plan(plays, hosts);
    hosts.flags.get('a')?.delete('y');
    await expect(applyPlan(stale, plays, fakeWorld(hosts))).rejects.toThrow(
      /flag:y: now set y; planned: nothing to do/,
    );
    expect(hosts.ran).toEqual([]);
  });

  test('says so when a planned change is not needed any more', async () => {
    const hosts = fakeHosts(['a']);
    const plays = [playOf(['a'], [wantFlag('x'), wantFlag('y')])];
    const early = await plan(plays, hosts);
    hosts.flags.get('a')?.add('y');
    const world = fakeWorld(hosts);
    await applyPlan(early, plays, world);
    expect(hosts.ran).toEqual(['a: set x']);
    expect(world.events).toContainEqual({ type: 'notice', host: 'a', message: 'flag:y: already so (set y)' });
  });

  test('fails when something is left to do afterwards', async () => {
    const hosts = fakeHosts(['a']);
    const ineffective = {
      actions: [{ kind: 'run', command: { summary: 'set', script: 'set other' }, undo: 'nothing' }],
    } as const;
    const plays = [playOf(['a'], [wantFlag('x', ineffective)])];
    await expect(applyPlan(await plan(plays, hosts), plays, fakeWorld(hosts))).rejects.toThrow(
      /still not as it should/,
    );
  });

  test('decides what could not be known when it gets there', async () => {
    const hosts = fakeHosts(['a']);
    const second: Resource = {
      address: 'second',
      paths: [],
      async plan(probe) {
        const first = await wantFlag('x').plan(probe);
        return first.kind === 'unchanged' ? wantFlag('y').plan(probe) : { kind: 'unknown', because: 'x is not set' };
      },
    };
    const plays = [playOf(['a'], [wantFlag('x'), second])];
    const planned = await plan(plays, hosts);
    expect(summarisePlan(planned)).toMatchObject({ changes: 1, unknown: 1 });
    await applyPlan(planned, plays, fakeWorld(hosts));
    expect(hosts.ran).toEqual(['a: set x', 'a: set y']);
  });

  test('finishes the change in progress when asked to stop, and begins no other', async () => {
    const hosts = fakeHosts(['a']);
    const plays = [playOf(['a'], [wantFlag('x'), wantFlag('y')])];
    const world = fakeWorld(hosts, { interrupted: () => hosts.ran.length === 1 });
    await expect(applyPlan(await plan(plays, hosts), plays, world)).rejects.toThrow(
      /stopped on request before: a flag:y/,
    );
    expect(hosts.ran).toEqual(['a: set x']);
  });
});

test('every host of a batch is rolled back where a gate after it does not open', async () => {
  const hosts = fakeHosts(HOSTS);
  const plays = [playOf(['a', 'b'], [wantFlag('x')], { gatesAfter: ['after'] })];
  const world = fakeWorld(hosts, { gates: new Map([['after', opensAt('after', Infinity)]]) });
  await expect(applyPlan(await plan(plays, hosts), plays, world)).rejects.toThrow(/rolled back on a, b/);
  expect(['a', 'b'].map((host) => hosts.flags.get(host)?.size)).toEqual([0, 0]);
});

describe('gates', () => {
  const gated = { batchSize: 1, gatesBefore: ['before'], gatesAfter: ['after'] };

  test('are asked until they open', async () => {
    const hosts = fakeHosts(['a']);
    const plays = [playOf(['a'], [wantFlag('x')], gated)];
    const gates = new Map([
      ['before', opensAt('before', 3)],
      ['after', opensAt('after', 2)],
    ]);
    const world = fakeWorld(hosts, { gates });
    await applyPlan(await plan(plays, hosts), plays, world);
    const told = world.events.flatMap((event) => (event.type.startsWith('gate') ? [event.type] : []));
    expect(told).toEqual(['gate-waiting', 'gate-waiting', 'gate-opened', 'gate-waiting', 'gate-opened']);
  });

  test('know before each batch which hosts the play is about, left-out ones not among them', async () => {
    const hosts = fakeHosts(HOSTS);
    const plays = [playOf(['a', 'b'], [wantFlag('x')], { ...gated, gatesAfter: [] })];
    const told: unknown[] = [];
    const gate = opensAt('before', 1);
    const check: typeof gate.check = (input) => {
      told.push([input.batch, input.play]);
      return gate.check(input);
    };
    const gates = new Map([['before', { ...gate, check }]]);
    await applyPlan(await plan(plays, hosts), plays, fakeWorld(hosts, { gates }));
    expect(told).toEqual([
      [['a'], ['a', 'b']],
      [['b'], ['a', 'b']],
    ]);
  });

  test('are not asked when there is nothing to do', async () => {
    const hosts = fakeHosts(['a']);
    const plays = [playOf(['a'], [{ address: 'x', paths: [], plan: () => Promise.resolve(UNCHANGED) }], gated)];
    await expect(applyPlan(await plan(plays, hosts), plays, fakeWorld(hosts))).resolves.toMatchObject({ changed: 0 });
  });

  test('that do not open before the work leave every host as it was', async () => {
    const hosts = fakeHosts(HOSTS);
    const plays = [playOf(HOSTS, [wantFlag('x')], gated)];
    const gates = new Map([['before', opensAt('before', Infinity)]]);
    await expect(applyPlan(await plan(plays, hosts), plays, fakeWorld(hosts, { gates }))).rejects.toThrow(
      /gate before did not open within 10 s: asked \d+ times/,
    );
    expect(hosts.ran).toEqual([]);
  });

  test.each([
    ['is reported after a minute, however long the gate itself would wait', Infinity, /^etcd-1 is away$/],
    ['is waited for when it comes back within a minute', 100, /^$/],
  ])('a host that cannot be asked %s', async (_, until, message) => {
    const hosts = fakeHosts(['a']);
    const plays = [playOf(['a'], [wantFlag('x')], { ...gated, gatesAfter: [] })];
    let asked = 0;
    const check = (): Promise<{ open: true }> => {
      asked += 1;
      const away = new RemoteError({ code: 'unreachable', host: 'etcd-1', message: 'etcd-1 is away' });
      return asked < until ? Promise.reject(away) : Promise.resolve({ open: true });
    };
    const gates = new Map([['before', { ...opensAt('before', 1), deadlineMs: 600_000, check }]]);
    const world = fakeWorld(hosts, { gates });
    const failed = await applyPlan(await plan(plays, hosts), plays, world).then(
      () => '',
      (error: unknown) => (error instanceof Error ? error.message : ''),
    );
    expect(failed).toMatch(message);
    expect(world.now()).toBeLessThanOrEqual(60_000);
  });

  test.each([
    [
      'not at all for what waiting can’t change',
      { isFinal: true },
      0,
      /gate before did not open, and waiting would not change that: x/,
    ],
    ['a minute for a host that is away', { isAway: true }, 60_000, /gate before did not open within 60 s: x/],
  ])('are waited for %s', async (_, more, waited, message) => {
    const hosts = fakeHosts(HOSTS);
    const plays = [playOf(HOSTS, [wantFlag('x')], gated)];
    const check = async () => Promise.resolve({ open: false, reason: 'x', next: 'fix it', ...more } as const);
    const gates = new Map([['before', { ...opensAt('before', 1), deadlineMs: 180_000, check }]]);
    const world = fakeWorld(hosts, { gates });
    await expect(applyPlan(await plan(plays, hosts), plays, world)).rejects.toThrow(message);
    expect(world.now()).toBe(waited);
  });

  test('are waited for as long as the user says', async () => {
    const hosts = fakeHosts(HOSTS);
    const plays = [playOf(HOSTS, [wantFlag('x')], gated)];
    const gates = new Map([['before', opensAt('before', Infinity)]]);
    const world = fakeWorld(hosts, { gates, gateDeadlineMs: 2_000 });
    await expect(applyPlan(await plan(plays, hosts), plays, world)).rejects.toThrow(/did not open within 2 s/);
  });

  test.each([
    ['a reason that may last', {}, /did not open within 40 s/],
    [
      'a reason that may last, but not against the word of the user',
      { gateDeadlineMs: 2_000 },
      /did not open within 2 s/,
    ],
  ])('are waited for longer, for %s', async (_, settings, message) => {
    const hosts = fakeHosts(HOSTS);
    const plays = [playOf(HOSTS, [wantFlag('x')], gated)];
    const check = async () =>
      Promise.resolve({ open: false, reason: 'slow', next: 'wait', patienceMs: 30_000 } as const);
    const gates = new Map([['before', { ...opensAt('before', 1), check }]]);
    const world = fakeWorld(hosts, { gates, ...settings });
    await expect(applyPlan(await plan(plays, hosts), plays, world)).rejects.toThrow(message);
  });

  test('that do not open after the work have it rolled back', async () => {
    const hosts = fakeHosts(HOSTS);
    const plays = [playOf(HOSTS, [wantFlag('x')], gated)];
    const gates = new Map([
      ['before', opensAt('before', 1)],
      ['after', opensAt('after', Infinity)],
    ]);
    await expect(applyPlan(await plan(plays, hosts), plays, fakeWorld(hosts, { gates }))).rejects.toThrow(
      /rolled back/,
    );
    expect(hosts.ran).toEqual(['a: set x', 'a: unset x']);
  });

  test('are asked again after a roll-back, and the state of each host is reported', async () => {
    const hosts = fakeHosts(HOSTS);
    const resources = new Map(
      HOSTS.map((host) => [host, host === 'c' ? [wantFlag('x'), wantFlag('y', failing)] : [wantFlag('x')]]),
    );
    const plays = [playOf(HOSTS, [], { resources, gatesAfter: ['after'] })];
    const world = fakeWorld(hosts, { gates: new Map([['after', opensAt('after', 2)]]) });
    await expect(applyPlan(await plan(plays, hosts), plays, world)).rejects.toThrow(/disk full/);
    const told = world.events.flatMap((event) =>
      event.type === 'notice'
        ? [`${event.host ?? ''}: ${event.message}`]
        : event.type === 'gate-opened'
          ? ['open']
          : [],
    );
    expect(told).toEqual([
      'c: rolled back: files and services are as before this play',
      'a: completed, not rolled back (1 change)',
      'b: completed, not rolled back (1 change)',
      'open',
    ]);
  });

  test('are waited for after a roll-back, also on a request to stop: it is about how the hosts stand', async () => {
    const hosts = fakeHosts(['a']);
    const plays = [playOf(['a'], [wantFlag('x', failing)], { gatesAfter: ['after'] })];
    const gates = new Map([['after', opensAt('after', 2)]]);
    const world = fakeWorld(hosts, { gates, interrupted: () => hosts.ran.length > 0 });
    await expect(applyPlan(await plan(plays, hosts), plays, world)).rejects.toThrow(/disk full/);
    expect(world.events.at(-1)).toMatchObject({ type: 'gate-opened', gate: 'after' });
  });

  test('are asked just once more after a host was lost: nothing was rolled back that would need time', async () => {
    const hosts = fakeHosts(HOSTS);
    let isGone = false;
    const lost: Resource = {
      ...wantFlag('x'),
      plan: async (probe) =>
        isGone
          ? Promise.reject(new RemoteError({ code: 'connection-lost', host: 'a', message: 'a is gone' }))
          : wantFlag('x').plan(probe),
    };
    const plays = [playOf(['a'], [lost], { gatesAfter: ['after'] })];
    const planned = await plan(plays, hosts);
    isGone = true;
    const world = fakeWorld(hosts, { gates: new Map([['after', opensAt('after', 3)]]) });
    await expect(applyPlan(planned, plays, world)).rejects.toThrow(/a is gone/);
    expect(world.events.at(-1)).toMatchObject({ type: 'notice', message: expect.stringMatching(/asked 1 times$/) });
    expect(world.now()).toBe(0);
  });

  test('before the work are left on a request to stop, those after it are waited for', async () => {
    const hosts = fakeHosts(['a']);
    const plays = [playOf(['a'], [wantFlag('x')], gated)];
    const gates = new Map([
      ['before', opensAt('before', 1)],
      ['after', opensAt('after', 3)],
    ]);
    const world = fakeWorld(hosts, { gates, interrupted: () => hosts.ran.length > 0 });
    expect(await applyPlan(await plan(plays, hosts), plays, world)).toMatchObject({ changed: 1 });
    const other = fakeHosts(['a']);
    const shut = fakeWorld(other, { gates: new Map([['before', opensAt('before', 3)]]), interrupted: () => true });
    await expect(applyPlan(await plan(plays, other), plays, shut)).rejects.toThrow(/stopped on request before: a gate/);
    expect(other.ran).toEqual([]);
  });
});
