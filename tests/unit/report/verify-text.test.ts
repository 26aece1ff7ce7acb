import { expect, test } from '@jest/globals';
import { renderCheckUp } from '../../../src/report/verify-text.js';

test('what hosts have in common is one line; what is not ok says what to type next', () => {
  const ok = { check: 'haproxy', verdict: 'ok', evidence: 'finds all up' } as const;
  const text = renderCheckUp(
    [
      { ...ok, host: 'etcd-1' },
      { check: 'haproxy', host: 'etcd-2', verdict: 'fail', evidence: 'is \u001b[31msilent', next: 'ssh etcd-2' },
      { ...ok, host: 'etcd-3' },
      { check: 'service', host: 'etcd-3', subject: 'etcd', verdict: 'warn', evidence: 'slow', next: 'wait' },
      { check: 'etcd-alarms', verdict: 'ok', evidence: 'none' },
    ],
    { colour: false },
  );
  expect(text).toBe(
    [
      '✔ haproxy      etcd-1, etcd-3  finds all up',
      '✖ haproxy      etcd-2          is ␛[31msilent',
      '    → ssh etcd-2',
      '! service      etcd-3          etcd: slow',
      '    → wait',
      '✔ etcd-alarms                  none',
      '',
      'Health check: 3 ok, 1 warn, 1 fail',
      '',
    ].join('\n'),
  );
});
