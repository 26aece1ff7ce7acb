import { describe, expect, test } from '@jest/globals';
import { EXIT } from '../../../src/model/errors.js';
import type { Event } from '../../../src/model/events.js';
import { clusterResult } from '../../../src/report/fleet-result.js';
import { createNdjsonReporter } from '../../../src/report/ndjson.js';
import { BARE_HOSTS, ROLLING_RESTART } from '../../support/sample-plans.js';
import { FAILING_RUN, ROLLING_RUN } from '../../support/sample-runs.js';

function printed(events: readonly Event[]): string {
  let text = '';
  const reporter = createNdjsonReporter(
    (line) => (text += line),
    () => new Date(0),
  );
  for (const event of events) reporter.sink(event);
  return text;
}

const end = (code: number | null, stdout: string, stderr = ''): Parameters<typeof clusterResult>[1] => ({
  code,
  stdout,
  stderr,
});
const finished = (changed: number): Event => ({
  type: 'run-finished',
  result: { changed, unchanged: 1, failed: 0, elapsedMs: 5 },
});

describe('what came of a plan or an apply', () => {
  test('is how many changes there are, where, and what can be felt', () => {
    const told = clusterResult('plan', end(0, printed([{ type: 'planned', plan: BARE_HOSTS }, finished(0)])));
    expect(told.outcome).toBe('ok');
    expect(told).toMatchObject({ changes: 14, summary: '9 changes on 3 hosts, 5 known after apply' });
    const rolling: Event = { type: 'planned', plan: ROLLING_RESTART };
    expect(clusterResult('plan', end(0, printed([rolling, finished(0)]))).summary).toMatch(/, \d+ disruptive$/);
    const nothing: Event = { type: 'planned', plan: { ...BARE_HOSTS, plays: [] } };
    expect(clusterResult('plan', end(0, printed([nothing, finished(0)])))).toMatchObject({
      changes: 0,
      summary: 'no changes',
    });
  });

  test('is what was performed', () => {
    const told = clusterResult('apply', end(0, printed(ROLLING_RUN)));
    expect(told).toMatchObject({ outcome: 'ok', summary: expect.stringMatching(/^\d+ changes performed$/) as unknown });
  });

  test('is the first failure, with its host, and how many more there are', () => {
    expect(clusterResult('apply', end(EXIT.failed, printed(FAILING_RUN)))).toMatchObject({
      outcome: 'failed',
      changes: null,
      summary: 'etcd-2: restart etcd: ended with status 1',
    });
    const failures = ['a', 'b', 'c'].map((host) => ({ host, message: `no room\nmore of ${host}` }));
    const away: Event = { type: 'run-failed', kind: 'unreachable', message: 'stopped', failures, hint: 'look' };
    expect(clusterResult('plan', end(EXIT.unreachable, printed([away])))).toEqual({
      ...{ outcome: 'unreachable', changes: null, hint: 'look' },
      summary: 'a: no room (and 2 more)',
    });
  });

  test('has the first of what its first line announces', () => {
    const message = 'a.plan is not what would be done now:\n  plays: saved: none; now: etcd\n  more';
    const stale: Event = { type: 'run-failed', kind: 'stale', message, failures: [{ message }], hint: 'look' };
    expect(clusterResult('apply', end(EXIT.stale, printed([stale])))).toMatchObject({
      summary: 'a.plan is not what would be done now: plays: saved: none; now: etcd',
    });
  });

  test.each([
    [EXIT.locked, 'locked'],
    [EXIT.unreachable, 'unreachable'],
    [EXIT.stale, 'stale'],
    [EXIT.unsafe, 'unsafe'],
    [EXIT.stopped, 'stopped'],
    [EXIT.failed, 'failed'],
    [99, 'failed'],
  ])('is named after its exit code: %d %s', (code, outcome) => {
    expect(clusterResult('plan', end(code, ''))).toMatchObject({ outcome });
  });

  test('is a failure where the process was killed, or said nothing that can be read', () => {
    expect(clusterResult('plan', end(null, '', 'x\nout of memory\n'))).toMatchObject({
      outcome: 'failed',
      summary: 'its process was killed: out of memory',
    });
    expect(clusterResult('plan', end(0, 'no JSON'))).toMatchObject({
      outcome: 'failed',
      summary: 'its process ended with 0: ',
    });
    expect(clusterResult('apply', end(0, printed([{ type: 'planned', plan: BARE_HOSTS }])))).toMatchObject({
      outcome: 'failed',
    });
  });
});

describe('what came of a check-up', () => {
  const items = (...verdicts: readonly ('ok' | 'warn' | 'fail')[]): string =>
    JSON.stringify({
      formatVersion: 1,
      inventory: 'x',
      items: verdicts.map((verdict, index) => ({
        check: 'etcd-member',
        host: `h${index}`,
        verdict,
        evidence: 'seen',
        next: 'look',
      })),
    });

  test.each([
    [['ok', 'ok'], 0, { outcome: 'ok', summary: 'healthy', hint: null }],
    [['ok', 'warn'], 0, { outcome: 'ok', summary: 'healthy, 1 warning' }],
    [['ok', 'fail'], 1, { outcome: 'failed', summary: 'etcd-member h1: seen', hint: 'look' }],
    [['fail', 'warn', 'fail'], 1, { outcome: 'failed', summary: 'etcd-member h0: seen (and 1 more)' }],
  ] as const)('%j', (verdicts, code, expected) => {
    expect(clusterResult('verify', end(code, items(...verdicts)))).toMatchObject({ ...expected, changes: null });
  });

  test('that could not be made is how it failed', () => {
    const failures = [{ host: null, code: 'input-invalid', message: 'etcd_port: no port' }];
    const text = JSON.stringify({ formatVersion: 1, failed: { kind: 'failed', message: 'x', failures, hint: null } });
    expect(clusterResult('verify', end(1, text))).toMatchObject({ outcome: 'failed', summary: 'etcd_port: no port' });
  });
});
