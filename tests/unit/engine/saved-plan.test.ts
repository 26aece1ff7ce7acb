import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { driftedSteps, linesSince } from '../../../src/engine/drift.js';
import type { PlanJson } from '../../../src/engine/plan-schema.js';
import { refuseDrift, savePlan } from '../../../src/engine/saved-plan.js';
import type { Action } from '../../../src/model/action.js';
import { plainContent } from '../../../src/model/content.js';
import type { Plan, PlannedPlay, PlannedStep } from '../../../src/model/plan.js';
import { unifiedDiff } from '../../../src/resources/unified-diff.js';
import { SERVER_PROFILE } from '../../support/test-authority.js';
import { BARE_HOSTS, PLANTED, ROLLING_RESTART, SECRETS_AND_ESCAPES } from '../../support/sample-plans.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

let file: string;

beforeEach(() => {
  file = join(temporaryDirectory('plan'), 'plan.json');
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
    outcome: {
      kind: 'change',
      change: { summary: 'update /etc/x', diff, actions: [], effect: 'change', disruptive: false },
    },
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
        /etcd \/ etcd-1 file:\/etc\/x: update \/etc\/x: it was changed on the host since\n +\+ by hand/,
      ) as unknown,
    });
    // Only in a line that is not shown: refused all the same.
    await expect(refuseDrift(file, at(writing('old\n', 'another secret')))).rejects.toMatchObject({
      code: 'plan-stale',
    });
  });
});

describe('a saved plan that differs', () => {
  const change = (address: string, summary = `update ${address}`): PlannedStep => ({
    address,
    outcome: { kind: 'change', change: { summary, diff: [], actions: [], effect: 'change', disruptive: false } },
  });
  const hostOf = (host: string, ...steps: readonly PlannedStep[]) => ({ host, steps, unchanged: 0 });
  const planOf = (...batches: readonly PlannedPlay['batches'][number][]): Plan => ({
    ...ROLLING_RESTART,
    plays: [
      {
        name: 'p',
        order: 'inventory',
        batchSize: undefined,
        leftOut: [],
        gatesBefore: [],
        gatesAfter: [],
        batches: [...batches],
      },
    ],
  });
  const messageOf = async (saved: Plan, now: Plan): Promise<string> => {
    await savePlan(file, saved);
    return refuseDrift(file, now).then(
      () => '',
      (error: unknown) => (error instanceof Error ? error.message : ''),
    );
  };

  test('is reported with every difference, in every batch, host and step: what is gone and what is new', async () => {
    const saved = planOf(
      { hosts: [hostOf('a', change('one'), change('two')), hostOf('b', change('one'))] },
      { hosts: [hostOf('c', change('three'), writing('old\n'))] },
    );
    const now = planOf(
      { hosts: [hostOf('a', change('one'), change('two', 'replace two')), hostOf('b')] },
      { hosts: [hostOf('c', change('three'), writing('new\n', 'new'), change('four'))] },
    );
    expect(await messageOf(saved, now)).toBe(
      [
        `${file} is not what would be done now:`,
        '  p / a two: saved: update two; now: replace two',
        '  p / b one: saved: update one; now: nothing to do',
        '  p / c file:/etc/x: update /etc/x: it was changed on the host since',
        '      - old',
        '      + new',
        '  p / c four: saved: nothing to do; now: update four',
      ].join('\n'),
    );
  });

  const DONE = () => `nothing of ${file} is left to do: it has been applied already, or was done otherwise`;
  const unknown: PlannedStep = { address: 'later', outcome: { kind: 'unknown', because: 'x' } };

  test('in that nothing of it is left to do says just that, whatever leads the play by now', async () => {
    const saved = planOf({ hosts: [hostOf('a', change('one'), unknown)] }, { hosts: [hostOf('b', writing('old\n'))] });
    const settled = planOf({ hosts: [hostOf('b')] }, { hosts: [hostOf('a')] });
    expect(await messageOf(saved, settled)).toBe(DONE());
    await expect(refuseDrift(file, settled)).rejects.toMatchObject({
      code: 'plan-stale',
      hint: 'nothing was changed; a new plan has no changes',
    });
  });

  test('in that only other work is left names that', async () => {
    const saved = planOf({ hosts: [hostOf('a', change('one')), hostOf('b', change('one'))] });
    const now = planOf({ hosts: [hostOf('a'), hostOf('b', change('two'))] });
    expect(await messageOf(saved, now)).toBe(
      `${DONE()}; what would be done now is not in it:\n  p / b two: update two`,
    );
  });

  test('is not done where a part of it is left, something else would be asked for, or there was nothing in it', async () => {
    const settled = planOf({ hosts: [hostOf('a'), hostOf('b')] });
    const saved = planOf({ hosts: [hostOf('a', change('one')), hostOf('b', change('one'))] });
    const differs = `${file} is not what would be done now:\n`;
    for (const [was, now] of [
      [saved, planOf({ hosts: [hostOf('a'), hostOf('b', change('one'))] })],
      [saved, planOf({ hosts: [hostOf('a'), hostOf('b', change('one', 'replace one'))] })],
      [saved, { ...settled, inventoryDigest: 'x' }],
      [saved, { ...settled, playbookDigest: 'x' }],
      [saved, { ...settled, limit: 'a' }],
      [settled, saved],
    ] as const)
      expect(await messageOf(was, now)).toContain(differs);
  });

  test('has the lines of a file below what would be done with it', async () => {
    const now: PlannedStep = { ...writing('old\nby hand\n'), address: 'file:/etc/x' };
    if (now.outcome.kind !== 'change') throw new Error('no change');
    const replaced = {
      ...now,
      outcome: { ...now.outcome, change: { ...now.outcome.change, summary: 'replace /etc/x' } },
    };
    expect(
      await messageOf(planOf({ hosts: [hostOf('a', writing('old\n'))] }), planOf({ hosts: [hostOf('a', replaced)] })),
    ).toBe(
      [
        `${file} is not what would be done now:`,
        '  p / a file:/etc/x: saved: update /etc/x; now: replace /etc/x',
        '      + by hand',
      ].join('\n'),
    );
  });

  test('names the hosts of a batch, and says none where there is none', async () => {
    expect(await messageOf(planOf({ hosts: [hostOf('a'), hostOf('b')] }, { hosts: [hostOf('c')] }), planOf())).toBe(
      `${file} is not what would be done now:\n  play p: hosts: saved: a, b; then c; now: none`,
    );
    expect(await messageOf({ ...ROLLING_RESTART, plays: [] }, planOf())).toContain('plays: saved: none; now: p');
  });

  test('is reported in one order: what the plan is made of, then the care of each play, then the steps', async () => {
    const now = planOf({ hosts: [hostOf('a')] }, { hosts: [hostOf('b', change('one'))] });
    const saved: Plan = {
      ...{ ...now, tool: '0.0.9', inventoryDigest: 'x', playbookDigest: 'y', limit: 'a' },
      plays: now.plays.map((play) => ({
        ...{ ...play, gatesBefore: ['g'], gatesAfter: ['h'], batchSize: 2, order: 'leader-last' },
        batches: [{ hosts: [hostOf('b', change('two'))] }],
      })),
    };
    const lines = (await messageOf(saved, now)).split('\n').slice(1);
    expect(lines.map((line) => line.trim().replace(/:? saved: .*/, ''))).toEqual([
      'provision',
      'the inventory',
      'the playbook, or a file that it uses',
      '--limit',
      ...['gates before', 'gates after', 'serial', 'order', 'hosts'].map((what) => `play p: ${what}`),
      'p / b two',
      'p / b one',
    ]);
  });

  test('names inventory and playbook by the first twelve digits of their digests', async () => {
    const digests = { inventoryDigest: '0123456789abcdef', playbookDigest: 'fedcba9876543210', playbook: 'x.yaml' };
    expect(await messageOf(ROLLING_RESTART, { ...ROLLING_RESTART, ...digests })).toMatch(
      /the inventory: saved: abababababab; now: 0123456789ab\n.* saved: [^ ]+ \(cdcdcdcdcdcd\); now: x\.yaml \(fedcba987654\)$/,
    );
    // The same content under another name is the same playbook.
    expect(await messageOf(ROLLING_RESTART, { ...ROLLING_RESTART, playbook: 'other.yaml' })).toBe('');
  });

  test.each<[string, string, string, RegExp]>([
    ['is no JSON', 'nonsense', 'plan-unreadable', /is not a saved plan: it is not JSON$/],
    ['is of another format', '{"formatVersion": 1}', 'plan-of-another-version', /format 1; .* reads format 3$/],
    ['has no format', '{"plays": []}', 'plan-unreadable', /is not a saved plan: formatVersion: Invalid/],
    ['has another kind of format', '{"formatVersion": "2"}', 'plan-unreadable', /is not a saved plan: formatVersion: /],
    ['is no object', '[]', 'plan-unreadable', /is not a saved plan: Invalid input/],
    ['is null', 'null', 'plan-unreadable', /is not a saved plan/],
  ])('or %s, is refused with how to make one', async (_, text, code, message) => {
    writeFileSync(file, text);
    await expect(refuseDrift(file, ROLLING_RESTART)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as unknown,
      hint: 'make one with: provision plan INVENTORY -o FILE',
    });
  });

  test.each([0o620, 0o602, 0o666])('that others may write (mode %o) is refused, whatever it says', async (mode) => {
    await savePlan(file, ROLLING_RESTART);
    chmodSync(file, mode);
    await expect(refuseDrift(file, ROLLING_RESTART)).rejects.toMatchObject({
      code: 'plan-writable-by-others',
      message: expect.stringContaining(
        `${file}: other users may write this file (mode 0${mode.toString(8)}), so`,
      ) as unknown,
      hint: expect.stringContaining(`chmod go-w ${file}`) as unknown,
    });
    for (const right of [0o600, 0o644, 0o755]) {
      chmodSync(file, right);
      await refuseDrift(file, ROLLING_RESTART);
    }
  });

  test('in nothing is read back with every kind of action', async () => {
    const owned = { owner: 'root', group: 'root', mode: '0644' };
    const actions: readonly Action[] = [
      { kind: 'write-file', path: '/a', content: plainContent('a'), ...owned },
      { kind: 'remove-file', path: '/a' },
      { kind: 'make-directory', path: '/a', ...owned },
      { kind: 'run', command: { summary: 's', script: 's', stdin: 'x', timeoutMs: 5 }, undo: { lasting: 'stays' } },
      { kind: 'run', command: { summary: 's', script: 's' }, undo: { summary: 'u', script: 'u' } },
      { kind: 'create-authority', profile: { commonName: 'ca', days: 1, keyType: 'ecdsa-p256' } },
      { kind: 'move-authority', to: 'trust-both', profile: { commonName: 'ca-2', days: 1, keyType: 'ecdsa-p256' } },
      { kind: 'keep-secret', name: 'keepalived-auth-pass' },
      ...[
        { layout: 'bundle', path: '/a' } as const,
        { layout: 'pair', certificatePath: '/c', keyPath: '/k' } as const,
      ].map((destination): Action => ({
        ...{ kind: 'issue-certificate', certificate: 'c', profile: SERVER_PROFILE, ...owned },
        destination,
      })),
      { kind: 'install-trust', path: '/a', ...owned },
      { kind: 'await', gate: 'g', parameters: { a: ['b', 1, null, true] } },
    ];
    const step: PlannedStep = {
      address: 'all',
      before: 'x',
      outcome: { kind: 'change', change: { summary: 's', diff: ['+ a'], actions, effect: 'change', disruptive: true } },
    };
    const unknown: PlannedStep = { address: 'u', outcome: { kind: 'unknown', because: 'x' } };
    const plan = planOf({ hosts: [hostOf('a', step, unknown)] });
    expect(await messageOf(plan, plan)).toBe('');
  });

  test('or is not there, is refused with the reason', async () => {
    await expect(refuseDrift(file, ROLLING_RESTART)).rejects.toMatchObject({
      code: 'plan-unreadable',
      message: `${file} is not a saved plan: it cannot be read: no such file or directory (ENOENT)`,
    });
  });

  test('or has a wrong value deep in it, is refused with the place', async () => {
    await savePlan(file, planOf({ hosts: [hostOf('a')] }, { hosts: [hostOf('b', change('one'))] }));
    const { summary, ...rest } = JSON.parse(readFileSync(file, 'utf8')) as PlanJson;
    writeFileSync(file, JSON.stringify({ ...rest, summary: { ...summary, changes: 'many' } }));
    await expect(refuseDrift(file, ROLLING_RESTART)).rejects.toMatchObject({
      code: 'plan-unreadable',
      message: expect.stringContaining(`${file} is not a saved plan: summary.changes: Invalid input`) as unknown,
    });
  });

  test('is written to be read: indented', async () => {
    await savePlan(file, ROLLING_RESTART);
    expect(readFileSync(file, 'utf8').split('\n')[1]).toBe('  "formatVersion": 3,');
  });
});

describe('the lines that changed between two plans', () => {
  const step = (...diff: readonly string[]): PlannedStep => ({
    address: 'x',
    outcome: {
      kind: 'change',
      change: { summary: 'update x', diff, actions: [], effect: 'change', disruptive: false },
    },
  });
  const plan = (...diff: readonly string[]): readonly string[] =>
    linesSince(step('--- a/x', '+++ b/x', '-old', '-old', '+wanted'), step(...diff)).map((line) => line.trim());

  test('are what came to the host and what went, as often as it did', () => {
    expect(plan('--- a/x', '+++ b/x', '-old', '-old', '+wanted')).toEqual([]);
    expect(plan('-old', '+wanted')).toEqual(['- old']);
    expect(plan('+wanted')).toEqual(['- old', '- old']);
    expect(plan('-old', '-old', '-old', '-old', '+wanted')).toEqual(['+ old', '+ old']);
    expect(plan('-old', '-old', '-by hand', '+wanted')).toEqual(['+ by hand']);
  });

  test('also by what is not wanted any more: it is there by now', () => {
    expect(plan('-old', '-old')).toEqual(['+ wanted']);
    expect(plan('-old', '-old', '+wanted', '+more')).toEqual(['- more']);
  });

  test('are in one order: first what the host had, then what is to be there', () => {
    expect(plan('-by hand', '+more')).toEqual(['- old', '- old', '- more', '+ by hand', '+ wanted']);
  });

  test('are those of what is wanted, where the host is as it was', () => {
    const told = (before: string, ...diff: readonly string[]): PlannedStep => ({ ...step(...diff), before });
    const was = told('a', '-port 1', '+port 2');
    const since = (is: PlannedStep): readonly string[] => linesSince(was, is).map((line) => line.trim());
    expect(since(told('a', '-port 1', '+port 3'))).toEqual(['- port 2', '+ port 3']);
    expect(since(told('a', '+port 2'))).toEqual(['+ port 1']);
    expect(since(told('b', '-port 0', '+port 2'))).toEqual(['- port 1', '+ port 0']);
  });

  test('count lines that look like the head of a diff, where they are none', () => {
    expect(plan('-old', '-old', '-a --- b', '+wanted')).toEqual(['+ a --- b']);
  });

  test('are at most twelve, and then a count', () => {
    const lines = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `-${index}`);
    expect(plan('-old', '-old', '+wanted', ...lines(12))).toHaveLength(12);
    expect(plan('-old', '-old', '+wanted', ...lines(13)).at(-1)).toBe('… and 1 more lines');
    // Those that went count, too.
    expect(plan('+wanted', ...lines(11)).slice(10)).toEqual(['+ 8', '+ 9', '… and 1 more lines']);
  });
});

describe('the look before acting', () => {
  test('finds what was changed since the plan, until this run itself has changed the host', () => {
    const [was, is] = [writing('old\n'), writing('old\nby hand\n')];
    expect(driftedSteps([was], [is], 'none')).toEqual([
      'file:/etc/x: update /etc/x: it was changed on the host since',
      '    + by hand',
    ]);
    expect(driftedSteps([was], [is], 'begun')).toEqual([]);
    expect(driftedSteps([was], [was], 'none')).toEqual([]);
  });

  test('shows what was done to the file besides, where another change is wanted', () => {
    const was: PlannedStep = writing('old\n');
    const other = writing('old\nby hand\n');
    const outcome = other.outcome.kind === 'change' ? other.outcome : undefined;
    if (outcome === undefined) throw new Error('no change');
    const is = { ...other, outcome: { ...outcome, change: { ...outcome.change, summary: 'replace /etc/x' } } };
    expect(driftedSteps([was], [is], 'begun')).toEqual([
      'file:/etc/x: now replace /etc/x; planned: update /etc/x',
      '    + by hand',
    ]);
  });

  test('shows at most a dozen lines', () => {
    const lines = Array.from({ length: 30 }, (_, index) => `line ${index}\n`).join('');
    const drift = driftedSteps([writing('old\n')], [writing(`old\n${lines}`)], 'none');
    expect(drift).toHaveLength(14);
    expect(drift.at(-1)).toBe('    … and 18 more lines');
  });
});
