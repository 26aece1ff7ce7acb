// How a snapshot is saved and tried on a host, in a real shell: etcdctl and etcdutl are stand-ins.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { saveSnapshotScript, SNAPSHOT_STATUS, tryRestoreScript } from '../../src/shell/snapshot.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { scratch } from '../support/scratch.js';

const STATUS = '{"hash":1,"revision":300}';
const MEMBER = { clientUrl: 'https://127.0.0.1:2379', client: { ca: '/ca', certificate: '/c', key: '/k' } };
const NAMED = { needBytes: 1, caughtUp: 'not-asked' } as const;
let directory: string;
let place: string;

function program(name: string, lines: readonly string[]): void {
  const note = `echo "${name} $ETCDCTL_API $* in $(stat -c %a .)" >>'${directory}/calls'`;
  writeFileSync(join(directory, 'bin', name), ['#!/bin/sh', note, ...lines, ''].join('\n'), { mode: 0o755 });
}

const SNAPSHOTS = [
  'case "$*" in',
  '*"snapshot save"*) echo saved; printf "the database" >snapshot.db ;;',
  `*"snapshot status"*) echo 'Deprecated: use etcdutl'; echo '${STATUS}' ;;`,
  '*"snapshot restore"*) for last do :; done; mkdir -p "$last/member"; echo restored ;;',
  'esac',
];

beforeEach(() => {
  directory = temporaryDirectory('snapshot-scripts');
  place = join(directory, 'lib/provision');
  mkdirSync(join(directory, 'bin'));
  mkdirSync(join(directory, 'lib'), { mode: 0o755 });
  for (const name of ['etcdctl', 'etcdutl']) program(name, SNAPSHOTS);
});

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly calls: readonly string[];
}

function run(script: string, input = ''): Ran {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script.replaceAll('/var/lib/provision', place)], {
    cwd: scratch(),
    input,
    encoding: 'utf8',
    env: { PATH: `${directory}/bin:/usr/bin:/bin` },
  });
  const calls = join(directory, 'calls');
  return { status, stdout, stderr, calls: existsSync(calls) ? readFileSync(calls, 'utf8').trimEnd().split('\n') : [] };
}

/** More than the file system has free, in bytes. */
function tooMuch(): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize * 2;
}

describe('a snapshot', () => {
  test('is printed after what is in it was described, saved where only root looks, and leaves nothing', () => {
    const { calls, ...ran } = run(saveSnapshotScript(MEMBER, NAMED));
    expect(ran).toEqual({ status: 0, stdout: 'the database', stderr: `saved\n${SNAPSHOT_STATUS}${STATUS}\n` });
    expect(calls).toEqual([
      'etcdctl 3 --endpoints=https://127.0.0.1:2379 --cacert=/ca --cert=/c --key=/k --dial-timeout=5s snapshot save ./snapshot.db in 700',
      'etcdutl 3 snapshot status ./snapshot.db -w json in 700',
    ]);
    expect(readdirSync(place)).toEqual([]);
    expect(statSync(place).mode & 0o777).toBe(0o700);
  });

  test('is read by etcdctl where there is no etcdutl', () => {
    rmSync(join(directory, 'bin/etcdutl'));
    expect(run(saveSnapshotScript(MEMBER, NAMED)).calls[1]).toBe(
      'etcdctl 3 snapshot status ./snapshot.db -w json in 700',
    );
  });

  test('replaces what a power cut left of one', () => {
    mkdirSync(join(place, 'snapshot'), { recursive: true, mode: 0o700 });
    writeFileSync(join(place, 'snapshot/old'), 'half');
    expect(run(saveSnapshotScript(MEMBER, NAMED)).status).toBe(0);
    expect(readdirSync(place)).toEqual([]);
  });

  test('of a member that is one of a quorum is saved once that has all of it, or not at all', () => {
    const first = { ...NAMED, caughtUp: 'first' } as const;
    expect(run(saveSnapshotScript(MEMBER, first)).calls.map((call) => call.replace(/^.*-timeout=\d+s /, ''))).toEqual([
      'get health --keys-only in 700',
      'snapshot save ./snapshot.db in 700',
      'etcdutl 3 snapshot status ./snapshot.db -w json in 700',
    ]);
    const answering = (said: string): readonly string[] => [
      `case "$*" in *"get health"*) echo '${said}' >&2; exit 1 ;; esac`,
      ...SNAPSHOTS,
    ];
    program('etcdctl', answering('context deadline exceeded'));
    expect(run(saveSnapshotScript(MEMBER, first))).toMatchObject({
      status: 1,
      stdout: '',
      stderr: 'etcd does not answer as a member of a healthy cluster: context deadline exceeded\n',
    });
    expect(readdirSync(place)).toEqual([]);
    program('etcdctl', answering('etcdserver: permission denied'));
    expect(run(saveSnapshotScript(MEMBER, first)).status).toBe(0);
  });

  test('that etcd does not give is an error, and nothing is printed or left', () => {
    program('etcdctl', ['printf half >snapshot.db', 'exit 5']);
    expect(run(saveSnapshotScript(MEMBER, NAMED))).toMatchObject({ status: 5, stdout: '' });
    expect(readdirSync(place)).toEqual([]);
  });

  test('for which there is no room is not asked for', () => {
    const { status, stderr, calls } = run(saveSnapshotScript(MEMBER, { ...NAMED, needBytes: tooMuch() }));
    expect([status, calls]).toEqual([1, []]);
    expect(stderr).toMatch(/^a snapshot needs \d+ KiB in \S+, and \d+ are free\n$/);
  });

  test('is not saved where others can write', () => {
    mkdirSync(place, { mode: 0o777 });
    spawnSync('chmod', ['0777', place]);
    expect(run(saveSnapshotScript(MEMBER, NAMED))).toMatchObject({
      status: 1,
      stderr: `others than root can write on the way to ${place}\n`,
      calls: [],
    });
  });
});

describe('a trial restore', () => {
  test('restores what comes, says what is in it, and leaves nothing', () => {
    program('etcdutl', ['cat ./snapshot.db >>"$(dirname "$0")/../given"', ...SNAPSHOTS]);
    const { calls, ...ran } = run(tryRestoreScript(1), 'the database');
    expect(ran).toEqual({ status: 0, stdout: '', stderr: `restored\n${SNAPSHOT_STATUS}${STATUS}\n` });
    expect(calls).toEqual([
      'etcdutl 3 snapshot restore ./snapshot.db --data-dir ./data in 700',
      'etcdutl 3 snapshot status ./snapshot.db -w json in 700',
    ]);
    expect(readFileSync(join(directory, 'given'), 'utf8')).toBe('the databasethe database');
    expect(readdirSync(place)).toEqual([]);
  });

  test('begins anew after one that was killed', () => {
    mkdirSync(join(place, 'trial/data/member'), { recursive: true, mode: 0o700 });
    program('etcdutl', [`[ ! -e ./data ] || exit 6`, ...SNAPSHOTS.slice(0, -2), SNAPSHOTS[3] ?? '', 'esac']);
    expect(run(tryRestoreScript(1), 'x').stderr).toContain('restored');
  });

  test.each([
    ['fails', ['exit 5'], 5, ''],
    ['restores nothing', ['exit 0'], 1, 'nothing was restored\n'],
  ])('that %s is an error, and leaves nothing', (_, lines, status, stderr) => {
    program('etcdutl', lines);
    expect(run(tryRestoreScript(1), 'x')).toMatchObject({ status, stderr });
    expect(readdirSync(place)).toEqual([]);
  });

  test('needs a tool, and room', () => {
    expect(run(tryRestoreScript(tooMuch()), 'x')).toMatchObject({
      status: 1,
      calls: [],
      stderr: expect.stringMatching(/^a trial restore needs \d+ KiB in /),
    });
    for (const name of ['etcdctl', 'etcdutl']) rmSync(join(directory, 'bin', name));
    expect(run(tryRestoreScript(1), 'x')).toMatchObject({
      status: 127,
      stderr: 'there is no etcdutl and no etcdctl\n',
    });
    expect(readdirSync(place)).toEqual([]);
  });
});
