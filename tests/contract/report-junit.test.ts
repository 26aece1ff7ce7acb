import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { renderJunit } from '../../src/report/page/render-junit.js';
import { reportOf, type RunRecord } from '../../src/report/page/run-report.js';
import { describeWith } from '../support/describe-with.js';
import { PLANTED } from '../support/sample-plans.js';
import { BEHIND_VIRTUAL_IP, checkUpRecord, HOSTILE, ITEMS, recordOf, recordWith } from '../support/sample-records.js';
import { DRILL_RUN, FAILING_RUN, PLANNING_RUN, ROLLING_RUN, UNREACHABLE_RUN } from '../support/sample-runs.js';

const describeHere = describeWith('xmllint');

function xmllint(words: readonly string[], xml: string) {
  return spawnSync('xmllint', [...words, '-'], { input: xml, encoding: 'utf8' });
}

/** What an XML parser finds at a place. */
function find(xml: string, path: string): string {
  const { status, stdout, stderr } = xmllint(['--xpath', path], xml);
  if (status !== 0) throw new Error(stderr);
  return stdout.replace(/\n$/, '');
}

const RECORDS: readonly (readonly [string, RunRecord])[] = [
  ['a plan', recordOf('plan', PLANNING_RUN)],
  ['a run', recordOf('apply', ROLLING_RUN, { before: BEHIND_VIRTUAL_IP })],
  ['a run that failed', recordOf('apply', FAILING_RUN)],
  ['a plan without a host', recordOf('plan', UNREACHABLE_RUN)],
  ['a drill', recordOf('drill', DRILL_RUN)],
  ['a health check', checkUpRecord(ITEMS)],
  ['a run that ended in its middle', recordOf('apply', ROLLING_RUN.slice(0, 14))],
  ['nothing', recordOf('apply', [])],
  ['a run of which a host says what it likes', recordWith(HOSTILE)],
];

describeHere('the XML of', () => {
  test.each(RECORDS)('%s is what CI systems read', (_, record) => {
    const xml = renderJunit(reportOf(record));
    const { status, stderr } = xmllint(['--noout', '--schema', 'fixtures/junit.xsd'], xml);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '- validates\n' });
    expect(Number(find(xml, 'count(//testcase)'))).toBe(Number(find(xml, 'number(/testsuites/@tests)')));
    expect(Number(find(xml, 'count(//failure)'))).toBe(Number(find(xml, 'sum(//testsuite/@failures)')));
  });
});

describeHere('another XML', () => {
  test('is none', () => {
    const xml = renderJunit(reportOf(recordOf('plan', PLANNING_RUN)));
    const check = (text: string) => xmllint(['--noout', '--schema', 'fixtures/junit.xsd'], text).status;
    expect(check(xml.replace(' time="', ' took="'))).not.toBe(0);
    expect(check(xml.replace('</system-out>', '\u0001</system-out>'))).not.toBe(0);
    expect(check(xml.replace('</system-out>', '</a></system-out>'))).not.toBe(0);
  });
});

describeHere('read again', () => {
  test('hosts are suites, steps are cases, and a failure has its output', () => {
    const xml = renderJunit(reportOf(recordOf('apply', FAILING_RUN)));
    const suite = '//testsuite[@name="etcd-2"]';
    expect(find(xml, `string(${suite}/@failures)`)).toBe('1');
    const name = 'service:etcd: restart etcd';
    expect(find(xml, `string(${suite}/testcase[@name="${name}"]/failure/@message)`)).toBe(
      'etcd-2: restart etcd: ended with status 1',
    );
    expect(find(xml, `string(${suite}/testcase[@name="${name}"]/failure)`)).toContain('address already in use');
    const cut = '//testsuite[@name="etcd-3"]/testcase[@name="package:etcd: install etcd-server"]';
    expect(find(xml, `string(${cut}/skipped/@message)`)).toMatch(/^was in progress/);
    expect(find(xml, 'string(//testsuite[@name="the run"]/testcase/failure/@message)')).toMatch(/^play etcd stopped/);
  });

  test('what is known only after apply is skipped, with its reason', () => {
    const xml = renderJunit(reportOf(recordOf('plan', PLANNING_RUN)));
    expect(find(xml, 'string(//testsuite[@name="cp-1"]/testcase/skipped/@message)')).toBe(
      'known after apply: nothing answers at https://192.0.2.10:2379 yet',
    );
    expect(find(xml, 'count(//testsuite[@name="etcd-1"]/testcase/system-out)')).toBe('3');
  });

  test('a broken check fails, and a warning is listed and passes', () => {
    const xml = renderJunit(reportOf(checkUpRecord(ITEMS)));
    expect(find(xml, 'string(//testsuite[@name="etcd-3"]/testcase/failure)')).toMatch(/connection refused\nnext: ssh/);
    expect(find(xml, 'string(//testsuite[@name="etcd-2"]/testcase/system-out)')).toMatch(/^warning: ends in 20 days/);
    expect(find(xml, 'string(/testsuites/@failures)')).toBe('1');
  });

  test('a text of a host is that text, but for what XML has not', () => {
    const xml = renderJunit(reportOf(recordWith(HOSTILE)));
    const text = find(xml, 'string(//testsuite[2]/@name)') || find(xml, 'string(//testsuite[1]/@name)');
    const seen = HOSTILE.replace('\u001b', '␛').replace('\u0007', '␇').replace('\u0000', '␀');
    expect([text, find(xml, 'string(//testsuite[1]/@name)')]).toContain(
      seen.replaceAll(/\uFFFE|\uD800|\u202e/g, '\uFFFD'),
    );
    expect(xml).not.toContain(PLANTED);
  });
});
