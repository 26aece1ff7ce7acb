import { join } from 'node:path';
import { beforeEach, expect, test } from '@jest/globals';
import { passphraseForNext } from '../../../src/commands/keep-snapshot.js';
import type { SnapshotManifest } from '../../../src/day-two/snapshot-manifest.js';
import { snapshotDirectory, writeManifest } from '../../../src/day-two/snapshot-store.js';
import { Secret } from '../../../src/model/secret.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

// A snapshot that a plan takes, before a member is replaced, is kept as the others of its cluster are.

const PASSPHRASE = new Secret('planted-passphrase');
const SOURCE = {
  opening: () => Promise.reject(new Error('nothing is opened')),
  chosen: () => Promise.resolve(PASSPHRASE),
};

let directory: string;

beforeEach(() => {
  directory = temporaryDirectory('keep-snapshot');
});

const memberAt = (address: string) => ({ name: 'etcd-1', peerUrls: [`https://${address}:2380`] });

async function saved(day: string, changes: Partial<SnapshotManifest>): Promise<void> {
  const file = `etcd-${day}.db`;
  const sum = '0'.repeat(64);
  await writeManifest(join(snapshotDirectory(directory), file), {
    ...{
      formatVersion: 1,
      file,
      cluster: 'etcd-cluster',
      clusterId: '1',
      members: [memberAt('10.0.0.1')],
      etcdVersion: '3.5.16',
    },
    ...{
      from: { host: 'etcd-1', name: 'etcd-1', memberId: '2' },
      revision: 1,
      keys: 1,
      hash: 1,
      bytes: 1,
      sha256: sum,
    },
    ...{ encryption: 'none', fileBytes: 1, fileSha256: sum, savedAt: `${day}T00:00:00Z`, savedBy: 'x', tool: 'x' },
    ...changes,
  });
}

const next = () => passphraseForNext(join(directory, 'hosts.yaml'), { members: SAMPLE_CLUSTER.members }, SOURCE);

test('is not encrypted where none was saved yet, nor where the newest one is not', async () => {
  expect(await next()).toBeUndefined();
  await saved('2026-11-01', { encryption: 'age' });
  await saved('2026-11-02', {});
  expect(await next()).toBeUndefined();
});

test('is encrypted where the newest one of the same cluster is', async () => {
  await saved('2026-11-01', {});
  await saved('2026-11-02', { encryption: 'age' });
  await saved('2026-11-03', { members: [memberAt('10.9.9.9')] });
  expect(await next()).toBe(PASSPHRASE);
});
