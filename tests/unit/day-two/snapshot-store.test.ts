import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { checkSnapshot } from '../../../src/day-two/check-snapshot.js';
import { openSnapshotIntake, readSnapshot } from '../../../src/day-two/snapshot-file.js';
import { snapshotListSchema, type SnapshotManifest } from '../../../src/day-two/snapshot-manifest.js';
import { listSnapshots, removeOldSnapshots, writeManifest } from '../../../src/day-two/snapshot-store.js';
import { Secret } from '../../../src/model/secret.js';
import type { PassphraseSource } from '../../../src/pki/passphrase.js';
import { sealedSnapshot } from '../../support/sealed-snapshot.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

let directory = '';

beforeEach(() => {
  directory = temporaryDirectory('snapshots');
});

/** Little work: nobody guesses here. */
const LOG_N = 4;
const PASSPHRASE = new Secret('correct horse');
const source = sourceOf(PASSPHRASE);

function sourceOf(passphrase: Secret): PassphraseSource {
  return { opening: (_, open) => open(passphrase), chosen: () => Promise.resolve(passphrase) };
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function keep(
  name: string,
  more: Partial<SnapshotManifest> = {},
  passphrase?: Secret,
): Promise<{ readonly path: string; readonly bytes: Buffer }> {
  const path = join(directory, name);
  const bytes = sealedSnapshot(8192);
  const intake = await openSnapshotIntake(path, passphrase, LOG_N);
  await intake.take(bytes.subarray(0, 5000));
  await intake.take(bytes.subarray(5000));
  const { bytes: size, sha256: sum, fileBytes, fileSha256 } = await intake.complete();
  await intake.land();
  await writeManifest(path, {
    ...{ formatVersion: 1, file: basename(path), cluster: 'prod', clusterId: '1', members: [] },
    from: { host: 'etcd-1', name: 'etcd-1', memberId: '2' },
    ...{ etcdVersion: '3.4.23', revision: 7, keys: 3, hash: 1, bytes: size, sha256: sum, fileBytes, fileSha256 },
    encryption: passphrase === undefined ? 'none' : 'age',
    ...{ savedAt: '2026-11-26T00:00:00.000Z', savedBy: 'me@here', tool: '0.1.0', ...more },
  });
  return { path, bytes };
}

describe('a snapshot that lands', () => {
  test('is whole, for its owner only, and alone in its directory', async () => {
    const { path, bytes } = await keep('a.db');
    expect(readFileSync(path).equals(bytes)).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory)).toEqual(['a.db', 'a.db.json']);
    expect(await checkSnapshot(path, source)).toMatchObject({ bytes: bytes.length, sha256: sha256(bytes) });
  });

  test('has a manifest that people can read, whose members are those of then', async () => {
    const members = [{ name: 'm1', peerUrls: ['https://10.0.0.1:2380'] }];
    await keep('a.db', { members });
    expect(readFileSync(join(directory, 'a.db.json'), 'utf8')).toContain(
      '{\n  "formatVersion": 1,\n  "file": "a.db",\n',
    );
    const snapshots = await listSnapshots(directory);
    expect(snapshots.map(({ manifest }) => manifest.members)).toEqual([members]);
    expect(snapshotListSchema.parse({ formatVersion: 1, directory, snapshots }).snapshots).toEqual(snapshots);
  });

  test('may be of 32 GiB, and no more', async () => {
    const intake = await openSnapshotIntake(join(directory, 'a.db'), undefined);
    expect(intake.maxBytes).toBe(32 * 1024 ** 3);
    await intake.abandon();
  });

  test('is encrypted as it comes, and is the same when it is read again', async () => {
    const { path, bytes } = await keep('a.db.age', {}, PASSPHRASE);
    expect(readFileSync(path, 'latin1').startsWith('age-encryption.org/v1\n')).toBe(true);
    const read: Uint8Array[] = [];
    for await (const chunk of readSnapshot(path, PASSPHRASE)) read.push(chunk);
    expect(Buffer.concat(read).equals(bytes)).toBe(true);
    expect(await checkSnapshot(path, source)).toMatchObject({ sha256: sha256(bytes) });
    const wrong = sourceOf(new Secret('wrong'));
    await expect(checkSnapshot(path, wrong)).rejects.toMatchObject({ code: 'wrong-passphrase' });
    // A wrong one is refused at once, and another one may be typed.
    const typed: PassphraseSource = {
      ...source,
      async opening(_, open) {
        await expect(open(new Secret('wrong'))).rejects.toMatchObject({ code: 'wrong-passphrase' });
        return open(PASSPHRASE);
      },
    };
    expect(await checkSnapshot(path, typed)).toMatchObject({ sha256: sha256(bytes) });
  });

  test('replaces nothing, also not what comes while it is written', async () => {
    const { path } = await keep('a.db');
    await expect(openSnapshotIntake(path, undefined)).rejects.toMatchObject({ code: 'file-is-there' });
    const intake = await openSnapshotIntake(join(directory, 'b.db'), undefined);
    writeFileSync(join(directory, 'b.db'), 'mine');
    await intake.complete();
    await expect(intake.land()).rejects.toMatchObject({ code: 'file-is-there' });
    await intake.abandon();
    expect(readFileSync(join(directory, 'b.db'), 'utf8')).toBe('mine');
    expect(readdirSync(directory)).toEqual(['a.db', 'a.db.json', 'b.db']);
  });

  test('leaves nothing when it is given up', async () => {
    const intake = await openSnapshotIntake(join(directory, 'b.db'), PASSPHRASE, LOG_N);
    await intake.take(randomBytes(100_000));
    await intake.abandon();
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe('a damaged snapshot is known', () => {
  test.each(['a.db', 'a.db.age'])('%s: cut, or with a flipped byte', async (name) => {
    const { path } = await keep(name, {}, name.endsWith('.age') ? PASSPHRASE : undefined);
    const whole = readFileSync(path);
    const flipped = Buffer.from(whole);
    flipped[700] = (flipped[700] ?? 0) ^ 1;
    for (const broken of [whole.subarray(0, -512), flipped, Buffer.concat([whole, Buffer.alloc(512)])]) {
      writeFileSync(path, broken);
      await expect(checkSnapshot(path, source)).rejects.toMatchObject({ code: 'snapshot-damaged' });
    }
    // Without a manifest, by what is in it alone.
    rmSync(`${path}.json`);
    for (const broken of [whole.subarray(0, -512), flipped])
      await expect(writeAndCheck(path, broken)).rejects.toMatchObject({
        code: name.endsWith('.age') ? 'encrypted-file-damaged' : 'snapshot-damaged',
      });
    expect(await writeAndCheck(path, whole)).toMatchObject({ manifest: undefined });
  });

  function writeAndCheck(path: string, bytes: Uint8Array): ReturnType<typeof checkSnapshot> {
    writeFileSync(path, bytes);
    return checkSnapshot(path, source);
  }
});

test.each(['/dev/zero', '/dev/null', '.'])('%s is no snapshot, and is not read', async (path) => {
  await expect(checkSnapshot(path, source)).rejects.toThrow('is not a regular file');
});

describe('the oldest go', () => {
  const day = (number: number): Partial<SnapshotManifest> => ({ savedAt: `2026-11-0${number}T00:00:00.000Z` });

  test('and only what a manifest of this cluster names', async () => {
    await keep('third.db', day(3));
    await keep('first.db', day(1));
    await keep('second.db', day(2));
    // Beside an inventory there may be another one: its cluster has the same name where neither sets one.
    await keep('other.db', { ...day(1), clusterId: '2' });
    writeFileSync(join(directory, 'by-hand.db'), 'precious');
    writeFileSync(join(directory, 'notes.json'), '{"file":"by-hand.db"}');
    expect(await removeOldSnapshots(directory, { clusterId: '1', keep: 2 })).toEqual([join(directory, 'first.db')]);
    expect(readdirSync(directory)).toEqual(
      expect.arrayContaining(['by-hand.db', 'notes.json', 'other.db', 'second.db', 'third.db']),
    );
    expect((await listSnapshots(directory)).map(({ path }) => basename(path))).toEqual([
      'other.db',
      'second.db',
      'third.db',
    ]);
  });

  test.each(['../outside.db', '/etc/passwd', '..', 'other.db'])(
    'a manifest that names %s is about nothing',
    async (file) => {
      const { path } = await keep('a.db');
      const text = readFileSync(`${path}.json`, 'utf8').replace('"a.db"', JSON.stringify(file));
      writeFileSync(`${path}.json`, text);
      expect(await listSnapshots(directory)).toEqual([]);
      expect(await removeOldSnapshots(directory, { clusterId: '1', keep: 1 })).toEqual([]);
    },
  );

  test('one that has another size than its manifest says is listed as missing, and stays', async () => {
    const { path } = await keep('a.db', day(1));
    await keep('b.db', day(2));
    writeFileSync(path, 'shorter');
    expect((await listSnapshots(directory)).map(({ isThere }) => isThere)).toEqual([false, true]);
    expect(await removeOldSnapshots(directory, { clusterId: '1', keep: 1 })).toEqual([]);
  });
});

test('a pipe among the manifests is not waited for', async () => {
  const { path } = await keep('a.db');
  execFileSync('mkfifo', [join(directory, 'b.db.json')]);
  expect((await listSnapshots(directory)).map((each) => each.path)).toEqual([path]);
});
