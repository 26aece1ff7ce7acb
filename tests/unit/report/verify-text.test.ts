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

test('what is not ok is said once more at the end, where it has scrolled away', () => {
  const ok = (count: number) =>
    Array.from(
      { length: count },
      (_, index) => ({ check: 'c', host: `h-${index}`, verdict: 'ok', evidence: `${index}` }) as const,
    );
  const bad = { check: 'etcd', host: 'etcd-2', verdict: 'fail', evidence: 'is silent', next: 'ssh etcd-2' } as const;
  const ends = (text: string): readonly string[] => text.trimEnd().split('\n').slice(-4);
  const far = ends(renderCheckUp([...ok(2), bad, ...ok(30)], { colour: false }));
  expect(far).toEqual([
    expect.stringMatching(/^✖ etcd +etcd-2 +is silent$/),
    '    → ssh etcd-2',
    '',
    'Health check: 32 ok, 1 fail',
  ]);
  const near = renderCheckUp([...ok(30), bad, ...ok(2)], { colour: false });
  expect(near.match(/is silent/g)).toHaveLength(1);
  expect(renderCheckUp(ok(40), { colour: false }).split('\n')).toHaveLength(43);
});
