import { expect, test } from '@jest/globals';
import { renderLatency } from '../../../src/report/latency-text.js';

test('a table, a row each way; what failed is below it', () => {
  const figures = { count: 299, p50Ms: 0.912, p99Ms: 12.3456 };
  const text = renderLatency(
    {
      host: 'cp-1',
      ways: [
        { way: 'virtual IP', url: 'https://10.0.0.100:2379', reads: figures, connections: { ...figures, count: 100 } },
        { way: 'etcd-1', url: 'https://10.0.0.1:2379', connections: figures, problem: 'answers\u001b[2J 403' },
      ],
    },
    { colour: false },
  );
  expect(text.split('\n')).toEqual([
    'way to etcd                 read p50  read p99  new connection p50       p99',
    'virtual IP 10.0.0.100:2379   0.91 ms  12.35 ms             0.91 ms  12.35 ms',
    'etcd-1 10.0.0.1:2379               -         -             0.91 ms  12.35 ms',
    '! etcd-1: answers␛[2J 403',
    'Measured on cp-1: 0 to 299 linearised reads on one connection, then 100 to 299 new TLS connections, each way.',
    '',
  ]);
});
