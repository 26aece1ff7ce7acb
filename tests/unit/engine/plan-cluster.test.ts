import { describe, expect, test } from '@jest/globals';
import { planCluster } from '../../../src/engine/plan-cluster.js';
import { planHost, planPlays } from '../../../src/engine/planner.js';
import { clock } from '../../../src/facts/clock.js';
import { clusterLock } from '../../../src/facts/cluster-lock.js';
import { changed, UNCHANGED, type Resource } from '../../../src/model/change.js';
import { RemoteError } from '../../../src/model/errors.js';
import type { Look } from '../../../src/facts/batched-probe.js';
import type { PlannedPlay } from '../../../src/model/plan.js';
import type { Fact, Probe } from '../../../src/model/remote.js';
import type { Play } from '../../../src/playbook/play.js';
import { unreachableError } from '../../support/fake-probe.js';
import { fakeHosts, fakeLook, fakeWorld, inventoryOrder, playOf, wantFlag } from '../../support/fake-world.js';

const settled: Resource = { address: 'settled', paths: [], plan: () => Promise.resolve(UNCHANGED) };
const request = (plays: readonly Play[], members: readonly string[] = []) => ({
  ...{ plays, members, orders: new Map([['inventory', inventoryOrder]]) },
  ...{ tool: '', inventoryDigest: '', playbook: '', playbookDigest: '', limit: undefined, without: () => '' },
});

/** Hosts of flags whose clocks are so many minutes off, and which hold these locks. */
function worldOf(minutes: Readonly<Record<string, number>>, locks: Readonly<Record<string, string>> = {}) {
  const hosts = fakeHosts(Object.keys(minutes));
  const flags = fakeLook(hosts);
  const probe = (host: string): Probe => ({
    host,
    ask: <V>(fact: Fact<V>, key: string): Promise<V> => {
      if (fact.name === clock.name) return Promise.resolve(((minutes[host] ?? 0) * 60_000) as V);
      if (fact.name === clusterLock.name) return Promise.resolve(locks[host] as V);
      return flags.probe(host).ask(fact, key);
    },
    on: probe,
  });
  return fakeWorld(hosts, { newLook: () => ({ probe, lost: () => new Map() }) });
}

describe('a plan where hosts are away', () => {
  /** Hosts that are asked for a flag; those in `gone` can't be reached. */
  const lookWithout = (gone: readonly string[]): Look => {
    const flags = fakeLook(fakeHosts(['a', 'b', 'c', 'd']));
    const probe = (host: string): Probe => ({
      host,
      ask: (fact, key) =>
        gone.includes(host) ? Promise.reject(unreachableError(host)) : flags.probe(host).ask(fact, key),
      on: probe,
    });
    return { probe, lost: () => new Map() };
  };
  const hostsOf = (plays: readonly PlannedPlay[]) =>
    plays.map(({ leftOut, batches }) => [leftOut, batches.map((batch) => batch.hosts.map(({ host }) => host))]);

  test('is made for the others, without a batch of nobody', async () => {
    const play = playOf(['a', 'b', 'c', 'd'], [wantFlag('x')], { batchSize: 1 });
    const { plan, missing } = await planPlays(request([play]), lookWithout(['a', 'c']));
    expect(hostsOf(plan.plays)).toEqual([
      [
        ['a', 'c'],
        [['b'], ['d']],
      ],
    ]);
    expect(plan.plays.map(({ name, order }) => [name, order])).toEqual([['test play', 'inventory']]);
    expect(plan.away.map(({ host }) => host)).toEqual(['a', 'c']);
    expect(missing?.failures.map(({ host }) => host)).toEqual(['a', 'c']);
  });

  test('is made while one play has a host left, and not where none has', async () => {
    const plays = [playOf(['a'], [wantFlag('x')]), playOf(['b'], [wantFlag('x')])];
    expect(hostsOf((await planPlays(request(plays), lookWithout(['a']))).plan.plays)).toEqual([
      [['a'], []],
      [[], [['b']]],
    ]);
    await expect(planPlays(request(plays), lookWithout(['a', 'b']))).rejects.toMatchObject({
      failures: [{ host: 'a' }, { host: 'b' }],
    });
  });

  test('is refused where a host fails for another reason, which is reported beside those that are away', async () => {
    const broken: Resource = { ...settled, plan: () => Promise.reject(new Error('no etcd')) };
    const play = playOf(['a', 'b', 'c'], [wantFlag('x')]);
    const resources = new Map([...play.resources, ['b', [broken]]]);
    await expect(planPlays(request([{ ...play, resources }]), lookWithout(['a']))).rejects.toMatchObject({
      failures: [
        { host: 'a', error: { code: 'unreachable' } },
        { host: 'b', error: { message: 'no etcd' } },
      ],
    });
  });

  test('tells of each what it failed with, whole; the last one says how to go on without them', async () => {
    const cause = new Error('no route');
    const errors = new Map(
      [
        { code: 'unreachable', host: 'a', message: 'a: away', cause, hint: 'look at a' } as const,
        { code: 'unreachable', host: 'd', message: 'd: away', cause } as const,
        { code: 'unreachable', host: 'b', message: 'b: away', cause } as const,
      ].map((details) => [details.host as string, new RemoteError(details)]),
    );
    const flags = fakeLook(fakeHosts(['c']));
    const probe = (host: string): Probe => {
      const error = errors.get(host);
      return error === undefined ? flags.probe(host) : { host, ask: () => Promise.reject(error), on: probe };
    };
    const { missing } = await planPlays(
      { ...request([playOf(['a', 'd', 'b', 'c'], [wantFlag('x')])]), without: (hosts) => `skip ${hosts.join(' ')}` },
      { probe, lost: () => new Map() },
    );
    const of = (host: string) => ({ code: 'unreachable', host, message: `${host}: away`, cause });
    expect(missing?.failures).toMatchObject([
      { host: 'a', error: { ...of('a'), hint: 'look at a' } },
      { host: 'd', error: { ...of('d'), hint: undefined } },
      { host: 'b', error: { ...of('b'), hint: 'to skip a, d, b: skip a d b' } },
    ]);
  });
});

describe('a plan of a cluster', () => {
  const work = playOf(['a', 'b'], [wantFlag('x')]);
  const idle = playOf(['a', 'b'], [settled]);
  const later: Resource = {
    ...settled,
    address: 'later',
    plan: () => Promise.resolve({ kind: 'unknown', because: 'etcd is not installed' }),
  };

  test.each<[string, Play, Readonly<Record<string, number>>, 'refused' | 'made']>([
    ['a change, and right clocks', work, { a: 0, b: 0 }, 'made'],
    ['a change, and a wrong clock', work, { a: 0, b: 10 }, 'refused'],
    ['what is not known yet, and a wrong clock', playOf(['a', 'b'], [later]), { a: 0, b: 10 }, 'refused'],
    ['nothing to do, and a wrong clock', idle, { a: 0, b: 10 }, 'made'],
    ['nothing to do, and right clocks', idle, { a: 0, b: 0 }, 'made'],
  ])('with %s', async (_, play, minutes, outcome) => {
    const world = worldOf(minutes);
    const made = planCluster(request([play], ['a', 'b']), world);
    if (outcome === 'refused') await expect(made).rejects.toMatchObject({ failures: [{ host: 'b' }] });
    else expect((await made).plan.plays).toHaveLength(1);
  });

  test('lists no package again that an earlier play installs on the same host', async () => {
    const installing = (...installs: readonly string[]): Resource => ({
      ...{ address: `packages:${installs.join(',')}`, paths: [] },
      plan: () =>
        Promise.resolve(
          changed({ summary: 'install', diff: [], actions: [], effect: 'create', disruptive: false, installs }),
        ),
    });
    const plays = [
      playOf(['a'], [installing('haproxy', 'keepalived')]),
      playOf(['a', 'b'], [installing('keepalived')]),
      playOf(['a'], [installing('keepalived', 'nginx')]),
    ];
    const { plan } = await planPlays(request(plays), fakeLook(fakeHosts(['a', 'b'])));
    const listed = plan.plays.map(({ batches }) =>
      batches.flatMap(({ hosts }) =>
        hosts.map(({ host, steps, unchanged }) => [host, ...steps.map(({ address }) => address), unchanged]),
      ),
    );
    expect(listed).toEqual([
      [['a', 'packages:haproxy,keepalived', 0]],
      [
        ['a', 1],
        ['b', 'packages:keepalived', 0],
      ],
      [['a', 'packages:keepalived,nginx', 0]],
    ]);
  });

  test('that can’t be made tells of wrong clocks in the same breath', async () => {
    const broken: Resource = { ...settled, address: 'broken', plan: () => Promise.reject(new Error('no module')) };
    const made = planCluster(request([playOf(['a'], [broken]), work], ['b']), worldOf({ a: 0, b: 10 }));
    await expect(made).rejects.toMatchObject({
      summary: 'planning failed: nothing was changed',
      failures: [
        { host: 'a', error: { message: 'no module' } },
        { host: 'b', error: { code: 'clock-off' } },
      ],
    });
  });

  test('that changes nothing tells of every wrong clock, and every doubt once', async () => {
    const doubtful = (text: string): Resource => ({ ...settled, address: text, doubt: () => Promise.resolve(text) });
    const plays = [
      playOf(['a', 'b'], [settled, doubtful('may be old'), doubtful('may be full')]),
      playOf(['b', 'c'], [doubtful('may be old'), { ...settled, doubt: () => Promise.reject(new Error('away')) }]),
    ];
    const world = worldOf({ a: 10, b: -10, c: 0 });
    await planCluster(request(plays, ['a', 'b']), world);
    expect(
      world.events.map((event) => (event.type === 'notice' ? `${event.host ?? ''}: ${event.message}` : '')),
    ).toEqual([
      expect.stringMatching(/^a: a: its clock is .* ahead/),
      expect.stringMatching(/^b: b: its clock is .* behind/),
      'a: may be old',
      'a: may be full',
      'b: may be old',
      'b: may be full',
      'c: may be old',
    ]);
  });

  test('knows the locks of the hosts of all plays', async () => {
    const plays = [playOf(['a'], [settled]), playOf(['b', 'c'], [settled])];
    const { locks } = await planCluster(
      request(plays),
      worldOf({ a: 0, b: 0, c: 0, d: 0 }, { a: '?', c: '?', d: '?' }),
    );
    expect(locks.map(({ host }) => host)).toEqual(['a', 'c']);
  });

  test('looks at clocks of the hosts of all plays', async () => {
    const plays = [playOf(['a'], [wantFlag('x')]), playOf(['b'], [settled])];
    await expect(planCluster(request(plays, ['a', 'b']), worldOf({ a: 0, b: 10 }))).rejects.toMatchObject({
      failures: [{ host: 'b' }],
    });
  });
});

describe('what a decision was built on', () => {
  const fact = (name: string, answer: string, evidence: boolean): Fact<string> => ({
    name,
    script: () => answer,
    parse: () => new Map(),
    ...(evidence ? { evidence: (value: string) => ({ digest: value }) } : {}),
  });
  const probe = (host: string): Probe => ({
    host,
    ask: <V>(asked: Fact<V>, key: string) => Promise.resolve(`${asked.script([])} ${key}` as V),
    on: probe,
  });
  const asking = (...facts: readonly (readonly [Fact<string>, string])[]): Resource => ({
    address: 'x',
    paths: [],
    async plan(probe) {
      for (const [each, key] of facts) await probe.ask(each, key);
      return { kind: 'unknown', because: 'x' };
    },
  });
  const beforeOf = async (resource: Resource): Promise<string | undefined> =>
    (await planHost(playOf(['a'], [resource]), 'a', { probe, lost: () => new Map() })).steps[0]?.before;

  test('is the evidence of each fact and key, in one order, whoever was asked first', async () => {
    const [mode, size, time] = [fact('mode', '0644', true), fact('size', '7', true), fact('time', 'noon', false)];
    const before = await beforeOf(asking([mode, '/b'], [size, '/a'], [time, 'now'], [mode, '/a']));
    expect(JSON.parse(before ?? '')).toEqual([
      ['mode /a', '[{"digest":"0644 /a"}]'],
      ['mode /b', '[{"digest":"0644 /b"}]'],
      ['size /a', '[{"digest":"7 /a"}]'],
    ]);
    expect(await beforeOf(asking([mode, '/a'], [size, '/a'], [mode, '/b']))).toBe(before);
    expect(await beforeOf(asking([mode, '/a'], [size, '/a']))).not.toBe(before);
  });
});

describe('a plan is refused', () => {
  test('for an order that nobody knows', async () => {
    const plays = [playOf(['a'], [settled], { order: 'sideways' })];
    await expect(planPlays(request(plays), fakeLook(fakeHosts(['a'])))).rejects.toMatchObject({
      failures: [{ error: { code: 'unknown-order', message: 'play test play: there is no order sideways' } }],
    });
  });

  test('for a host that fails otherwise than by being away, without a word on leaving it out', async () => {
    const failed = new RemoteError({ code: 'command-failed', host: 'a', message: 'a: look: ended with status 1' });
    const broken: Resource = { ...settled, plan: () => Promise.reject(failed) };
    await expect(planPlays(request([playOf(['a'], [broken])]), fakeLook(fakeHosts(['a'])))).rejects.toMatchObject({
      summary: 'planning failed: nothing was changed',
    });
  });
});
