import { expect, test } from '@jest/globals';
import { renderDrill } from '../../../src/report/drill-text.js';
import { createStyle } from '../../../src/report/style.js';

test('gaps are shown with their resolution; what nobody noticed, and what did not come back, as such', () => {
  const gap = { longestMs: 700, stepMs: 80, isOver: true, failed: 9, attempts: 80 };
  const lines = renderDrill(
    [
      {
        service: 'haproxy',
        host: 'etcd-1',
        holder: 'etcd-2',
        observer: 'etcd-3',
        address: { ...gap, longestMs: 60, failed: 0 },
        client: { ...gap, longestMs: 3312 },
        recoveredMs: 2114,
      },
      {
        service: 'keepalived',
        host: 'etcd-2',
        holder: undefined,
        observer: 'cp-1',
        address: gap,
        client: { ...gap, longestMs: 30_000, isOver: false },
        recoveredMs: undefined,
      },
    ],
    createStyle({ colour: false }),
  );
  expect(lines).toEqual([
    'stopped               address gone     clients interrupted  now on   recovered in',
    'haproxy on etcd-1     < 0.06 s         3.31 s ± 0.08 s      etcd-2   2.11 s',
    'keepalived on etcd-2  0.70 s ± 0.08 s  > 30.00 s ± 0.08 s   no host  not yet',
    'Measured on etcd-3, then cp-1, on new connections; ± is the time between attempts.',
  ]);
});
