import { describe, expect, test } from '@jest/globals';
import { reportOf, type RunRecord } from '../../../../src/report/page/run-report.js';
import { renderHtml } from '../../../../src/report/page/render-html.js';
import { renderJunit } from '../../../../src/report/page/render-junit.js';
import { renderMarkdown } from '../../../../src/report/page/render-markdown.js';
import { expectGolden } from '../../../support/golden.js';
import { PLANTED, SECRETS_AND_ESCAPES, THIRTY_HOSTS } from '../../../support/sample-plans.js';
import {
  BEHIND_VIRTUAL_IP,
  checkUpRecord,
  DIRECT,
  ITEMS,
  LATENCY,
  recordOf,
  recordWith,
} from '../../../support/sample-records.js';
import { DRILL_RUN, FAILING_RUN, PLANNING_RUN, ROLLING_RUN } from '../../../support/sample-runs.js';

const FORMATS = [
  ['md', renderMarkdown],
  ['xml', renderJunit],
  ['html', renderHtml],
] as const;

const RECORDS: readonly (readonly [string, RunRecord])[] = [
  [
    'planning',
    recordOf('plan', PLANNING_RUN, { before: DIRECT, after: { ...BEHIND_VIRTUAL_IP, external: undefined } }),
  ],
  ['rolling', recordOf('apply', ROLLING_RUN, { before: BEHIND_VIRTUAL_IP, after: BEHIND_VIRTUAL_IP })],
  ['failing', recordOf('apply', FAILING_RUN)],
  ['drill', recordOf('drill', DRILL_RUN, { before: BEHIND_VIRTUAL_IP })],
  ['verify', checkUpRecord(ITEMS, { latency: LATENCY, before: BEHIND_VIRTUAL_IP })],
];

describe.each(FORMATS)('as %s', (extension, render) => {
  test.each(RECORDS)('%s', (name, record) => {
    expectGolden(`fixtures/reports/${name}.${extension}`, render(reportOf(record)));
  });

  test('has no secret of a plan, and would show one', () => {
    const run = (text: string): string => {
      const events = [
        { type: 'run-started', command: 'plan', inventory: 'hosts.yml', hosts: ['etcd-1'] },
        { type: 'planned', plan: SECRETS_AND_ESCAPES },
        { type: 'notice', message: text },
      ] as const;
      return render(reportOf(recordOf('plan', events)));
    };
    expect(run('fine')).not.toContain(PLANTED);
    expect(run('fine')).toContain('[redacted]');
    expect(run(PLANTED)).toContain(PLANTED);
  });

  test('shows every text of others where it has a place', () => {
    const shown = render(reportOf(recordWith('MARK')));
    // Each field of the record that has a text of others; the title and the address of a box are two.
    expect(shown.split('MARK').length).toBeGreaterThan(extension === 'xml' ? 20 : 40);
  });

  test('draws hosts together that get the same', () => {
    const shown = render(
      reportOf(
        recordOf('plan', [
          { type: 'planned', plan: THIRTY_HOSTS },
          { type: 'run-finished', result: { changed: 0, unchanged: 95, failed: 0, elapsedMs: 10 } },
        ]),
      ),
    );
    if (extension !== 'xml') expect(shown.split('maxconn 1000').length - 1).toBe(2);
  });
});
