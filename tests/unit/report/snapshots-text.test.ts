import { expect, test } from '@jest/globals';
import type { SnapshotList, SnapshotManifest } from '../../../src/day-two/snapshot-manifest.js';
import { renderSnapshots } from '../../../src/report/snapshots-text.js';

type Listed = SnapshotList['snapshots'][number];

const SUM = '0'.repeat(64);

function listed(clusterId: string, isThere = true, encryption: SnapshotManifest['encryption'] = 'none'): Listed {
  const manifest: SnapshotManifest = {
    ...{ formatVersion: 1, file: 'a.db', cluster: 'etcd-cluster', clusterId, members: [] },
    from: { host: 'etcd-1', name: 'etcd-1', memberId: '2' },
    ...{ etcdVersion: '3.5.16', revision: 40, keys: 3, hash: 1, bytes: 1_572_864, sha256: SUM, encryption },
    ...{ fileBytes: 1, fileSha256: SUM, savedAt: '2026-11-26T00:00:00.000Z', savedBy: 'me@here', tool: '0.1.0' },
  };
  return { path: '/s/a.db', isThere, manifest };
}

const FACTS = '2026-11-26T00:00:00.000Z  revision 40  1.5 MiB  etcd 3.5.16  from etcd-1';

test('snapshots of one cluster are listed with their time and place', () => {
  expect(renderSnapshots('/s', [listed('77')])).toBe(`${FACTS}\n  /s/a.db\n`);
  expect(renderSnapshots('/s', [listed('77', true, 'age')])).toBe(`${FACTS}  encrypted\n  /s/a.db\n`);
  expect(renderSnapshots('/s', [listed('77', false)])).toContain('  MISSING, or of another size than');
  expect(renderSnapshots('/s', [])).toBe('no snapshot is in /s\n');
});

test('of several clusters each has its id, as etcdctl prints it', () => {
  const text = renderSnapshots('/s', [listed('77'), listed('14841639068965178418', true, 'age')]);
  expect(text).toBe(`${FACTS}  cluster 4d\n  /s/a.db\n${FACTS}  cluster cdf818194e3a8c32, encrypted\n  /s/a.db\n`);
});
