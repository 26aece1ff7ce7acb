import { expect, test } from '@jest/globals';
import type { ClusterResult } from '../../../../src/fleet/fleet-schema.js';
import { fleetRecord } from '../../../../src/report/fleet-record.js';
import { clusterTone, fleetVerdict } from '../../../../src/report/page/fleet-clusters.js';
import { renderHtml } from '../../../../src/report/page/render-html.js';
import { renderJunit } from '../../../../src/report/page/render-junit.js';
import { renderMarkdown } from '../../../../src/report/page/render-markdown.js';
import { reportOf } from '../../../../src/report/page/run-report.js';

function cluster(
  name: string,
  outcome: ClusterResult['outcome'],
  more: Pick<ClusterResult, 'changes' | 'summary'> & { readonly hint?: string },
): ClusterResult {
  return { cluster: name, inventory: `${name}.yaml`, outcome, elapsedMs: 1000, hint: null, ...more };
}

const QUIET = cluster('quiet', 'ok', { changes: 0, summary: 'no changes' });
const CHANGING = cluster('changing', 'ok', { changes: 3, summary: '3 changes on 1 host, 1 disruptive' });
const LOCKED = cluster('locked', 'locked', { changes: null, summary: 'another run has it', hint: 'wait for that' });
const LATER = cluster('later', 'not-started', { changes: null, summary: 'not started: 1 failed before' });

test.each([
  ['nothing to do', [QUIET], 'good', '1 cluster: 1 ok'],
  ['changes', [QUIET, CHANGING], 'watch', '2 clusters: 2 ok (1 with changes)'],
  ['one that failed', [QUIET, LOCKED], 'bad', '2 clusters: 1 ok, 1 failed'],
  ['one that was not started', [QUIET, LATER], 'watch', '2 clusters: 1 ok, 1 not started'],
  [
    'all of them',
    [QUIET, CHANGING, LOCKED, LATER],
    'bad',
    '4 clusters: 2 ok (1 with changes), 1 failed, 1 not started',
  ],
  ['none', [], 'good', 'no cluster to work on'],
])('a fleet with %s', (_, clusters, tone, text) => {
  expect(fleetVerdict('fleet plan', clusters)).toEqual({ tone, text: `fleet plan: ${text}` });
});

test.each(['failed', 'locked', 'unreachable', 'stale', 'unsafe', 'stopped'] as const)('%s is bad', (outcome) => {
  expect(clusterTone(cluster('x', outcome, { changes: null, summary: '' }))).toBe('bad');
});

test('the reports show changes, what to do next, and skip what was not started', () => {
  const fleet = { formatVersion: 1, verb: 'plan', directory: 'clusters', elapsedMs: 1 } as const;
  const run = { tool: '0', by: undefined, begun: '2026-01-01T00:00:00Z', ended: '2026-01-01T00:00:01Z' };
  const report = reportOf(fleetRecord({ ...fleet, clusters: [QUIET, CHANGING, LOCKED, LATER] }, run));
  const markdown = renderMarkdown(report);
  const [shown = '', folded = ''] = markdown.split('<details>');
  for (const name of ['changing', 'locked', 'later']) expect(shown).toContain(`<code>${name}</code>`);
  expect(shown).toContain('<code>wait for that</code>');
  expect(folded).toContain('<code>quiet</code>');
  const junit = renderJunit(report);
  expect(junit).toMatch(/name="locked"[^>]* failures="1"/);
  expect(junit).toMatch(/name="later"[^>]* failures="0" errors="0" skipped="1"/);
  expect(junit).toMatch(/name="changing"[^>]* failures="0" errors="0" skipped="0"/);
  expect(renderHtml(report)).toContain('<td class="watch">ok</td><td>changing</td>');
});
