// What is run on a member's host, in a real shell: etcdctl and systemctl are stand-ins that write down how they are called.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { etcdAuth, etcdAuthKey } from '../../src/facts/etcd-auth.js';
import { etcdData, etcdDataKey } from '../../src/facts/etcd-data.js';
import { handOverLeadership } from '../../src/shell/etcdctl.js';
import { allowBootstrap, forbidBootstrap, moveDataAside, queueEtcd } from '../../src/shell/etcd-unit.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { scratch } from '../support/scratch.js';

const UNITS = '/etc/systemd/system/etcd.service.d';
let directory: string;

function program(name: string, script: string): void {
  const file = join(directory, 'bin', name);
  writeFileSync(file, `#!/bin/sh\necho "${name} $*" >>'${directory}/calls'\n${script}\n`, { mode: 0o755 });
}

/** Runs a script. @returns its status, and the arguments of the stand-ins */
function run(script: string): { readonly status: number | null; readonly stdout: string; readonly calls: string } {
  const inside = script.replaceAll(UNITS, join(directory, 'units/etcd.service.d'));
  const env = { PATH: `${join(directory, 'bin')}:/usr/bin:/bin` };
  const { status, stdout } = spawnSync('sh', ['-c', inside], { encoding: 'utf8', env, cwd: scratch() });
  const calls = join(directory, 'calls');
  return { status, stdout, calls: existsSync(calls) ? readFileSync(calls, 'utf8') : '' };
}

beforeEach(() => {
  directory = temporaryDirectory('etcd-scripts');
  mkdirSync(join(directory, 'bin'));
  program('systemctl', '');
  atPort('open');
});

/** What bash finds at the port of the member. */
function atPort(found: 'open' | 'nobody'): void {
  const script = found === 'open' ? '' : "echo 'bash: connect: Connection refused' >&2; exit 1\n";
  writeFileSync(join(directory, 'bin', 'bash'), `#!/bin/sh\n${script}`, { mode: 0o755 });
}

describe('leadership', () => {
  const member = { clientUrl: 'https://127.0.0.1:2379', client: { ca: '/ca', certificate: '/c', key: '/k' } };
  // As etcdctl 3.4 and 3.5 print them.
  const status = (isLeader: boolean): string =>
    `https://127.0.0.1:2379, aa1, 3.5.16, 20 kB, ${String(isLeader)}, false, 2, 9, 9, `;
  const listed = (id: string, state: string, isLearner: boolean): string =>
    `${id}, ${state}, etcd-${id}, https://10.0.0.1:2380, https://10.0.0.1:2379, ${String(isLearner)}`;
  const SELF = listed('aa1', 'started', false);

  test.each<[string, string | undefined, readonly string[], string | undefined]>([
    [
      'goes to another voter',
      status(true),
      [SELF, listed('bb2', 'started', false), listed('cc3', 'started', false)],
      'bb2',
    ],
    [
      'goes to another voter with etcd 3.6, which tells four columns more',
      'https://127.0.0.1:2379, aa1, 3.6.4, 3.6.0, 20 kB, 16 kB, 20%, 0 B, true, false, 7, 26, 26, , , false',
      [SELF, listed('bb2', 'started', false)],
      'bb2',
    ],
    [
      'is not a follower’s to give with etcd 3.6',
      'https://127.0.0.1:2379, aa1, 3.6.4, 3.6.0, 20 kB, 16 kB, 20%, 0 B, false, false, 7, 26, 26, , , true',
      [SELF, listed('bb2', 'started', false)],
      undefined,
    ],
    ['goes to the one behind', status(true), [listed('bb2', 'started', false), SELF], 'bb2'],
    [
      'goes to no learner',
      status(true),
      [SELF, listed('bb2', 'started', true), listed('cc3', 'started', false)],
      'cc3',
    ],
    ['goes to none that is not started', status(true), [SELF, listed('bb2', 'unstarted', false)], undefined],
    ['stays where there is nobody else', status(true), [SELF], undefined],
    ['is not a follower’s to give', status(false), [SELF, listed('bb2', 'started', false)], undefined],
    ['is not asked for where etcd does not answer', undefined, [], undefined],
  ])('%s', (_, own, list, to) => {
    writeFileSync(join(directory, 'status'), own === undefined ? '' : `${own}\n`);
    writeFileSync(join(directory, 'list'), list.map((line) => `${line}\n`).join(''));
    const lines = [
      '[ "$ETCDCTL_API" = 3 ] || exit 9',
      'case "$*" in',
      `*'endpoint status -w simple') cat '${directory}/status'; [ -s '${directory}/status' ] ;;`,
      `*'member list -w simple') cat '${directory}/list' ;;`,
      'esac',
    ];
    program('etcdctl', lines.join('\n'));
    const done = run(handOverLeadership(member));
    expect(done.status).toBe(0);
    const moves = done.calls.split('\n').filter((line) => line.includes('move-leader'));
    expect(moves.map((line) => line.replace(/.* move-leader/, 'move-leader'))).toEqual(
      to === undefined ? [] : [`move-leader ${to}`],
    );
    // Who does not lead is asked nothing more.
    const leads = / true, false, /.test(own ?? '');
    expect(done.calls.split('\n').filter((line) => line.endsWith('member list -w simple'))).toHaveLength(leads ? 1 : 0);
    expect(done.stdout).toBe(own === undefined ? 'etcd does not answer: nothing to hand over\n' : '');
  });

  test('that can’t be handed over is an error', () => {
    writeFileSync(join(directory, 'list'), `${SELF}\n${listed('bb2', 'started', false)}\n`);
    program(
      'etcdctl',
      `case "$*" in *status*) echo '${status(true)}' ;; *list*) cat '${directory}/list' ;; *) exit 4 ;; esac`,
    );
    expect(run(handOverLeadership(member)).status).toBe(4);
  });

  test('is not taken for another’s where the host can not tell', () => {
    program('etcdctl', `echo '${status(true)}'`);
    program('awk', 'exit 2');
    expect(run(handOverLeadership(member)).status).toBe(2);
  });
});

describe('a bootstrap', () => {
  const units = (): string => join(directory, 'units/etcd.service.d');

  test('is allowed by a drop-in that systemd and every user can read, and forbidden again', () => {
    const allowed = run(`umask 077\n${allowBootstrap().script}`);
    expect(allowed).toMatchObject({ status: 0, calls: 'systemctl daemon-reload\n' });
    expect(readFileSync(join(units(), '10-provision-bootstrap.conf'), 'utf8')).toBe(
      `# Written by provision: only until the cluster is formed.\n[Service]\nEnvironmentFile=${units()}/provision-bootstrap.env\n`,
    );
    expect(readFileSync(join(units(), 'provision-bootstrap.env'), 'utf8')).toBe('ETCD_INITIAL_CLUSTER_STATE=new\n');
    for (const name of readdirSync(units())) expect(statSync(join(units(), name)).mode & 0o777).toBe(0o644);
    expect(run(forbidBootstrap().script)).toMatchObject({
      status: 0,
      calls: 'systemctl daemon-reload\nsystemctl daemon-reload\n',
    });
    expect(readdirSync(units())).toEqual([]);
    // As often as a killed run needs.
    expect(run(forbidBootstrap().script).status).toBe(0);
  });

  test('that can’t be written, or that systemd does not read, is an error', () => {
    program('systemctl', 'exit 3');
    expect(run(allowBootstrap().script).status).toBe(3);
    expect(run(forbidBootstrap().script).status).toBe(3);
    program('systemctl', '');
    writeFileSync(join(directory, 'units/etcd.service.d/x'), '');
    expect(run(allowBootstrap().script.replaceAll(UNITS, `${units()}/x`)).status).not.toBe(0);
  });

  test.each(['start', 'restart'] as const)('%s is queued, also where systemd never failed before', (verb) => {
    expect(run(queueEtcd(verb, 'etcd').script).calls).toBe(
      `systemctl daemon-reload\nsystemctl reset-failed etcd\nsystemctl ${verb} --no-block etcd\n`,
    );
    program('systemctl', '[ "$1" != reset-failed ]');
    expect(run(queueEtcd(verb, 'etcd').script).status).toBe(0);
  });
});

describe('data that is no member’s', () => {
  const data = (): string => join(directory, "it's data");
  beforeEach(() => {
    mkdirSync(data());
    writeFileSync(join(data(), 'db'), 'precious');
    program('install', 'shift 7; mkdir "$@"');
  });

  test('is moved to a dated name beside it, once etcd has stopped', () => {
    expect(run(moveDataAside(data()).script)).toMatchObject({
      status: 0,
      calls: `systemctl stop etcd\ninstall -d -m 0700 -o etcd -g etcd ${data()}\n`,
    });
    const [aside = ''] = readdirSync(directory).filter((name) => name.includes('.untouched-'));
    expect(aside).toMatch(/^it's data\.untouched-\d{8}T\d{6}Z$/);
    expect(readFileSync(join(directory, aside, 'db'), 'utf8')).toBe('precious');
    expect(readdirSync(data())).toEqual([]);
  });

  test('stays where etcd does not stop', () => {
    program('systemctl', 'exit 1');
    expect(run(moveDataAside(data()).script).status).toBe(1);
    expect(readFileSync(join(data(), 'db'), 'utf8')).toBe('precious');
  });
});

describe('a member whose port nobody listens on', () => {
  const member = { clientUrl: 'https://127.0.0.1:2379', client: { ca: '/ca', certificate: '/c', key: '/k' } };

  beforeEach(() => {
    atPort('nobody');
    program('etcdctl', 'echo {}');
  });

  test('has no leadership to hand over', () => {
    expect(run(handOverLeadership(member))).toEqual({
      status: 0,
      stdout: 'etcd does not answer: nothing to hand over\n',
      calls: '',
    });
  });

  test('does not tell whether it asks its clients', () => {
    const key = etcdAuthKey(member);
    const { stdout, calls } = run(etcdAuth.script([key]));
    expect([etcdAuth.parse(stdout, [key]).get(key), calls]).toEqual([
      { kind: 'silent', reason: 'connection refused' },
      '',
    ]);
  });

  test('does not tell whether it is alone', () => {
    mkdirSync(join(directory, 'data/member'), { recursive: true });
    const key = etcdDataKey({ dataDir: join(directory, 'data'), configFile: join(directory, 'none') });
    const ask = () => {
      const { stdout, calls } = run(etcdData.script([key]));
      return [etcdData.parse(stdout, [key]).get(key), calls.split('\n').length - 1];
    };
    expect(ask()).toEqual([expect.objectContaining({ hasData: true, lone: undefined }), 0]);
    atPort('open');
    expect(ask()).toEqual([expect.objectContaining({ hasData: true }), 2]);
  });
});

describe('whether etcd asks its clients who they are', () => {
  const key = etcdAuthKey({
    clientUrl: 'https://127.0.0.1:2379',
    client: { ca: '/ca', certificate: '/c', key: '/k' },
  });

  // As etcdctl 3.4 and 3.5 print them.
  test.each<[string, string, object]>([
    ['not, where a user that nobody has is passed over', 'exit 0', { kind: 'off' }],
    [
      'yes, where it is refused',
      'echo "Error: etcdserver: authentication failed, invalid user ID or password" >&2; exit 1',
      { kind: 'on' },
    ],
    [
      'not known, where it does not answer',
      'echo "Error: context deadline exceeded" >&2; exit 1',
      { kind: 'silent', reason: 'Error: context deadline exceeded' },
    ],
  ])('%s', (_, script, answer) => {
    program('etcdctl', script);
    const { stdout, calls } = run(etcdAuth.script([key]));
    expect(etcdAuth.parse(stdout, [key]).get(key)).toEqual(answer);
    expect(calls).toMatch(/^etcdctl --endpoints=https:\/\/127\.0\.0\.1:2379 .* get --limit=1 --keys-only \S+$/m);
  });
});

describe('the data of a member', () => {
  const configured = (lines: readonly string[]): unknown => {
    const [configFile, dataDir] = [join(directory, 'etcd'), join(directory, 'new')];
    writeFileSync(configFile, `${lines.join('\n')}\n`);
    const key = etcdDataKey({ configFile, dataDir });
    return etcdData.parse(run(etcdData.script([key])).stdout, [key]).get(key);
  };
  const place = (name: string): string => join(directory, name);

  test.each<[string, (line: string) => readonly string[]]>([
    ['as this program writes it', (old) => [`ETCD_DATA_DIR="${old}"`, 'ETCD_INITIAL_CLUSTER="a=https://a:2380"']],
    ['without quotes', (old) => ['ETCD_INITIAL_CLUSTER=a=https://a:2380', `ETCD_DATA_DIR=${old}`]],
    ['in single quotes', (old) => [`ETCD_DATA_DIR='${old}'`]],
    ['with blanks around it', (old) => [` ETCD_DATA_DIR=${old} \t\r`]],
    ['the last one counts', (old) => ['ETCD_DATA_DIR=/nowhere', `ETCD_DATA_DIR="${old}"`]],
  ])('is found where its configuration has it: %s', (_, lines) => {
    mkdirSync(place('old/member'), { recursive: true });
    expect(configured(lines(place('old')))).toMatchObject({ hasData: false, keptIn: place('old') });
    // Once it is moved, or where both names lead to the same place.
    rmSync(place('old/member'), { recursive: true });
    expect(configured(lines(place('old')))).not.toHaveProperty('keptIn');
    mkdirSync(place('new/member'), { recursive: true });
    symlinkSync(place('new'), place('link'));
    expect(configured(lines(place('link')))).not.toHaveProperty('keptIn');
    expect(configured(lines(`${place('new')}/`))).toMatchObject({ hasData: true });
    expect(configured(lines(`${place('new')}/`))).not.toHaveProperty('keptIn');
  });

  test('says no more where the configuration is missing, and runs nothing of it', () => {
    const key = etcdDataKey({ configFile: place('none'), dataDir: place('new') });
    const { stdout } = run(etcdData.script([key]));
    expect(etcdData.parse(stdout, [key]).get(key)).toMatchObject({ hasData: false, isConfigured: false });
    expect(configured([`ETCD_DATA_DIR="$(touch ${place('planted')})"`])).toMatchObject({ hasData: false });
    expect(existsSync(place('planted'))).toBe(false);
  });
});
