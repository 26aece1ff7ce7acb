import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { beforeEach, expect, test } from '@jest/globals';
import { runProgram } from '../../../src/commands/program.js';
import { snapshotDirectory, writeManifest } from '../../../src/day-two/snapshot-store.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { verbContext } from '../../support/verb-context.js';

let directory: string;
beforeEach(() => {
  directory = temporaryDirectory('snapshot-list');
});

/** What is printed. @throws ProvisionError */
async function list(place: string): Promise<string> {
  const stream = new PassThrough();
  await runProgram(verbContext(stream, ['snapshot', 'list', place], {}));
  return String(stream.read() ?? '');
}

async function keepOne(): Promise<string> {
  const kept = snapshotDirectory(directory);
  mkdirSync(kept, { recursive: true });
  const path = join(kept, 'one.db');
  writeFileSync(path, 'data');
  const sum = 'a'.repeat(64);
  await writeManifest(path, {
    ...{ formatVersion: 1, file: 'one.db', cluster: 'prod', clusterId: '1', members: [] },
    from: { host: 'etcd-1', name: 'etcd-1', memberId: '2' },
    ...{ etcdVersion: '3.4.23', revision: 7, keys: 3, hash: 1, bytes: 4, sha256: sum, fileBytes: 4, fileSha256: sum },
    ...{ encryption: 'none', savedAt: '2026-11-26T00:00:00.000Z', savedBy: 'me@here', tool: '0.1.0' },
  });
  return path;
}

test.each(['inventory.yaml', 'production'])('what was saved of %s is found by that name', async (name) => {
  const inventory = join(directory, name);
  if (name === 'production') mkdirSync(inventory);
  else writeFileSync(inventory, 'all: {}\n');
  expect(await list(inventory)).toContain('no snapshot is in ');
  const path = await keepOne();
  expect(await list(inventory)).toContain(path);
  expect(await list(snapshotDirectory(directory))).toContain(path);
});

test('a name that is not there is no cluster without snapshots; what is kept beside it is listed', async () => {
  const gone = join(directory, 'inventroy.yaml');
  await expect(list(gone)).rejects.toMatchObject({
    code: 'unreadable',
    message: `${gone}: no such file, and no snapshot is kept beside it`,
  });
  const path = await keepOne();
  expect(await list(gone)).toContain(path);
});
