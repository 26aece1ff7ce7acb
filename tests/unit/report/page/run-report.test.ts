import { describe, expect, test } from '@jest/globals';
import type { Event, RunCommand } from '../../../../src/model/events.js';
import { timelineSvg } from '../../../../src/report/page/charts.js';
import { gfm } from '../../../../src/report/page/markdown.js';
import { isReport, REPORT_MARK } from '../../../../src/report/page/report-mark.js';
import { gateWords } from '../../../../src/report/page/report-words.js';
import { renderJunit } from '../../../../src/report/page/render-junit.js';
import { reportOf, type RunRecord } from '../../../../src/report/page/run-report.js';
import { stepGroups } from '../../../../src/report/page/step-groups.js';
import { BARE_HOSTS, NOTHING_TO_DO, ROLLING_RESTART } from '../../../support/sample-plans.js';
import { BEHIND_VIRTUAL_IP, checkUpRecord, DIRECT, ITEMS, recordOf } from '../../../support/sample-records.js';
import { DRILL_RUN, FAILING_RUN, ROLLING_RUN } from '../../../support/sample-runs.js';

const FINISHED: Event = { type: 'run-finished', result: { changed: 0, unchanged: 3, failed: 0, elapsedMs: 1 } };

const WITHOUT_ONE = { ...NOTHING_TO_DO, away: [{ host: 'etcd-9', because: 'no route to <etcd-9>' }] };

function report(command: RunCommand, events: readonly Event[], more: Partial<RunRecord> = {}) {
  return reportOf(recordOf(command, events, more));
}

/** `host address: end`, of the steps that have another end than most. */
function endsOf(steps: ReturnType<typeof report>['steps']): readonly string[] {
  return steps.map(({ host, address, end }) => `${host} ${address}: ${end}`);
}

describe('what became of a step', () => {
  const [one] = ROLLING_RESTART.plays[1]?.batches.map(({ hosts }) => hosts[0]?.host ?? '') ?? [];

  test('of a plan: it is planned, or known after apply', () => {
    const { steps } = report('plan', [{ type: 'planned', plan: BARE_HOSTS }, FINISHED]);
    expect(endsOf(steps).filter((each) => each.startsWith('etcd-1'))).toEqual([
      'etcd-1 package:etcd-server: planned',
      'etcd-1 file:/etc/default/etcd: planned',
      'etcd-1 certificate:etcd-server: planned',
      'etcd-1 service:etcd: unknown',
    ]);
  });

  test('of a run that came to its end without it: nothing had to be done', () => {
    const at = { play: 'kube-apiserver', host: 'cp-1', address: 'static-pod:kube-apiserver', summary: 'moved' };
    const { steps } = report('apply', [
      { type: 'planned', plan: BARE_HOSTS },
      { type: 'change-started', ...at },
      { type: 'change-done', ...at, elapsedMs: 40 },
      FINISHED,
    ]);
    const control = steps.filter(({ play }) => play === 'kube-apiserver');
    expect(endsOf(control)).toEqual([
      'cp-1 static-pod:kube-apiserver: done',
      'cp-2 static-pod:kube-apiserver: unchanged',
    ]);
    // What it came to, in place of why it was not known.
    expect(control[0]).toMatchObject({ summary: 'moved', elapsedMs: 40 });
  });

  test('of a run that was cut off: what was in progress, and what was never begun', () => {
    const at = { play: 'etcd', host: one ?? '', address: 'file:/etc/default/etcd', summary: 'change it' };
    const { steps } = report('apply', [
      { type: 'planned', plan: ROLLING_RESTART },
      { type: 'change-started', ...at },
    ]);
    expect(endsOf(steps).slice(0, 2)).toEqual([
      `${one ?? ''} file:/etc/default/etcd: interrupted`,
      `${one ?? ''} service:etcd: not performed`,
    ]);
  });

  test('that no plan had, as it was decided during the run', () => {
    const { steps } = report('apply', FAILING_RUN);
    expect(endsOf(steps)).toEqual([
      'etcd-3 package:etcd: interrupted',
      'etcd-1 package:etcd: done',
      'etcd-2 file:/etc/default/etcd: done before a roll-back',
      'etcd-2 service:etcd: failed',
    ]);
    // With the output that only the end of the run has.
    expect(steps[3]?.message).toContain('address already in use');
    expect(steps[2]?.message).toBeUndefined();
  });
});

describe('the verdict', () => {
  test.each<[string, ReturnType<typeof reportOf>]>([
    [
      'good plan: no changes; 3 hosts looked at, 36 unchanged',
      report('plan', [{ type: 'planned', plan: NOTHING_TO_DO }, FINISHED]),
    ],
    [
      'good plan: 9 changes on 3 hosts, 5 known after apply, 3 unchanged',
      report('plan', [{ type: 'planned', plan: BARE_HOSTS }, FINISHED]),
    ],
    [
      'watch plan: no changes; 3 hosts looked at, 36 unchanged; made without 1 host',
      report('plan', [{ type: 'planned', plan: WITHOUT_ONE }, FINISHED]),
    ],
    [
      'watch apply: no changes were needed; made without 1 host',
      report('apply', [{ type: 'planned', plan: WITHOUT_ONE }, FINISHED]),
    ],
    ['watch verify: nothing was checked', reportOf(checkUpRecord([]))],
    [
      'watch plan: 6 changes on 3 hosts, 3 disruptive, 33 unchanged',
      report('plan', [{ type: 'planned', plan: ROLLING_RESTART }, FINISHED]),
    ],
    ['good apply: no changes were needed', report('apply', [{ type: 'planned', plan: NOTHING_TO_DO }, FINISHED])],
    ['good apply: 6 changes performed', report('apply', ROLLING_RUN)],
    ['bad apply: the run has not come to its end', report('apply', ROLLING_RUN.slice(0, -1))],
    ['bad apply did not succeed: play etcd stopped; no later host was touched', report('apply', FAILING_RUN)],
    ['good drill: 1 fail-over measured, all restored', report('drill', [...DRILL_RUN.slice(0, -1), FINISHED])],
    ['bad verify: not healthy; 4 checks: 2 ok, 1 warning, 1 failed', reportOf(checkUpRecord(ITEMS))],
    [
      'watch verify: healthy, with warnings; 3 checks: 2 ok, 1 warning, 0 failed',
      reportOf(checkUpRecord(ITEMS.filter(({ verdict }) => verdict !== 'fail'))),
    ],
    [
      'good verify: healthy; 2 checks: 2 ok, 0 warnings, 0 failed',
      reportOf(checkUpRecord(ITEMS.filter(({ verdict }) => verdict === 'ok'))),
    ],
  ])('%s', (expected, { verdict: { tone, text, detail } }) => {
    expect(`${tone} ${text}${detail === undefined ? '' : `: ${detail}`}`).toBe(expected);
  });
});

test('what was rolled back is no test that passed', () => {
  const xml = renderJunit(report('apply', FAILING_RUN));
  const [own = ''] = xml.match(/<testsuite id="\d+" name="etcd-2"[^]*?<\/testsuite>/) ?? [];
  expect(own).toContain('<skipped message="was done, and then rolled back after a failure on its host"/>');
  expect(own).not.toContain('<system-out>');
});

test('a host that a plan was made without is no test that passed', () => {
  const xml = renderJunit(report('plan', [{ type: 'planned', plan: WITHOUT_ONE }, FINISHED]));
  expect(xml).toContain('name="etcd-9" hostname="etcd-9"');
  expect(xml).toContain('<skipped message="made without it: no route to &lt;etcd-9&gt;"/>');
});

describe('the timeline', () => {
  test('has what each host did, and when', () => {
    const { hosts } = report('apply', FAILING_RUN);
    expect(
      hosts.map(({ host, spans }) => [host, spans.map(({ kind, fromMs, toMs }) => `${kind} ${fromMs}-${toMs}`)]),
    ).toEqual([
      ['etcd-1', ['done 2800-3500']],
      ['etcd-2', ['done 4200-4900', 'failed 6300-7000', 'rolled back 7700-7700']],
      ['etcd-3', ['interrupted 2100-9100']],
    ]);
  });

  test('draws a hundred hosts, the gates, and what is too short to be seen', () => {
    const row = (index: number) => ({
      host: `node-${index}`,
      spans: [{ kind: 'look' as const, label: 'look', fromMs: 0, toMs: 1 }],
    });
    const many = Array.from({ length: 101 }, (_, index) => row(index));
    const gate = { gate: 'etcd-healthy', hosts: [], fromMs: 0, toMs: 500, reasons: [], isOpen: true, note: undefined };
    const { markup } = timelineSvg({ hosts: many, gates: [gate], elapsedMs: 1_000_000 });
    expect(markup).toContain('>node-99<');
    expect(markup).not.toContain('>node-100<');
    expect(markup).toContain('>gates<');
    expect(markup).toMatch(/class="bar look" x="190" y="26" width="2"/);
    expect(timelineSvg({ hosts: many, gates: [], elapsedMs: 0 }).markup).not.toMatch(/gates|NaN|Infinity/);
  });
});

test('gates have their wait, each reason once, and that they did not open', () => {
  const at = { gate: 'vip-answers: etcd', hosts: ['etcd-1'] };
  const { gates } = report('apply', [
    { type: 'run-started', command: 'apply', inventory: 'x', hosts: ['etcd-1'] },
    { type: 'gate-waiting', ...at, reason: 'silent' },
    { type: 'gate-waiting', ...at, reason: 'silent' },
    { type: 'gate-waiting', ...at, hosts: ['etcd-2'], reason: 'refused' },
    { type: 'gate-waiting', ...at, reason: 'slow' },
    { type: 'gate-opened', ...at, waitedMs: 2000, note: 'etcd-1 holds it' },
    { type: 'gate-opened', gate: 'etcd-healthy', hosts: ['etcd-1'], waitedMs: 20 },
  ]);
  expect(gates.map((each) => [each.gate, each.fromMs, gateWords(each)])).toEqual([
    ['vip-answers: etcd', 1500, 'open after 2.0 s (etcd-1 holds it): silent; then slow'],
    ['etcd-healthy', 4180, 'open'],
    ['vip-answers: etcd', 2100, 'did not open within 2.8 s: refused'],
  ]);
});

test('hosts that get the same are one group, with each end where it differs', () => {
  const groups = stepGroups(report('apply', ROLLING_RUN.slice(0, 24)));
  expect(groups.map(({ play, hosts, steps }) => [play, hosts, steps.map(({ ends }) => ends)])).toEqual([
    [
      'etcd',
      ['etcd-2', 'etcd-3', 'etcd-1'],
      ['done on etcd-2, etcd-3; not performed on etcd-1', 'done on etcd-2; not performed on etcd-3, etcd-1'],
    ],
  ]);
  expect(groups[0]?.steps[0]?.variants.map(({ hosts }) => hosts)).toEqual([['etcd-2'], ['etcd-3'], ['etcd-1']]);
});

test('pictures before and after are two only where they differ', () => {
  const same = report('apply', [FINISHED], { before: DIRECT, after: { ...DIRECT } });
  expect([same.before, same.after]).toEqual([DIRECT, undefined]);
  expect(report('apply', [FINISHED], { before: DIRECT, after: BEHIND_VIRTUAL_IP }).after).toBe(BEHIND_VIRTUAL_IP);
});

test('a journal that lost its beginning has no time, and is reported all the same', () => {
  expect(reportOf({ ...recordOf('apply', [FINISHED]), begun: '' }).elapsedMs).toBe(0);
  expect(reportOf({ ...recordOf('apply', [FINISHED]), ended: '2026-11-26T08:59:00.000Z' }).elapsedMs).toBe(0);
});

test('a report is known by its mark, near its beginning', () => {
  expect(isReport(`<?xml version="1.0"?>\n<!-- ${REPORT_MARK} -->`)).toBe(true);
  expect(isReport(`${' '.repeat(400)}<!-- ${REPORT_MARK} -->`)).toBe(true);
  expect(isReport(`${' '.repeat(512)}<!-- ${REPORT_MARK} -->`)).toBe(false);
  expect(isReport(`# About ${REPORT_MARK}`)).toBe(false);
});

test('a long text is cut where it is one line of Markdown', () => {
  expect(gfm`${'x'.repeat(300)}`.markdown).toBe(`<code>${'x'.repeat(300)}</code>`);
  expect(gfm`${'x'.repeat(301)}`.markdown).toBe(
    `<code>${'x'.repeat(300)}… &#40;1 more characters&#41;</code>`.replace('…', '&#8230;'),
  );
});
