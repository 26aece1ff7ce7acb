import { describe, expect, test } from '@jest/globals';
import { readClocks, wrongClocks, type HostClock } from '../../../src/engine/clock-guard.js';
import type { Action } from '../../../src/model/action.js';
import type { Probe } from '../../../src/model/remote.js';
import type { Plan, PlannedStep } from '../../../src/model/plan.js';

const MINUTE = 60_000;

/** A host whose clock differs by so many minutes; the answer took a second. */
function clockOf(name: string, minutes: number): HostClock {
  return { name, sent: 1000 * MINUTE, host: (1000 + minutes) * MINUTE, received: 1000 * MINUTE + 1000 };
}

function planOf(host: string, step: PlannedStep): Plan {
  const batches = [{ hosts: [{ host, steps: [step], unchanged: 0 }] }];
  const play = {
    name: 'p',
    order: 'inventory',
    batchSize: undefined,
    batches,
    leftOut: [],
    gatesBefore: [],
    gatesAfter: [],
  };
  return { tool: '', inventoryDigest: '', playbook: '', playbookDigest: '', limit: undefined, away: [], plays: [play] };
}

function change(actions: readonly Action[]): PlannedStep {
  return {
    address: 'a',
    outcome: { kind: 'change', change: { summary: '', diff: [], actions, effect: 'change', disruptive: false } },
  };
}

const NO_CERTIFICATE = planOf('cp-1', change([{ kind: 'remove-file', path: '/x' }]));

const hostsOf = (plan: Plan, clocks: readonly HostClock[]): unknown[] =>
  wrongClocks(plan, clocks, ['etcd-1', 'etcd-2']).map(({ host }) => host);

describe('a clock is wrong', () => {
  test.each([
    [-4, []],
    [-4.1, ['etcd-1']],
    // Within the second that the answer took, nobody can say when it was read.
    [4 + 1 / 60, []],
    [4.1, ['etcd-1']],
  ])('at %f minutes: %j', (minutes, expected) => {
    expect(hostsOf(NO_CERTIFICATE, [clockOf('etcd-1', minutes), clockOf('etcd-2', 0)])).toEqual(expected);
  });

  test('for members, and for whoever gets a certificate or may get one', () => {
    const clocks = [clockOf('cp-1', -10), clockOf('etcd-1', 0)];
    expect(hostsOf(NO_CERTIFICATE, clocks)).toEqual([]);
    const certificate = { kind: 'issue-certificate' } as Action;
    expect(hostsOf(planOf('cp-1', change([certificate])), clocks)).toEqual(['cp-1']);
    expect(hostsOf(planOf('cp-1', change([{ kind: 'join-kubernetes' } as Action])), clocks)).toEqual(['cp-1']);
    const unknown = { address: 'a', outcome: { kind: 'unknown', because: 'x' } } as const;
    expect(hostsOf(planOf('cp-1', unknown), clocks)).toEqual(['cp-1']);
  });
});

test('says how far, what that breaks, and whose clock it likely is', () => {
  const [behind, ahead] = wrongClocks(
    NO_CERTIFICATE,
    [clockOf('etcd-1', -10), clockOf('etcd-2', 10)],
    ['etcd-1', 'etcd-2'],
  );
  expect(behind?.error).toMatchObject({
    code: 'clock-off',
    message:
      "etcd-1: its clock is 10 min behind this machine's (at most 4 min): it would refuse a new certificate, valid from 5 min ago on, as not yet valid",
    hint: 'ssh etcd-1 timedatectl; let chrony or systemd-timesyncd keep its time',
  });
  expect(ahead?.error.message).toMatch(/^etcd-2: its clock is 9 min 59 s ahead of this machine's/);
  // Seconds and milliseconds of which 60 make a whole differ.
  const [near] = wrongClocks(NO_CERTIFICATE, [clockOf('etcd-1', -303 / 60)], ['etcd-1']);
  expect(near?.error.message).toMatch(/^etcd-1: its clock is 5 min 3 s behind /);
  const [one] = wrongClocks(NO_CERTIFICATE, [clockOf('etcd-1', -10), clockOf('etcd-2', -11)], ['etcd-1']);
  expect(one?.error).toMatchObject({ hint: expect.stringContaining('the clock of this machine') as unknown });
  const [only] = wrongClocks(NO_CERTIFICATE, [clockOf('etcd-1', -10)], ['etcd-1']);
  expect(only?.error).toMatchObject({ hint: expect.stringContaining('ssh etcd-1') as unknown });
});

test('is not this machine’s where not all hosts differ, or not alike', () => {
  const hintOf = (...clocks: readonly HostClock[]): unknown =>
    wrongClocks(NO_CERTIFICATE, clocks, ['etcd-1', 'etcd-2']).map(({ error }) => error)[0];
  const ours = {
    hint: 'all hosts differ by the same amount, so the clock of this machine is probably wrong: timedatectl',
  };
  const theirs = { hint: expect.stringMatching(/^ssh etcd-1 timedatectl/) as unknown };
  expect(hintOf(clockOf('etcd-1', -10), clockOf('etcd-2', -11))).toMatchObject(ours);
  expect(hintOf(clockOf('etcd-1', 10), clockOf('etcd-2', 11))).toMatchObject(ours);
  expect(hintOf(clockOf('etcd-1', -10), clockOf('etcd-2', 0))).toMatchObject(theirs);
  expect(hintOf(clockOf('etcd-1', -10), clockOf('etcd-2', -1))).toMatchObject(theirs);
  expect(hintOf(clockOf('etcd-1', -10), clockOf('etcd-2', 10))).toMatchObject(theirs);
  expect(wrongClocks(NO_CERTIFICATE, [clockOf('etcd-1', 10.5)], ['etcd-1'])[0]?.error.message).toBe(
    "etcd-1: its clock is 10 min 29 s ahead of this machine's (at most 4 min): certificates end early on it",
  );
});

test('concerns whoever gets a certificate in any play, batch, host, step and action', () => {
  const certificate = { kind: 'issue-certificate' } as Action;
  const other: Action = { kind: 'remove-file', path: '/x' };
  const unknown: PlannedStep = { address: 'u', outcome: { kind: 'unknown', because: 'x' } };
  const host = (name: string, ...steps: readonly PlannedStep[]) => ({ host: name, steps, unchanged: 0 });
  const [play] = planOf('x', change([])).plays;
  if (play === undefined) throw new Error('no play');
  const plan: Plan = {
    ...NO_CERTIFICATE,
    plays: [
      {
        ...play,
        batches: [{ hosts: [host('a', change([other])), host('b', change([other]), change([other, certificate]))] }],
      },
      {
        ...play,
        batches: [
          { hosts: [host('c', change([certificate, other]))] },
          { hosts: [host('d', change([other]), unknown)] },
        ],
      },
    ],
  };
  expect(
    hostsOf(
      plan,
      ['a', 'b', 'c', 'd', 'e'].map((name) => clockOf(name, -10)),
    ),
  ).toEqual(['b', 'c', 'd']);
});

test('clocks are read on every host that answers, each with when it was asked and when it answered', async () => {
  let now = 0;
  const probe = (host: string): Probe => ({
    host,
    ask: <V>() => (host === 'b' ? Promise.reject(new Error('away')) : Promise.resolve(5000 as V)),
    on: probe,
  });
  expect(await readClocks(['a', 'b', 'c'], { probe, lost: () => new Map() }, () => (now += 10))).toEqual([
    { name: 'a', sent: 10, host: 5000, received: 40 },
    { name: 'c', sent: 30, host: 5000, received: 50 },
  ]);
});
