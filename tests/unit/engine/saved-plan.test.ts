import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { driftedSteps } from '../../../src/engine/drift.js';
import { refuseDrift, savePlan } from '../../../src/engine/saved-plan.js';
import type { Plan, PlannedPlay, PlannedStep } from '../../../src/model/plan.js';
import { unifiedDiff } from '../../../src/resources/unified-diff.js';
import { BARE_HOSTS, PLANTED, ROLLING_RESTART, SECRETS_AND_ESCAPES } from '../../support/sample-plans.js';

let file: string;

beforeEach(() => {
  file = join(mkdtempSync(join(tmpdir(), 'plan-')), 'plan.json');
});
afterEach(() => {
  rmSync(join(file, '..'), { recursive: true });
});

function withPlay(plan: Plan, change: (play: PlannedPlay) => PlannedPlay): Plan {
  return { ...plan, plays: plan.plays.map((play) => (play.name === 'etcd' ? change(play) : play)) };
}

/** A step that writes a file of which the host has these lines. @param before what its facts said */
function writing(lines: string, before = lines): PlannedStep {
  const diff = unifiedDiff('/etc/x', lines, 'wanted\n');
  return {
    address: 'file:/etc/x',
    before,
    outcome: { kind: 'change', change: { summary: 'update /etc/x', diff, actions: [], disruptive: false } },
  };
}

describe('a saved plan', () => {
  test.each([BARE_HOSTS, ROLLING_RESTART, SECRETS_AND_ESCAPES])('is not refused for itself', async (plan) => {
    await savePlan(file, plan);
    await refuseDrift(file, plan);
    expect(readFileSync(file, 'utf8')).not.toContain(PLANTED);
  });

  test.each<[string, Plan, RegExp]>([
    [
      'no gates before',
      withPlay(ROLLING_RESTART, (play) => ({ ...play, gatesBefore: [] })),
      /play etcd: gates before: saved: etcd-healthy; now: none/,
    ],
    [
      'no gates after',
      withPlay(ROLLING_RESTART, (play) => ({ ...play, gatesAfter: [] })),
      /play etcd: gates after: saved: etcd-healthy, vip-answers; now: none/,
    ],
    [
      'another order',
      withPlay(ROLLING_RESTART, (play) => ({ ...play, order: 'leader-last' })),
      /play etcd: order: saved: inventory; now: leader-last/,
    ],
    [
      'another serial',
      withPlay(ROLLING_RESTART, (play) => ({ ...play, batchSize: 3 })),
      /play etcd: serial: saved: all at once; now: 3/,
    ],
    [
      'another leader',
      withPlay(ROLLING_RESTART, (play) => ({ ...play, batches: play.batches.toReversed() })),
      /play etcd: hosts: saved: etcd-2; then etcd-3; then etcd-1; now: etcd-1; then etcd-3; then etcd-2/,
    ],
    [
      'fewer plays',
      { ...ROLLING_RESTART, plays: ROLLING_RESTART.plays.slice(1) },
      /plays: saved: load balancer, then etcd; now: etcd/,
    ],
    ['another tool', { ...ROLLING_RESTART, tool: '0.2.0' }, /provision: saved: 0\.1\.0; now: 0\.2\.0/],
    ['another inventory', { ...ROLLING_RESTART, inventoryDigest: 'x' }, /the inventory: saved: abab.*; now: x/],
    [
      'another playbook',
      { ...ROLLING_RESTART, playbookDigest: 'x' },
      /the playbook, or a file that it uses: saved: .*cdcd/,
    ],
    ['a limit', { ...ROLLING_RESTART, limit: 'etcd-1' }, /--limit: saved: none; now: etcd-1/],
  ])('is refused for %s', async (_, now, words) => {
    await savePlan(file, ROLLING_RESTART);
    await expect(refuseDrift(file, now)).rejects.toMatchObject({
      code: 'plan-stale',
      message: expect.stringMatching(words) as unknown,
    });
  });

  test('is refused where what was there differs, with the lines and no secret', async () => {
    const at = (step: PlannedStep): Plan =>
      withPlay(ROLLING_RESTART, (play) => ({
        ...play,
        batches: [{ hosts: [{ host: 'etcd-1', steps: [step], unchanged: 0 }] }],
      }));
    await savePlan(file, at(writing('old\n')));
    await expect(refuseDrift(file, at(writing('old\nby hand\n')))).rejects.toMatchObject({
      message: expect.stringMatching(
        /etcd \/ etcd-1 file:\/etc\/x: update \/etc\/x: what is there was changed since\n +\+ by hand/,
      ) as unknown,
    });
    // Only in a line that is not shown: refused all the same.
    await expect(refuseDrift(file, at(writing('old\n', 'another secret')))).rejects.toMatchObject({
      code: 'plan-stale',
    });
  });
});

describe('the look before acting', () => {
  test('finds what was changed since the plan, until this run itself has changed the host', () => {
    const [was, is] = [writing('old\n'), writing('old\nby hand\n')];
    expect(driftedSteps([was], [is], 'none')).toEqual([
      'file:/etc/x: update /etc/x: what is there was changed since',
      '    + by hand',
    ]);
    expect(driftedSteps([was], [is], 'begun')).toEqual([]);
    expect(driftedSteps([was], [was], 'none')).toEqual([]);
  });

  test('shows at most a dozen lines', () => {
    const lines = Array.from({ length: 30 }, (_, index) => `line ${index}\n`).join('');
    const drift = driftedSteps([writing('old\n')], [writing(`old\n${lines}`)], 'none');
    expect(drift).toHaveLength(14);
    expect(drift.at(-1)).toBe('    … and 18 more lines');
  });
});
