import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, jest, test } from '@jest/globals';
import { openSnapshotIntake } from '../../src/day-two/snapshot-file.js';
import { writeManifest } from '../../src/day-two/snapshot-store.js';
import { Secret } from '../../src/model/secret.js';
import { sealedSnapshot } from '../support/sealed-snapshot.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

jest.setTimeout(60_000);

const PASSPHRASE = 'planted-passphrase';

let directory = '';

beforeEach(() => {
  directory = temporaryDirectory('verify');
  mkdirSync(join(directory, 'bin'));
  mkdirSync(join(directory, 'kept'));
});

/** A stand-in for etcdctl: it notes what it was given, and does as etcd's does. */
function standIn(more = ''): void {
  const script = `#!/bin/sh
${more}
case "$2" in
restore) sha256sum <"$3" | cut -c 1-64 >'${directory}/given'; mkdir -p "$5/member" ;;
status) printf '{"hash":1,"revision":7,"totalKey":3,"totalSize":8192}\\n' ;;
esac
`;
  writeFileSync(join(directory, 'bin', 'etcdctl'), script);
  chmodSync(join(directory, 'bin', 'etcdctl'), 0o755);
}

async function keep(passphrase: Secret | undefined): Promise<{ readonly path: string; readonly sha256: string }> {
  const path = join(directory, 'kept', 'a.db');
  const bytes = sealedSnapshot(8192);
  const intake = await openSnapshotIntake(path, passphrase, 4);
  await intake.take(bytes);
  const { bytes: size, sha256, fileBytes, fileSha256 } = await intake.complete();
  await intake.land();
  await writeManifest(path, {
    ...{ formatVersion: 1, file: 'a.db', cluster: 'prod', clusterId: '1', members: [] },
    from: { host: 'etcd-1', name: 'etcd-1', memberId: '2' },
    ...{ etcdVersion: '3.4.23', revision: 7, keys: 3, hash: 1, bytes: size, sha256, fileBytes, fileSha256 },
    encryption: passphrase === undefined ? 'none' : 'age',
    ...{ savedAt: '2026-11-26T00:00:00.000Z', savedBy: 'me@here', tool: '0.1.0' },
  });
  return { path, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** Runs the verb with just these programs beside those of the system. */
function verify(path: string): Promise<{ readonly status: number; readonly text: string }> {
  const env = {
    PATH: `${join(directory, 'bin')}:/usr/bin:/bin`,
    HOME: directory,
    PROVISION_CA_PASSPHRASE: PASSPHRASE,
  };
  const args = ['dist/main.js', 'snapshot', 'verify', path];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), text: stdout + stderr });
    });
  });
}

test.each([
  ['plain', undefined],
  ['encrypted', new Secret(PASSPHRASE)],
])('%s: a trial here gets the snapshot itself, and leaves nothing', async (_, passphrase) => {
  standIn();
  const { path, sha256 } = await keep(passphrase);
  const { status, text } = await verify(path);
  expect([status, text]).toEqual([
    0,
    expect.stringContaining('restored on trial here, and thrown away: revision 7, 3 keys'),
  ]);
  expect(readFileSync(join(directory, 'given'), 'utf8').trim()).toBe(sha256);
  expect(readdirSync(join(directory, 'kept'))).toEqual(['a.db', 'a.db.json']);
});

test('a tool that finds something else in it, or can not restore it, is believed', async () => {
  const { path } = await keep(undefined);
  standIn(`case "$2" in status) printf '{"hash":1,"revision":8,"totalKey":3,"totalSize":8192}\\n'; exit 0 ;; esac`);
  expect(await verify(path)).toMatchObject({
    status: 1,
    text: expect.stringContaining('its manifest says 7, 3 and 1'),
  });
  standIn('[ "$2" = status ] || { echo corrupt >&2; exit 3; }');
  expect(await verify(path)).toMatchObject({ status: 1, text: expect.stringContaining('corrupt') });
  expect(readdirSync(join(directory, 'kept'))).toEqual(['a.db', 'a.db.json']);
});

test('without a tool here it says where it can be tried', async () => {
  const { path } = await keep(undefined);
  const { status, text } = await verify(path);
  expect([status, text]).toEqual([1, expect.stringContaining('--on HOST')]);
});
