// How a release of etcd is unpacked, and made the one in use, in a real shell with the real tar; etcd is a stand-in.
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { etcdInstalled } from '../../src/facts/etcd-installed.js';
import type { EtcdRelease } from '../../src/model/cluster.js';
import {
  PROGRAM_LINKS,
  releaseDirectory,
  RELEASES,
  switchBackScript,
  switchScript,
  unpackScript,
} from '../../src/shell/etcd-release.js';
import { sampleMember } from '../support/sample-cluster.js';
import { scratch } from '../support/scratch.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const ARCH: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };
const TOP = `etcd-v3.5.16-linux-${ARCH[process.arch] ?? process.arch}`;

let directory = '';
let releases = '';
let links = '';

beforeEach(() => {
  directory = temporaryDirectory('release');
  releases = join(directory, 'releases');
  links = join(directory, 'links');
  for (const path of [links, join(directory, 'bin'), join(directory, 'made')]) mkdirSync(path);
});

const etcdSaying = (version: string): string => `#!/bin/sh\necho "etcd Version: ${version}"\necho 'Git SHA: none'\n`;

function program(name: string, script: string): void {
  writeFileSync(join(directory, 'bin', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

interface Tarball {
  readonly release: EtcdRelease;
  readonly bytes: Buffer;
}

/** @param fill puts what it holds into a directory @param names entries, in this order @param flags more of tar's */
function tarball(
  fill: (place: string) => void,
  names: readonly string[] = [TOP],
  flags: readonly string[] = [],
): Tarball {
  const place = join(directory, 'made');
  fill(place);
  const { stdout, status, stderr } = spawnSync('tar', ['-C', place, '-czPf', '-', ...flags, ...names], {
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(String(stderr));
  const sha256 = createHash('sha256').update(stdout).digest('hex');
  return { bytes: stdout, release: { version: '3.5.16', sha256, source: '/srv/etcd.tar.gz', fetch: 'control' } };
}

function usual(place: string, etcd = etcdSaying('3.5.16')): void {
  mkdirSync(join(place, TOP, 'Documentation'), { recursive: true });
  writeFileSync(join(place, TOP, 'Documentation', 'README.md'), 'to read');
  for (const name of ['etcd', 'etcdctl', 'etcdutl'])
    writeFileSync(join(place, TOP, name), name === 'etcd' ? etcd : name);
}

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(script: string, input: Uint8Array = Buffer.alloc(0)): Ran {
  const here = script.replaceAll(RELEASES, releases).replaceAll(PROGRAM_LINKS, links);
  const env = { PATH: `${join(directory, 'bin')}:/usr/sbin:/usr/bin:/sbin:/bin`, LC_ALL: 'C' };
  return spawnSync('sh', ['-c', here], { env, input, encoding: 'utf8', cwd: scratch() });
}

function everything(path: string): readonly string[] {
  return existsSync(path) ? (readdirSync(path, { recursive: true }) as string[]).toSorted() : [];
}

describe('a release', () => {
  test('is unpacked into a directory of its own: its programs, and nothing else', () => {
    const { release, bytes } = tarball(usual);
    const place = releaseDirectory(release);
    expect(run(unpackScript(release), bytes)).toMatchObject({ status: 0, stderr: '' });
    expect(everything(releases)).toEqual([place, ...['etcd', 'etcdctl', 'etcdutl'].map((name) => `${place}/${name}`)]);
    const mode = (path: string): string => (statSync(join(releases, path)).mode & 0o7777).toString(8);
    expect([mode(place), mode(`${place}/etcd`), mode(`${place}/etcdctl`)]).toEqual(['755', '755', '755']);
    // Once more: it is there, and nothing is read.
    expect(run(unpackScript(release))).toMatchObject({ status: 0 });
  });

  test('is none of ours where others can write, also one that is there', () => {
    const { release, bytes } = tarball(usual);
    mkdirSync(join(releases, releaseDirectory(release)), { recursive: true });
    chmodSync(releases, 0o777);
    expect(run(unpackScript(release), bytes)).toMatchObject({
      ...{ status: 1, stderr: `others than root can write on the way to ${releases}\n` },
    });
  });

  test('before 3.5 has no etcdutl', () => {
    const { release, bytes } = tarball(usual, [`${TOP}/etcd`, `${TOP}/etcdctl`]);
    expect(run(unpackScript(release), bytes)).toMatchObject({ status: 0 });
    expect(readdirSync(join(releases, releaseDirectory(release))).toSorted()).toEqual(['etcd', 'etcdctl']);
  });

  test.each([
    ['cut off', (bytes: Buffer) => bytes.subarray(0, bytes.length - 1)],
    ['changed in one bit', (bytes: Buffer) => Buffer.concat([bytes.subarray(0, 20), Buffer.of(0), bytes.subarray(21)])],
    ['empty', () => Buffer.alloc(0)],
    ['another one', () => Buffer.from('<html>not found</html>')],
  ])('that is %s is not unpacked', (_, change) => {
    const { release, bytes } = tarball(usual);
    const { status, stderr } = run(unpackScript(release), change(bytes));
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining(`${release.sha256} was expected: nothing was unpacked`),
    ]);
    expect(everything(releases)).toEqual([]);
  });

  test.each([
    [
      'names a path outside',
      (place: string) => {
        usual(place);
        mkdirSync(join(place, 'planted'));
        writeFileSync(join(place, 'planted', 'evil'), 'evil');
      },
      [TOP, 'planted'],
      ['--transform', 's,^planted,../../../planted,'],
      0,
    ],
    [
      'has a link in place of its etcd',
      (place: string) => {
        mkdirSync(join(place, TOP));
        symlinkSync('/bin/sh', join(place, TOP, 'etcd'));
        writeFileSync(join(place, TOP, 'etcdctl'), 'etcdctl');
      },
      [TOP],
      [],
      1,
    ],
    [
      'has a hard link in place of its etcd',
      (place: string) => {
        usual(place);
        linkSync(join(place, TOP, 'etcd'), join(place, 'other'));
      },
      ['other', TOP],
      ['--transform', 's,^other,/bin/sh,'],
      1,
    ],
    [
      'is for another machine',
      (place: string) => {
        usual(place);
      },
      [TOP],
      ['--transform', `s,^${TOP},etcd-v3.5.16-linux-mips,`],
      1,
    ],
  ])('whose tarball %s does no harm', (_, fill, names, flags, status) => {
    const { release, bytes } = tarball(fill, names, flags);
    const before = everything(directory);
    const ran = run(unpackScript(release), bytes);
    expect(ran).toMatchObject({ status });
    if (status !== 0)
      expect(ran.stderr).toMatch(/^the tarball has no etcd-v3\.5\.16-linux-\w+\/etcd: it is of another version/);
    const place = join('releases', releaseDirectory(release));
    const programs = ['etcd', 'etcdctl', 'etcdutl'].map((name) => `${place}/${name}`);
    expect(everything(directory)).toEqual(
      [...before, 'releases', ...(status === 0 ? [place, ...programs] : [])].toSorted(),
    );
  });

  test.each([
    ['says another version', etcdSaying('3.5.17'), 'says that it is version 3.5.17, and 3.5.16 was expected'],
    ['does not run here', '#!/bin/sh\necho "libc.so.6: version GLIBC_9 not found" >&2\nexit 1\n', 'GLIBC_9 not found'],
  ])('that %s is not left there', (_, etcd, why) => {
    const { release, bytes } = tarball((place) => {
      usual(place, etcd);
    });
    expect(run(unpackScript(release), bytes)).toMatchObject({ status: 1, stderr: expect.stringContaining(why) });
    expect(everything(releases)).toEqual([]);
  });
});

describe('the release in use', () => {
  const newer: EtcdRelease = { version: '3.5.16', sha256: 'b'.repeat(64), source: '/srv', fetch: 'control' };
  const older: EtcdRelease = { ...newer, version: '3.4.34', sha256: 'a'.repeat(64) };
  const back = (directoryBefore: string | undefined): string =>
    switchBackScript({
      directory: directoryBefore,
      version: { minor: 4, patch: 34 },
      member: sampleMember(1),
      others: [sampleMember(2)],
    });

  beforeEach(() => {
    mkdirSync(releases, { mode: 0o755 });
    for (const release of [older, newer]) {
      mkdirSync(join(releases, releaseDirectory(release)));
      writeFileSync(join(releases, releaseDirectory(release), 'etcd'), etcdSaying(release.version), { mode: 0o755 });
    }
    clusterAt('3.4.0');
  });

  /** What every member says of the cluster as a whole, to whoever shows a certificate with its key. */
  function clusterAt(version: string): void {
    const { certificate, key } = sampleMember(1).client;
    const known = `case "$*" in *' -cert ${certificate} -key ${key}') ;; *) exit 1 ;; esac`;
    program('openssl', `cat >/dev/null; ${known}; printf '{"etcdserver":"3.5.16","etcdcluster":"${version}"}'`);
  }

  const current = (): string => readlinkSync(join(releases, 'current'));

  test('is what one link leads to, and is found first', () => {
    expect(run(switchScript(releaseDirectory(older)))).toMatchObject({ status: 0, stderr: '' });
    expect(run(switchScript(releaseDirectory(newer)))).toMatchObject({ status: 0 });
    expect(current()).toBe(releaseDirectory(newer));
    expect(readdirSync(links).map((name) => readlinkSync(join(links, name)))).toEqual(
      ['etcd', 'etcdctl', 'etcdutl'].map((name) => join(releases, 'current', name)),
    );
    expect(everything(releases).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('is none that is not unpacked', () => {
    expect(run(switchScript('3.6.0-cccccccccccc'))).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('there is no etcd in'),
    });
    expect(lstatSync(join(releases, 'current'), { throwIfNoEntry: false })).toBeUndefined();
  });

  test.each([
    [
      'a file',
      (path: string) => {
        writeFileSync(path, 'of the administrator');
      },
    ],
    [
      'a link',
      (path: string) => {
        symlinkSync('/opt/etcd/etcdctl', path);
      },
    ],
  ])('replaces %s of others nowhere, and the look finds it', (_, plant) => {
    plant(join(links, 'etcdctl'));
    const before = lstatSync(join(links, 'etcdctl')).ino;
    program('dpkg-query', 'exit 1');
    program('systemctl', 'echo 0');
    const { stdout } = run(etcdInstalled.script(['etcd']));
    expect(etcdInstalled.parse(stdout, ['etcd']).get('etcd')?.inTheWay).toEqual(['etcdctl']);
    expect(run(switchScript(releaseDirectory(newer)))).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('etcdctl is of others: it is left as it is'),
    });
    expect(lstatSync(join(links, 'etcdctl')).ino).toBe(before);
  });

  test('is not found first where others can write, who would exchange its links', () => {
    chmodSync(links, 0o777);
    expect(run(switchScript(releaseDirectory(newer)))).toMatchObject({
      ...{ status: 1, stderr: `others than root can write on the way to ${links}\n` },
    });
    expect(readdirSync(links)).toEqual([]);
    chmodSync(links, 0o755);
    expect(run(switchScript(releaseDirectory(newer)))).toMatchObject({ status: 0 });
    expect(readdirSync(links)).toHaveLength(3);
  });

  test('goes back to the one before', () => {
    run(switchScript(releaseDirectory(older)));
    run(switchScript(releaseDirectory(newer)));
    expect(run(back(releaseDirectory(older)))).toMatchObject({ status: 0, stderr: '' });
    expect(current()).toBe(releaseDirectory(older));
    expect(readdirSync(links)).toHaveLength(3);
  });

  test('goes back to the package: what leads to releases is gone, and nothing else', () => {
    symlinkSync('/usr/bin/true', join(links, 'other'));
    run(switchScript(releaseDirectory(newer)));
    expect(run(back(undefined))).toMatchObject({ status: 0, stderr: '' });
    expect(readdirSync(links)).toEqual(['other']);
    expect(everything(releases).filter((name) => name === 'current')).toEqual([]);
  });

  /** What each member of three says of the cluster as a whole, in the order in which they are asked. */
  function membersSay(...versions: readonly string[]): void {
    const count = join(directory, 'asked');
    const answers = versions.map((version, index) => `${index + 1}) printf '{"etcdcluster":"${version}"}' ;;`);
    program('openssl', `cat >/dev/null; echo >>${count}; case $(wc -l <${count}) in ${answers.join(' ')} esac`);
  }

  const backOfThree = (): string =>
    switchBackScript({
      directory: releaseDirectory(older),
      version: { minor: 4, patch: 34 },
      member: sampleMember(1),
      others: [sampleMember(2), sampleMember(3)],
    });

  test('stays where the cluster as a whole is newer already', () => {
    run(switchScript(releaseDirectory(newer)));
    clusterAt('3.5.0');
    expect(run(back(releaseDirectory(older)))).toMatchObject({
      status: 1,
      stderr:
        'the cluster is newer than etcd 3.4 already, say 2 of the 2 members that answer, and that could not start any more: the new version stays\n',
    });
    expect(current()).toBe(releaseDirectory(newer));
  });

  test('goes back where one alone says that the cluster is newer, and not where most do', () => {
    run(switchScript(releaseDirectory(newer)));
    membersSay('3.5.0', '3.5.0', '3.4.0');
    expect(run(backOfThree())).toMatchObject({ status: 1 });
    expect(current()).toBe(releaseDirectory(newer));
    rmSync(join(directory, 'asked'));
    membersSay('3.4.0', '3.4.0', '3.9.0');
    expect(run(backOfThree())).toMatchObject({ status: 0, stderr: '' });
    expect(current()).toBe(releaseDirectory(older));
  });

  test('stays where half of them say that the cluster is newer', () => {
    run(switchScript(releaseDirectory(newer)));
    membersSay('3.4.0', '3.5.0');
    expect(run(back(releaseDirectory(older)))).toMatchObject({ status: 1 });
    expect(current()).toBe(releaseDirectory(newer));
  });

  test('goes back where nobody answers', () => {
    run(switchScript(releaseDirectory(newer)));
    program('openssl', 'exit 1');
    expect(run(back(releaseDirectory(older)))).toMatchObject({ status: 0 });
    expect(current()).toBe(releaseDirectory(older));
  });

  test('is reported, with what is unpacked, what the package has and what runs', () => {
    program('dpkg-query', `printf 'ii  3.4.23-4+b4'`);
    program('systemctl', `echo ${process.pid}`);
    const ask = (): unknown => etcdInstalled.parse(run(etcdInstalled.script(['etcd'])).stdout, ['etcd']).get('etcd');
    const found = {
      releases: [releaseDirectory(older), releaseDirectory(newer)],
      current: undefined,
      isFirst: false,
      inTheWay: [],
      packaged: { minor: 4, patch: 23 },
      running: readlinkSync('/proc/self/exe'),
    };
    expect(ask()).toEqual(found);
    run(switchScript(releaseDirectory(newer)));
    expect(ask()).toEqual({ ...found, current: releaseDirectory(newer), isFirst: true });
    program('dpkg-query', 'exit 1');
    program('systemctl', 'echo 0');
    expect(ask()).toMatchObject({ packaged: undefined, running: undefined });
  });
});
