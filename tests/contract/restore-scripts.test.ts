import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  exchangeBackScript,
  exchangeScript,
  fenceScript,
  leaveScript,
  removeUnpackedScript,
  unpackScript,
} from '../../src/shell/restore-snapshot.js';
import { RESTORES } from '../../src/shell/restore-stage.js';
import { restores, RESTORES_KEY } from '../../src/facts/restores.js';
import {
  restartScript,
  restartWorkerScript,
  startApiserverScript,
  startMemberScript,
  stopApiserverScript,
  stopMemberScript,
  unstartMemberScript,
  unstopApiserverScript,
} from '../../src/shell/restore-services.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { scratch } from '../support/scratch.js';

const ID = '20261126T010203Z-abcdef12';

let directory = '';
let data = '';

beforeEach(() => {
  directory = temporaryDirectory('restore');
  data = join(directory, 'data');
  mkdirSync(data);
  mkdirSync(join(directory, 'bin'));
});

function program(name: string, script: string): void {
  writeFileSync(join(directory, 'bin', name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(directory, 'bin', name), 0o755);
}

interface Ran {
  readonly status: number | null;
  readonly stderr: string;
}

/** Runs a script here, with its notes inside the test's directory. */
function run(script: string, input: Uint8Array = Buffer.alloc(0)): Ran {
  const env = { PATH: `${join(directory, 'bin')}:/usr/sbin:/usr/bin:/sbin:/bin`, LC_ALL: 'C' };
  const here = script.replaceAll(RESTORES, join(directory, 'notes'));
  const { status, stderr } = spawnSync('sh', ['-c', here], { env, input, encoding: 'utf8', cwd: scratch() });
  return { status, stderr };
}

function put(path: string, text: string): void {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
}

const noted = (): readonly string[] => readdirSync(join(directory, 'notes', ID)).toSorted();
const read = (path: string): string => readFileSync(join(data, path), 'utf8');

describe('the exchange of data', () => {
  const member = (): { readonly dataDir: string; readonly unit: string } => ({ dataDir: data, unit: 'etcd' });

  /** What a script that was killed may have left. */
  const KILLED: Readonly<Record<string, () => void>> = {
    'before anything': () => {
      put(join(data, 'member/whose'), 'old');
      put(join(data, `restore-${ID}/data/member/whose`), 'new');
    },
    'between the two renames': () => {
      put(join(data, `member.before-${ID}/whose`), 'old');
      put(join(data, `restore-${ID}/data/member/whose`), 'new');
    },
    'before the note': () => {
      put(join(data, `member.before-${ID}/whose`), 'old');
      put(join(data, 'member/whose'), 'new');
    },
  };

  beforeEach(() => {
    program('systemctl', '[ "$1" != is-active ]');
  });

  test.each(Object.keys(KILLED))('is whole, and once more, when it was killed %s', (name) => {
    KILLED[name]?.();
    for (const time of ['first', 'second']) {
      expect([time, run(exchangeScript(ID, member()))]).toEqual([time, { status: 0, stderr: '' }]);
      expect([read('member/whose'), read(`member.before-${ID}/whose`)]).toEqual(['new', 'old']);
      expect(readdirSync(data).toSorted()).toEqual(['member', `member.before-${ID}`]);
      expect(noted()).toEqual(['exchanged', 'exchanging']);
    }
  });

  test.each(Object.keys(KILLED))('is taken back, and once more, when it was killed %s', (name) => {
    KILLED[name]?.();
    const wasInUse = existsSync(join(data, `member.before-${ID}`)) && existsSync(join(data, 'member'));
    for (const time of ['first', 'second']) {
      expect([time, run(exchangeBackScript(ID, member()))]).toEqual([time, { status: 0, stderr: '' }]);
      expect(read('member/whose')).toBe('old');
      // What was restored is left only where it was in use.
      expect(readdirSync(data).toSorted()).toEqual(['member', ...(wasInUse ? [`member.restored-${ID}`] : [])]);
      expect(noted()).toEqual(['back-exchanged']);
    }
  });

  test('does not begin while etcd runs on', () => {
    KILLED['before anything']?.();
    program('systemctl', 'exit 0');
    expect(run(exchangeScript(ID, member()))).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('still runs'),
    });
    expect(read('member/whose')).toBe('old');
    expect(noted()).toEqual(['exchanging']);
  });

  test('follows no link that stands in place of the data', () => {
    put(join(directory, 'elsewhere/whose'), 'precious');
    symlinkSync(join(directory, 'elsewhere'), join(data, 'member'));
    put(join(data, `restore-${ID}/data/member/whose`), 'new');
    expect(run(exchangeScript(ID, member())).status).toBe(0);
    expect(readlinkSync(join(data, `member.before-${ID}`))).toBe(join(directory, 'elsewhere'));
    expect(readdirSync(join(directory, 'elsewhere'))).toEqual(['whose']);
    expect(lstatSync(join(data, 'member')).isDirectory()).toBe(true);
  });

  test('is left without a stop where nothing was stopped', () => {
    KILLED['before anything']?.();
    program('systemctl', 'exit 9');
    expect(run(leaveScript(ID, member())).status).toBe(0);
    expect(readdirSync(data)).toEqual(['member']);
    expect(noted()).toEqual(['back-exchanged']);
  });
});

describe('the restore beside the data', () => {
  const SNAPSHOT = Buffer.from('a snapshot');
  const SHA = '8a6f7c1f5ba2d4bb7c3d44a5c26ebaaa7b4b0d5e7d6ea2b2f0d0c0a1b2c3d4e5';
  const unpacking = (bump: 'revisions' | 'none', sha256: string): string =>
    unpackScript({
      ...{ id: ID, member: { dataDir: data, unit: 'etcd', name: 'etcd-1', peerPort: 2380 }, bump },
      from: { bytes: SNAPSHOT.length, sha256 },
      ...{ initialCluster: 'etcd-1=https://10.0.0.1:2380', peerUrls: ['https://10.0.0.1:2380'], token: 'new' },
    });

  const shaOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

  beforeEach(() => {
    put(join(data, 'member/wal/0.wal'), 'log');
    const note = `printf '%s ' "$@" >'${join(directory, 'arguments')}'`;
    program('etcdctl', `${note}; for word; do [ "$last" != --data-dir ] || mkdir -p "$word/member"; last=$word; done`);
  });

  test.each([
    ['revisions', true],
    ['none', false],
  ] as const)('raises revisions where that was decided: %s', (bump, raised) => {
    expect(run(unpacking(bump, shaOf(SNAPSHOT)), SNAPSHOT)).toMatchObject({ status: 0 });
    const given = readFileSync(join(directory, 'arguments'), 'utf8');
    expect(given).toContain('--name etcd-1 --initial-cluster etcd-1=https://10.0.0.1:2380');
    expect(given.includes('--bump-revision 1000000000 --mark-compacted')).toBe(raised);
    expect(readdirSync(join(data, `restore-${ID}`))).toEqual(['data']);
    expect(noted()).toEqual(['unpacked']);
    const how = `${bump} etcd-1=https://10.0.0.1:2380\n`;
    expect(readFileSync(join(directory, 'notes', ID, 'unpacked'), 'utf8')).toBe(how);
  });

  test('removes what a killed run has left of another one, but nothing that goes on, and nothing else', () => {
    const left = '20261126T010000Z-abcdef12';
    const unpacked = '20261125T000000Z-12abcdef';
    put(join(data, `restore-${left}/snapshot.db`), 'half');
    put(join(data, 'restore-by hand/x'), 'half');
    put(join(data, `restore-${unpacked}/data/member/whose`), 'another one');
    put(join(directory, 'notes', unpacked, 'unpacked'), 'none c');
    put(join(directory, 'notes', left, 'exchanging'), 'yes');
    put(join(data, `member.before-${left}/x`), 'old');
    expect(run(unpacking('none', shaOf(SNAPSHOT)), SNAPSHOT)).toEqual({ status: 0, stderr: '' });
    const there = ['member', 'restore-by hand', `member.before-${left}`, `restore-${unpacked}`, `restore-${ID}`];
    expect(readdirSync(data).toSorted()).toEqual(there.toSorted());
    expect(read(`restore-${unpacked}/data/member/whose`)).toBe('another one');
  });

  test('is taken back, and once more: neither it nor its note is left', () => {
    expect(run(unpacking('none', shaOf(SNAPSHOT)), SNAPSHOT).status).toBe(0);
    for (const time of ['first', 'second']) {
      const member = { dataDir: data, unit: 'etcd', name: 'etcd-1', peerPort: 2380 };
      expect([time, run(removeUnpackedScript({ id: ID, member }))]).toEqual([time, { status: 0, stderr: '' }]);
      expect([readdirSync(data), noted()]).toEqual([['member'], []]);
    }
  });

  test.each([
    [284_672, 0],
    [284_671, 1],
  ])('of 10 MiB, with %i KiB free, ends with %i: it needs 22 MiB, and 256 MiB beside', (free, status) => {
    program('df', `echo; echo "/dev/vda 9999999 0 ${free} 1% /"`);
    const bytes = Buffer.alloc(10 * 1024 * 1024);
    const script = unpackScript({
      ...{ id: ID, member: { dataDir: data, unit: 'etcd', name: 'etcd-1', peerPort: 2380 }, bump: 'none' },
      ...{ from: { bytes: bytes.length, sha256: shaOf(bytes) }, initialCluster: 'c', peerUrls: ['p'], token: 't' },
    });
    const refused = `a restore needs 284672 KiB beside the data in ${data}, and ${free} are free\n`;
    expect(run(script, bytes)).toEqual({ status, stderr: status === 0 ? '' : refused });
    expect(existsSync(join(data, `restore-${ID}`))).toBe(status === 0);
  });

  test('refuses what did not arrive whole, and a member whose log is elsewhere', () => {
    expect(run(unpacking('none', SHA), SNAPSHOT)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('did not arrive whole'),
    });
    expect(noted()).toEqual([]);
    rmSync(join(data, 'member/wal'), { recursive: true });
    expect(run(unpacking('none', shaOf(SNAPSHOT)), SNAPSHOT)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('--wal-dir'),
    });
  });
});

describe('a member that is restored from its own data', () => {
  const unpacking = (): string =>
    unpackScript({
      ...{
        id: ID,
        member: { dataDir: data, unit: 'etcd', name: 'etcd-1', peerPort: 2380 },
        from: 'own-data',
        bump: 'none',
      },
      ...{ initialCluster: 'etcd-1=https://10.0.0.1:2380', peerUrls: ['https://10.0.0.1:2380'], token: 'new' },
    });
  const read = (name: string): string => readFileSync(join(directory, name), 'utf8');

  beforeEach(() => {
    put(join(data, 'member/wal/0.wal'), 'log');
    put(join(data, 'member/snap/db'), 'database');
    program(
      'etcdctl',
      `cat "$3" >'${join(directory, 'restored')}'; printf '%s ' "$@" >'${join(directory, 'arguments')}'; for word; do [ "$last" != --data-dir ] || mkdir -p "$word/member"; last=$word; done`,
    );
    // Runs while its file is there; what it is asked is noted.
    program(
      'systemctl',
      [
        `printf '%s\\n' "$1" >>'${join(directory, 'asked')}'`,
        `up='${join(directory, 'up')}'`,
        `case $1 in show) [ -e "$up" ] && echo active || echo failed ;; start) touch "$up" ;; stop) rm -f "$up" ;; is-active) [ -e "$up" ] ;; esac`,
      ].join('\n'),
    );
    program('ss', `[ -e '${join(directory, 'up')}' ] && echo LISTEN`);
    program('sleep', 'exit 0');
  });

  test('is stopped in order first, and keeps what it has', () => {
    put(join(directory, 'up'), '');
    expect(run(unpacking())).toEqual({ status: 0, stderr: '' });
    expect(read('restored')).toBe('database');
    expect(read('arguments')).toContain(`snapshot restore ${data}/restore-${ID}/snapshot.db --name etcd-1`);
    expect(read('arguments')).toContain('--skip-hash-check');
    expect(read('arguments')).not.toContain('force-new-cluster');
    expect(read('asked').split('\n')).not.toContain('start');
    expect([readdirSync(join(data, `restore-${ID}`)), readdirSync(join(data, 'member/snap'))]).toEqual([
      ['data'],
      ['db'],
    ]);
    expect(noted()).toEqual(['unpacked']);
  });

  test('is killed where it does not end, and keeps what it has', () => {
    put(join(directory, 'up'), '');
    const systemctl = readFileSync(join(directory, 'bin/systemctl'), 'utf8').replace('#!/bin/sh\n', '');
    // Its first stop would take for ever; what was killed has stopped.
    const killed = join(directory, 'killed');
    program(
      'systemctl',
      `case $1 in stop) [ -e '${killed}' ] || exec /bin/sleep 3600 ;; kill) echo "$*" >'${killed}' ;; esac\n${systemctl}`,
    );
    expect(run(unpacking().replace('timeout 20 systemctl', 'timeout 0.5 systemctl'))).toEqual({
      status: 0,
      stderr: '',
    });
    expect(read('killed').trim()).toBe('kill --signal=KILL etcd.service');
    expect(read('restored')).toBe('database');
    expect(existsSync(join(directory, 'up'))).toBe(false);
  });

  test('is copied once nothing more is written to its database', () => {
    const [database, times] = [join(data, 'member/snap/db'), join(directory, 'times')];
    // While it is waited for, etcd writes five times, with pauses.
    program(
      'sleep',
      `echo >>'${times}'; n=$(wc -l <'${times}'); case $n in 2 | 3 | 5 | 6 | 8) printf ' and %s' "$n" >>'${database}' ;; esac`,
    );
    expect(run(unpacking())).toEqual({ status: 0, stderr: '' });
    expect(read('restored')).toBe('database and 2 and 3 and 5 and 6 and 8');
  });

  test('is copied where only its user can read it, whatever umask a session of that user has', () => {
    put(join(directory, 'up'), '');
    chownSync(join(data, 'member'), 1, 1);
    // PAM may set it (pam_umask(8)).
    program('runuser', 'umask 022; while [ "$1" != -- ]; do shift; done; shift; exec "$@"');
    const etcdctl = readFileSync(join(directory, 'bin/etcdctl'), 'utf8');
    program('etcdctl', `stat -c %a "$3" >'${join(directory, 'mode')}'\n${etcdctl}`);
    expect(run(unpacking())).toEqual({ status: 0, stderr: '' });
    expect([read('restored'), read('mode')]).toEqual(['database', '600\n']);
  });

  test('reads its log once more where it had crashed', () => {
    expect(run(unpacking())).toEqual({ status: 0, stderr: '' });
    const asked = read('asked').trim().split('\n');
    expect(asked.indexOf('start')).toBeGreaterThan(-1);
    expect(asked.indexOf('stop')).toBeGreaterThan(asked.indexOf('start'));
    expect(existsSync(join(directory, 'up'))).toBe(false);
  });

  test.each([
    ['does not start', 'exit 1', ':', 'etcd does not start with the data that it has'],
    ['writes on', 'echo LISTEN', 'echo >>"$database"', 'etcd still writes to its database after 300 s'],
  ])('is waited for to an end where it %s', (_, ss, etcd, said) => {
    // A clock that only a pause moves on, by a minute.
    put(join(directory, 'now'), '0');
    program('date', `cat '${directory}/now'`);
    program(
      'sleep',
      [
        `echo $(($(cat '${directory}/now') + 60)) >'${directory}/later'; mv '${directory}/later' '${directory}/now'`,
        `database='${join(data, 'member/snap/db')}'; ${etcd}`,
      ].join('\n'),
    );
    program('ss', ss);
    expect(run(unpacking())).toEqual({ status: 1, stderr: `${said}: journalctl -u etcd\n` });
    expect([read('now'), noted()]).toEqual(['300\n', []]);
  });

  test('is left alone without a database', () => {
    rmSync(join(data, 'member/snap'), { recursive: true });
    expect(run(unpacking())).toMatchObject({ status: 1, stderr: expect.stringContaining('there is no database') });
    expect(noted()).toEqual([]);
  });
});

describe('a member that is given up', () => {
  const member = (): { readonly dataDir: string; readonly unit: string } => ({ dataDir: data, unit: 'etcd' });
  const unit = (load: string): void => {
    program(
      'systemctl',
      `printf '%s\\n' "$1" >>'${join(directory, 'asked')}'; case "$*" in *LoadState*) echo ${load} ;; is-active*) exit 3 ;; esac`,
    );
  };

  test('is stopped and disabled, its data aside, and once more', () => {
    unit('loaded');
    put(join(data, 'member/whose'), 'old');
    for (const time of ['first', 'second']) {
      expect([time, run(fenceScript(ID, member()))]).toEqual([time, { status: 0, stderr: '' }]);
      expect([readdirSync(data), read(`member.before-${ID}/whose`)]).toEqual([[`member.before-${ID}`], 'old']);
    }
    expect(readFileSync(join(directory, 'asked'), 'utf8')).toMatch(/^show\ndisable\nstop\nis-active\n/);
    expect(noted()).toEqual(['fenced']);
  });

  test('is nothing on a bare host', () => {
    unit('not-found');
    rmSync(data, { recursive: true });
    expect(run(fenceScript(ID, member()))).toEqual({ status: 0, stderr: '' });
    expect(readFileSync(join(directory, 'asked'), 'utf8')).toBe('show\n');
    expect(noted()).toEqual(['fenced']);
  });

  test('keeps both where there is data aside already', () => {
    unit('loaded');
    put(join(data, 'member/whose'), 'new');
    put(join(data, `member.before-${ID}/whose`), 'old');
    expect(run(fenceScript(ID, member())).status).toBe(1);
    expect([read('member/whose'), read(`member.before-${ID}/whose`)]).toEqual(['new', 'old']);
  });
});

describe('the manifest of an API server', () => {
  const watched = (): string => join(directory, 'real');
  const manifest = (): string => join(directory, 'manifests', 'kube-apiserver.yaml');

  beforeEach(() => {
    // The kubelet watches where a link leads.
    mkdirSync(watched());
    symlinkSync(watched(), join(directory, 'manifests'));
    put(join(watched(), 'kube-apiserver.yaml'), 'kind: Pod');
    // None runs here.
    program('grep', 'exit 1');
  });

  test('leaves the directory that the kubelet watches, and comes back the same, however often', () => {
    for (const time of ['first', 'second']) {
      expect([time, run(stopApiserverScript(ID, manifest())).status]).toEqual([time, 0]);
      expect(readdirSync(watched())).toEqual([]);
    }
    for (const time of ['first', 'second']) {
      expect([time, run(startApiserverScript(ID, manifest(), 'apiserver-started')).status]).toEqual([time, 0]);
      expect(readFileSync(join(watched(), 'kube-apiserver.yaml'), 'utf8')).toBe('kind: Pod');
    }
    expect(noted()).toEqual(['apiserver-started', 'apiserver-stopped', 'manifest']);
  });

  test.each([
    ['ends in its last second', 180, { status: 0, stderr: '' }],
    ['runs on', 240, { status: 1, stderr: expect.stringContaining('a kube-apiserver still runs') }],
  ])('leaves before its process does, which %s', (_, endsAt, expected) => {
    // A clock that only a pause moves on, by a minute.
    put(join(directory, 'now'), '0');
    program('date', `cat '${directory}/now'`);
    program(
      'sleep',
      `echo $(($(cat '${directory}/now') + 60)) >'${directory}/later'; mv '${directory}/later' '${directory}/now'`,
    );
    program('grep', `[ "$(cat '${directory}/now')" -lt ${endsAt} ]`);
    expect(run(stopApiserverScript(ID, manifest()))).toEqual(expected);
    expect(readdirSync(watched())).toEqual([]);
    expect(noted()).toEqual([...(endsAt === 180 ? ['apiserver-stopped'] : []), 'manifest']);
  });

  test('is looked for where there is a directory, and nothing is noted elsewhere', () => {
    const nowhere = join(directory, 'none/there/kube-apiserver.yaml');
    const refused = { status: 1, stderr: `there is no directory ${directory}/none/there\n` };
    expect(run(stopApiserverScript(ID, nowhere))).toEqual(refused);
    expect(run(startApiserverScript(ID, nowhere, 'apiserver-started'))).toEqual(refused);
    expect(noted()).toEqual([]);
  });

  test('is put back without a note when its stop is taken back', () => {
    expect(run(stopApiserverScript(ID, manifest())).status).toBe(0);
    expect(run(unstopApiserverScript(ID, manifest())).status).toBe(0);
    expect(readdirSync(watched())).toEqual(['kube-apiserver.yaml']);
    expect(noted()).toEqual(['manifest']);
  });
});

describe('a member on the way back', () => {
  test('is stopped, and that is noted', () => {
    program('systemctl', `echo "$*" >>'${directory}/asked'; [ "$1" != is-active ]`);
    expect(run(stopMemberScript(ID, 'etcd'))).toEqual({ status: 0, stderr: '' });
    const asked = readFileSync(join(directory, 'asked'), 'utf8').trim().split('\n');
    expect(asked).toEqual(['stop --quiet etcd.service', 'is-active --quiet etcd.service']);
    expect(noted()).toEqual(['back-stopped']);
  });

  test.each(['started', 'back-started'] as const)(
    'is started, and that is noted (%s) until it is taken back',
    (stage) => {
      program('systemctl', `echo "$*" >>'${directory}/asked'`);
      const asked = (): readonly string[] => readFileSync(join(directory, 'asked'), 'utf8').trim().split('\n');
      expect(run(startMemberScript(ID, 'etcd', stage))).toEqual({ status: 0, stderr: '' });
      expect(asked()).toEqual(['reset-failed etcd.service', 'start --quiet etcd.service']);
      expect(noted()).toEqual([stage]);
      expect(run(unstartMemberScript(ID, 'etcd', stage))).toEqual({ status: 0, stderr: '' });
      expect(asked().slice(2)).toEqual(['stop --quiet etcd.service']);
      expect(noted()).toEqual([]);
    },
  );

  test('is not noted as started where it does not start, and its journal is shown', () => {
    program('systemctl', '[ "$1" != start ]');
    program('journalctl', 'echo "$*: panic"');
    const stderr = '--no-pager -o cat -n 15 -u etcd.service: panic\n';
    expect(run(startMemberScript(ID, 'etcd', 'started'))).toEqual({ status: 1, stderr });
    expect(noted()).toEqual([]);
  });

  test.each([
    ['can not be stopped', '[ "$1" = is-active ] && exit 3; exit 1'],
    ['runs on', 'exit 0'],
  ])('is not noted as stopped where it %s', (_, systemctl) => {
    program('systemctl', systemctl);
    expect(run(stopMemberScript(ID, 'etcd')).status).toBe(1);
    expect(noted()).toEqual([]);
  });
});

describe('what remembers old revisions on a control plane', () => {
  const running: ChildProcess[] = [];

  /** A process of this name, as the kernel has it. */
  async function start(name: string): Promise<number> {
    program(name, 'while :; do /bin/sleep 1; done');
    const child = spawn(join(directory, 'bin', name), { stdio: 'ignore' });
    running.push(child);
    await once(child, 'spawn');
    return child.pid ?? 0;
  }

  afterEach(() => {
    for (const child of running.splice(0)) child.kill('SIGKILL');
  });

  test('is ended, to be started again by the kubelet, and the kubelet is restarted; nothing else is', async () => {
    const names = ['kube-controller-manager', 'kube-scheduler', 'kube-apiserver'];
    const [controller, scheduler, apiserver] = await Promise.all(names.map(start));
    const here = [controller, scheduler, apiserver].map((pid) => `/proc/${pid}/comm`).join(' ');
    // Only these are looked at: this machine may have others.
    program('grep', `exec /usr/bin/env -i PATH=/usr/bin:/bin grep "$1" "$2" ${here}`);
    program('systemctl', `echo "$*" >>'${directory}/asked'`);
    const ended = Promise.all(running.slice(0, 2).map((child) => once(child, 'exit')));
    expect(run(restartScript(ID))).toEqual({ status: 0, stderr: '' });
    expect(await ended).toEqual([
      [null, 'SIGTERM'],
      [null, 'SIGTERM'],
    ]);
    expect(running[2]?.exitCode ?? running[2]?.signalCode).toBeNull();
    expect(readFileSync(join(directory, 'asked'), 'utf8')).toBe(
      'is-active --quiet kubelet.service\nrestart --quiet kubelet.service\n',
    );
    expect(noted()).toEqual(['restarted']);
  });
});

describe('the kubelet of a worker', () => {
  const asked = (): string =>
    existsSync(join(directory, 'asked')) ? readFileSync(join(directory, 'asked'), 'utf8') : '';
  const kubelet = (isActive: boolean, restart = 0): void => {
    program(
      'systemctl',
      `case $1 in is-active) exit ${isActive ? 0 : 3} ;; esac; echo "$*" >>${directory}/asked; exit ${restart}`,
    );
  };

  test('is restarted where it runs, and that is noted, as the end of the restore there', () => {
    kubelet(true);
    expect(run(restartWorkerScript(ID)).status).toBe(0);
    expect([asked(), noted()]).toEqual(['restart --quiet kubelet.service\n', ['done', 'restarted']]);
  });

  test('is let be where it does not run', () => {
    kubelet(false);
    expect(run(restartWorkerScript(ID)).status).toBe(0);
    expect([asked(), noted()]).toEqual(['', ['done', 'restarted']]);
  });

  test('that is not restarted is not noted as such', () => {
    kubelet(true, 1);
    expect(run(restartWorkerScript(ID)).status).toBe(1);
    expect(existsSync(join(directory, 'notes'))).toBe(false);
  });

  test('notes are read with how long ago they were made', () => {
    kubelet(true);
    run(restartWorkerScript(ID));
    const hour = Date.now() / 1000 - 3600;
    utimesSync(join(directory, 'notes', ID, 'restarted'), hour, hour);
    const here = restores.script([RESTORES_KEY]).replaceAll(RESTORES, join(directory, 'notes'));
    const { stdout } = spawnSync('sh', ['-c', here], { encoding: 'utf8', cwd: scratch() });
    const there = stdout.replaceAll(/^(N \S+) (\S+)/gm, (_, head: string, path: string) => {
      const real = Buffer.from(path, 'base64').toString('utf8').replace(join(directory, 'notes'), RESTORES);
      return `${head} ${Buffer.from(real).toString('base64')}`;
    });
    const [note] = restores.parse(there, [RESTORES_KEY]).get(RESTORES_KEY) ?? [];
    expect(note?.id).toBe(ID);
    expect(note?.notedAgo.get('restarted')).toBeGreaterThanOrEqual(3599);
    expect(note?.notedAgo.get('restarted')).toBeLessThan(3660);
    expect(note?.notedAgo.get('done')).toBeLessThan(60);
  });
});
