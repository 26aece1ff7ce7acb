import { describe, expect, test } from '@jest/globals';
import { wrongClocks, type HostClock } from '../../../src/engine/clock-guard.js';
import type { Action } from '../../../src/model/change.js';
import type { Plan, PlannedStep } from '../../../src/model/plan.js';

const MINUTE = 60_000;

/** A host whose clock differs by so many minutes; the answer took a second. */
function clockOf(name: string, minutes: number): HostClock {
  return { name, sent: 1000 * MINUTE, host: (1000 + minutes) * MINUTE, received: 1000 * MINUTE + 1000 };
}

function planOf(host: string, step: PlannedStep): Plan {
  const batches = [{ hosts: [{ host, steps: [step], unchanged: 0 }] }];
  const play = { name: 'p', order: 'inventory', batchSize: undefined, batches, gatesBefore: [], gatesAfter: [] };
  return { tool: '', inventoryDigest: '', playbook: '', playbookDigest: '', limit: undefined, plays: [play] };
}

function change(actions: readonly Action[]): PlannedStep {
  return { address: 'a', outcome: { kind: 'change', change: { summary: '', diff: [], actions, disruptive: false } } };
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
  const [one] = wrongClocks(NO_CERTIFICATE, [clockOf('etcd-1', -10), clockOf('etcd-2', -11)], ['etcd-1']);
  expect(one?.error).toMatchObject({ hint: expect.stringContaining('the clock of this machine') as unknown });
  const [only] = wrongClocks(NO_CERTIFICATE, [clockOf('etcd-1', -10)], ['etcd-1']);
  expect(only?.error).toMatchObject({ hint: expect.stringContaining('ssh etcd-1') as unknown });
});
