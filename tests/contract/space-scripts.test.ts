import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { etcdCompacted, etcdCompactedKey } from '../../src/facts/etcd-compacted.js';
import { compactHistory, defragmentMember, disarmNospace } from '../../src/shell/etcd-space.js';
import { sampleMember } from '../support/sample-cluster.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

let directory = '';

beforeEach(() => {
  directory = temporaryDirectory('space');
  mkdirSync(join(directory, 'bin'));
  // Says what its file has for the words that it is asked, and notes what changes something.
  const script = [
    '[ "$ETCDCTL_API" = 3 ] || exit 9',
    'case "$*" in',
    `*'endpoint status'*) n=$(cat ${directory}/n 2>/dev/null || echo 0); echo $((n + 1)) >${directory}/n; sed -n "$((n + 1))p" ${directory}/status ;;`,
    `*'alarm list'*) cat ${directory}/alarms ;;`,
    `*' get '*) echo "get \${*##* get }" >>${directory}/asked; cat ${directory}/get; [ ! -s ${directory}/get ] || exit 1 ;;`,
    `*compact*) printf 'compact\\n' >>${directory}/done; cat ${directory}/compact >&2; [ ! -s ${directory}/compact ] || exit 1 ;;`,
    `*) printf '%s\\n' "\${*##*--command-timeout=}" >>${directory}/done ;;`,
    'esac',
  ];
  writeFileSync(join(directory, 'bin', 'etcdctl'), `#!/bin/sh\n${script.join('\n')}\n`);
  chmodSync(join(directory, 'bin', 'etcdctl'), 0o755);
  say({ status: '', alarms: '', get: '', compact: '' });
});

function say(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
}

const member = () => ({ ...sampleMember(1), dataDir: directory });

function run(script: string): { readonly status: number | null; readonly said: string; readonly done: string } {
  const env = { PATH: `${join(directory, 'bin')}:/usr/bin:/bin`, LC_ALL: 'C' };
  const { status, stderr, stdout } = spawnSync('sh', ['-c', script], { env, encoding: 'utf8' });
  const done = join(directory, 'done');
  return { status, said: `${stdout}${stderr}`, done: existsSync(done) ? readFileSync(done, 'utf8') : '' };
}

describe('the history', () => {
  test('is compacted, also where others have compacted it meanwhile', () => {
    expect(run(compactHistory(member(), 40).script)).toEqual({ status: 0, said: '', done: 'compact\n' });
    say({ compact: 'Error: etcdserver: mvcc: required revision has been compacted\n' });
    expect(run(compactHistory(member(), 40).script).status).toBe(0);
  });

  test('a failure is one', () => {
    say({ compact: 'Error: etcdserver: mvcc: required revision is a future revision\n' });
    expect(run(compactHistory(member(), 40).script)).toMatchObject({
      status: 1,
      said: expect.stringContaining('future revision'),
    });
  });

  test.each([
    ['', 'no'],
    ['{"level":"warn"}\nError: etcdserver: mvcc: required revision has been compacted\n', 'yes'],
    ['Error: context deadline exceeded\n', 'unknown'],
  ])('etcd that says %j has dropped it: %s', (text, wanted) => {
    say({ get: text });
    const keys = [etcdCompactedKey(member(), 40), etcdCompactedKey(member(), 41)];
    const { said } = run(etcdCompacted.script(keys));
    expect(keys.map((key) => etcdCompacted.parse(said, keys).get(key))).toEqual([wanted, wanted]);
    // The revision before it is the first that a compaction up to it takes.
    const asked = (revision: number) => `get --consistency=s --limit=1 --keys-only --rev=${revision} /`;
    expect(readFileSync(join(directory, 'asked'), 'utf8').trim().split('\n')).toEqual([asked(39), asked(40)]);
  });
});

describe('a member', () => {
  const use = (...bytes: readonly number[]): string =>
    bytes.map((each) => `[{"Status":{"dbSize":9000,"dbSizeInUse":${each}}}]\n`).join('');

  test('is defragmented once compaction frees nothing more', () => {
    say({ status: use(5000, 4000, 4000, 1) });
    expect(run(defragmentMember(member()).script)).toEqual({ status: 0, said: '', done: '3600s defrag\n' });
    expect(readFileSync(join(directory, 'n'), 'utf8')).toBe('3\n');
  });

  test('is left alone where the disk has no room for another database', () => {
    say({ status: use(2 ** 60, 2 ** 60) });
    expect(run(defragmentMember(member()).script)).toMatchObject({
      status: 1,
      said: expect.stringMatching(/^the new database needs \d+ KiB beside the old one in \S+, and \d+ are free\n$/),
      done: '',
    });
  });

  test('that does not tell is left alone', () => {
    expect(run(defragmentMember(member()).script)).toMatchObject({ status: 1, done: '' });
  });
});

describe('the alarm', () => {
  test('is disarmed', () => {
    say({ alarms: 'memberID:7 alarm:NOSPACE \nmemberID:8 alarm:NOSPACE \n' });
    expect(run(disarmNospace(member()).script)).toEqual({ status: 0, said: '', done: '5s alarm disarm\n' });
  });

  test('is gone already', () => {
    expect(run(disarmNospace(member()).script)).toEqual({ status: 0, said: '', done: '' });
  });

  test('that can not be listed is not disarmed', () => {
    say({ alarms: '' });
    rmSync(join(directory, 'alarms'));
    expect(run(disarmNospace(member()).script)).toMatchObject({ status: 1, done: '' });
  });

  test('stays where it would take another one with it', () => {
    say({ alarms: 'memberID:7 alarm:NOSPACE \nmemberID:8 alarm:CORRUPT \n' });
    expect(run(disarmNospace(member()).script)).toMatchObject({
      status: 1,
      said: expect.stringContaining('alarm:CORRUPT'),
      done: '',
    });
  });
});
