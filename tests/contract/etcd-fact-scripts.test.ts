// Facts about etcd, asked of this machine with a real shell: etcdctl, curl and systemd are stand-ins.
import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { etcdDatabaseFile } from '../../src/facts/etcd-database-file.js';
import { ETCD, etcdOnHost, settingPlaces } from '../../src/facts/etcd-process.js';
import { etcdQuota, etcdQuotaKey } from '../../src/facts/etcd-quota.js';
import { etcdRegistry, etcdRegistryKey } from '../../src/facts/etcd-registry.js';
import { etcdRemains, etcdRemainsKey } from '../../src/facts/etcd-remains.js';
import { etcdStatus, etcdStatusKey } from '../../src/facts/etcd-status.js';
import { restoreTool, RESTORE_TOOL, restores, RESTORES_KEY } from '../../src/facts/restores.js';
import { scheduledSnapshots, scheduledSnapshotsKey } from '../../src/facts/scheduled-snapshots.js';
import { RUN_CREDENTIAL } from '../../src/shell/batch.js';
import { RESTORES } from '../../src/shell/restore-stage.js';
import { snapshotNames } from '../../src/shell/snapshot-unit.js';
import { waitUntil } from '../../src/lab/process.js';
import { askHere } from '../support/ask-here.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

let directory: string;

beforeEach(() => {
  directory = temporaryDirectory('etcd-facts');
});

/** bash finds that the ports of members take connections. */
const OPEN = { bash: '' };
const MEMBER = { clientUrl: 'https://10.0.0.1:2379', client: { ca: '/ca', certificate: '/crt', key: '/key' } };

test('the file of a database is known by its inode', async () => {
  const path = join(directory, 'member', 'snap', 'db');
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, '');
  expect(await askHere(etcdDatabaseFile, [join(directory, 'none'), directory])).toEqual([
    '',
    String(statSync(path).ino),
  ]);
});

describe('the etcd that runs on a host', () => {
  const systemctl = `printf 'Id=etcd.service\\nFragmentPath=/lib/systemd/system/etcd.service\\nDropInPaths=\\nEnvironmentFiles=/etc/default/etcd (ignore_errors=yes)\\n'`;

  test('is shown as it was started, without what may be secret', async () => {
    const program = join(directory, 'etcd');
    copyFileSync('/bin/sleep', program);
    const env = { ETCD_NAME: 'infra0', ETCD_INITIAL_CLUSTER_TOKEN: 'planted-secret', NOT_ETCD_NAME: 'x' };
    const child = spawn(program, ['600'], { env, cwd: directory });
    try {
      const mine = async () => {
        const [found] = await askHere(etcdOnHost, [ETCD], { tools: { systemctl, etcdctl: 'exit 1' } });
        return { found, own: found?.processes.find(({ pid }) => pid === child.pid) };
      };
      expect(await waitUntil(async () => (await mine()).own?.environment.size === 1, 20_000, 50)).toBe(true);
      const { found, own } = await mine();
      expect(own).toMatchObject({
        argv: [program, '600'],
        environment: new Map([['ETCD_NAME', 'infra0']]),
        workingDirectory: directory,
        program,
      });
      expect(own?.startedBy.kind).not.toBe('container');
      expect(JSON.stringify([...(own?.environment ?? [])])).not.toContain('planted-secret');
      expect(found?.etcdctl).toMatch(/\/etcdctl$/);
    } finally {
      child.kill();
    }
  });

  test('has no etcdctl where there is none', async () => {
    const only = ['grep', 'readlink', 'sed', 'tail'];
    const [found] = await askHere(etcdOnHost, [ETCD], { only, tools: { systemctl } });
    expect(found?.etcdctl).toBeUndefined();
  });

  test('its settings stand where a file names them last, not in comments', async () => {
    const [unit, environment] = [join(directory, 'etcd.service'), join(directory, 'etcd')];
    writeFileSync(unit, 'ExecStart=/usr/bin/etcd --cert-file=/a \\\n  --name "x"\n# --key-file=/k\n--cert-file /b\n');
    writeFileSync(environment, 'ETCD_NAME="a"\n ; ETCD_KEY_FILE=/k\n  ETCD_KEY_FILE=/secret\n');
    writeFileSync(join(directory, 'empty'), '');
    const found = await askHere(settingPlaces, [unit, join(directory, 'none'), join(directory, 'empty'), environment]);
    expect(found.map(({ lines }) => Object.fromEntries(lines))).toEqual([
      { '--cert-file': 4, '--name': 2 },
      {},
      {},
      { ETCD_NAME: 1, ETCD_KEY_FILE: 3 },
    ]);
    expect(found.map(({ changedAt }) => changedAt !== undefined)).toEqual([true, false, true, true]);
    expect(found[0]?.changedAt).toBe(Math.floor(statSync(unit).mtimeMs / 1000));
  });
});

describe('the quota of a member', () => {
  const keys = [etcdQuotaKey(MEMBER), etcdQuotaKey({ ...MEMBER, clientUrl: 'https://10.0.0.2:2379' })];

  test('is what the running process says', async () => {
    const curl = `case "$*" in *10.0.0.1*) printf '# HELP x\\netcd_server_quota_backend_bytes_more 1\\netcd_server_quota_backend_bytes 2.147483648e+09\\n' ;; *) echo 'no route' >&2; exit 7 ;; esac`;
    expect(await askHere(etcdQuota, keys, { tools: { curl } })).toEqual([2147483648, undefined]);
  });
});

describe('whether etcd holds a Kubernetes', () => {
  const keys = ['1', '2', '3'].map((end) => etcdRegistryKey({ ...MEMBER, clientUrl: `https://10.0.0.${end}:2379` }));

  test('is known by a key below /registry/, and by nothing where the member is silent', async () => {
    const etcdctl = `[ "$ETCDCTL_API" = 3 ] || exit 9
case "$*" in
*'get /registry/ --prefix --keys-only --limit=1') ;;
*) exit 9 ;;
esac
case "$*" in *10.0.0.1*) printf '/registry/x\\n\\n' ;; *10.0.0.2*) ;; *) echo refused >&2; exit 1 ;; esac`;
    expect(await askHere(etcdRegistry, keys, { tools: { etcdctl, ...OPEN } })).toEqual(['used', 'empty', 'silent']);
    const bash = 'case $3 in 10.0.0.1) echo "connect: Connection refused" >&2; exit 1 ;; esac';
    expect(await askHere(etcdRegistry, keys, { tools: { etcdctl, bash } })).toEqual(['silent', 'empty', 'silent']);
  });
});

describe('what is left of a member', () => {
  const [OLD, NEW] = ['0000000000000001-0000000000000000', '0000000000000002-000000000000000a'];
  const etcdutl = `[ "$ETCDCTL_API" = 3 ] && [ "$1 $2" = 'snapshot status' ] && [ -f "$3" ] && [ "$4 $5" = '-w json' ] && printf 'note\\n{"hash":1,"revision":42}\\n'`;

  function put(): string {
    const data = join(directory, 'default');
    mkdirSync(join(data, 'member', 'snap'), { recursive: true });
    mkdirSync(join(data, 'member', 'wal'));
    writeFileSync(join(data, 'member', 'snap', 'db'), 'x'.repeat(77));
    for (const name of [`${NEW}.snap`, `${OLD}.snap`, 'ffff.snap.db'])
      writeFileSync(join(data, 'member', 'snap', name), '');
    // The head of a real log: a checksum, then the metadata of node 1 in cluster 77.
    const metadata = Buffer.from([0x08, 1, 0x10, 77]);
    const record = Buffer.from([0x08, 1, 0x10, 0, 0x1a, metadata.length, ...metadata]);
    const length = Buffer.alloc(8);
    length.writeUInt8(record.length);
    writeFileSync(join(data, 'member', 'wal', `${NEW}.wal`), Buffer.concat([length, record]));
    writeFileSync(join(data, 'member', 'wal', `${OLD}.wal`), 'old');
    writeFileSync(join(data, 'member', 'wal', '1.tmp'), 'not yet');
    return data;
  }

  test.each([
    ['inactive', false, 42],
    ['failed', false, 42],
    ['active', true, undefined],
    ['activating', true, undefined],
    ['reloading', true, undefined],
    ['deactivating', true, undefined],
  ])('where its unit is %s', async (state, isRunning, revision) => {
    const key = etcdRemainsKey({ dataDir: put(), unit: 'etcd' });
    const systemctl = `[ "$*" = 'show -P ActiveState -- etcd.service' ] && echo ${state}`;
    expect(await askHere(etcdRemains, [key], { tools: { systemctl, etcdutl, etcdctl: 'exit 3' } })).toEqual([
      { hasData: true, databaseBytes: 77, isRunning, clusterId: '77', revision, snapshot: { term: 2, index: 10 } },
    ]);
  });

  test('is nothing where there is nothing, each of several its own', async () => {
    const keys = [join(directory, 'none'), put()].map((dataDir) => etcdRemainsKey({ dataDir, unit: 'etcd' }));
    // Without etcdutl its older half does it.
    const [none, some] = await askHere(etcdRemains, keys, {
      only: ['ls', 'grep', 'sed', 'tail', 'head', 'stat'],
      tools: { systemctl: 'exit 1', etcdctl: etcdutl },
    });
    expect(none).toEqual({
      hasData: false,
      databaseBytes: 0,
      isRunning: false,
      clusterId: undefined,
      revision: undefined,
      snapshot: undefined,
    });
    expect(some).toMatchObject({ hasData: true, revision: 42 });
  });
});

describe('a member that is asked in another way', () => {
  const STATUS = `[{"Status":{"header":{"cluster_id":77,"member_id":1,"revision":4},"version":"3.4.23","leader":1,"raftIndex":9}}]`;
  const server = (name: string): { readonly certificate: string; readonly key: string } => ({
    certificate: join(directory, `${name}.crt`),
    key: join(directory, `${name}.key`),
  });
  const key = (): string =>
    etcdStatusKey({
      clientUrl: MEMBER.clientUrl,
      client: { ca: '/ca', ...server('client') },
      server: server('server'),
    });

  /** etcdctl answers to who gives these words, and refuses others. */
  const etcdctl = (accepts: string, refusal = 'context deadline exceeded'): string => `echo "$*" >>'${directory}/calls'
case "$*" in
${accepts}) ;;
*) printf '%s\\n' '{"msg":"x"}' 'Error: (${refusal})' '[]' >&2; exit 1 ;;
esac
case "$*" in
*'endpoint status'*) echo '${STATUS}' ;;
*'endpoint health'*) echo healthy ;;
*'member list'*) echo '{"members":[{"ID":1,"name":"etcd-1","peerURLs":["https://10.0.0.1:2380"]}]}' ;;
*'alarm list'*) echo '{"alarms":[{"memberID":1,"alarm":1}]}' ;;
esac`;
  const put = (...names: readonly string[]): void => {
    for (const name of names) for (const path of Object.values(server(name))) writeFileSync(path, '');
  };
  const ask = async (tool: string, credential = join(directory, 'run')) =>
    (
      await askHere(etcdStatus, [key()], {
        tools: { etcdctl: tool, ...OPEN },
        moved: { [RUN_CREDENTIAL]: credential },
      })
    )[0];
  const calls = (): readonly string[] => readFileSync(join(directory, 'calls'), 'utf8').trim().split('\n');

  test('answers to its host’s client certificate, and says nothing of a failure', async () => {
    put('client', 'server');
    const found = await ask(etcdctl(`*--cacert=*client.crt*`));
    expect(found).toMatchObject({ kind: 'answers', isHealthy: true, alarms: ['NOSPACE'], members: [{ id: '1' }] });
    expect(found).not.toHaveProperty('usualFailure');
    expect(calls()).toHaveLength(4);
  });

  test.each([
    ['with that certificate, unverified', '*--insecure-skip-tls-verify*client.crt*', ['client', 'server'], 5],
    ['with its server certificate', '*--insecure-skip-tls-verify*server.crt*', ['client', 'server'], 6],
    ['with its server certificate alone', '*--insecure-skip-tls-verify*server.crt*', ['server'], 5],
    [
      'with the one that the run was given',
      '*--insecure-skip-tls-verify*/run?--key=*/run?*',
      ['client', 'server', 'run'],
      7,
    ],
  ])('%s', async (_, accepts, names, count) => {
    put(...names);
    if (names.includes('run')) writeFileSync(join(directory, 'run'), '');
    const found = await ask(etcdctl(accepts));
    expect(found).toMatchObject({
      kind: 'answers',
      isHealthy: true,
      usualFailure: 'context deadline exceeded',
      members: [{ id: '1', name: 'etcd-1' }],
    });
    expect(calls()).toHaveLength(count);
  });

  test('that nothing opens is silent, and where nobody listens nothing more is tried', async () => {
    put('client', 'server');
    expect(await ask(etcdctl('none'))).toEqual({ kind: 'silent', reason: 'context deadline exceeded' });
    expect(calls()).toHaveLength(3);
    await ask(etcdctl('none', 'connection refused'));
    expect(calls()).toHaveLength(4);
  });

  test('several are asked at once, each by its own port', async () => {
    const client = { ca: '/ca', ...server('client') };
    const keys = ['1', '2', '3'].map((end) => etcdStatusKey({ clientUrl: `https://10.0.0.${end}:2379`, client }));
    // The first waits for the last: in turn it would wait for ever.
    const tool = `case "$*" in
*https://10.0.0.1:*status*) until [ -e '${directory}/last' ]; do sleep 0.05; done ;;
*https://10.0.0.3:*) : >'${directory}/last' ;;
esac
${etcdctl('*')}`;
    const bash = 'case $3 in 10.0.0.2) echo "connect: No route to host" >&2; exit 1 ;; esac';
    const found = await askHere(etcdStatus, keys, { tools: { etcdctl: tool, bash } });
    expect(found).toEqual([
      expect.objectContaining({ kind: 'answers', isHealthy: true, members: [expect.anything()] }),
      { kind: 'silent', reason: 'no route to host' },
      expect.objectContaining({ kind: 'answers', isHealthy: true, members: [expect.anything()] }),
    ]);
    expect(calls().filter((line) => line.includes('10.0.0.2'))).toEqual([]);
  });

  test('a learner is asked for its status alone', async () => {
    put('client', 'server');
    const learner = STATUS.replace('"raftIndex"', '"isLearner":true,"raftIndex"');
    const found = await ask(etcdctl('*client.crt*').replace(STATUS, learner));
    expect(found).toMatchObject({ kind: 'answers', isLearner: true, members: [] });
    expect(calls()).toHaveLength(1);
  });
});

describe('restores', () => {
  test('are what a host has noted of each, but for what was to be restored', async () => {
    const notes = join(directory, 'restore');
    const [RESTORE, RECOVERY] = ['20261125T000000Z-0123abcd', '20261126T000000Z-recover'];
    for (const [id, stage, text] of [
      [RESTORE, 'fenced', 'yes\nmore\n'],
      [RESTORE, 'manifest', 'large'],
      [RESTORE, 'exchanged', ''],
      [RECOVERY, 'fenced', 'no'],
      ['b c', 'fenced', 'no'],
    ] as const) {
      mkdirSync(join(notes, id, 'directory'), { recursive: true });
      writeFileSync(join(notes, id, stage), text);
    }
    utimesSync(join(notes, RECOVERY, 'fenced'), new Date(), new Date(Date.now() - 3_600_000));
    // Their names are listed with the directory.
    const moved = { [RESTORES]: notes, '"$note" | base64': `"${RESTORES}\${note#${notes}}" | base64` };
    const [found = []] = await askHere(restores, [RESTORES_KEY], { moved });
    expect(found.map(({ id, stages }) => [id, Object.fromEntries(stages)])).toEqual([
      [RESTORE, { exchanged: '', fenced: 'yes' }],
      [RECOVERY, { fenced: 'no' }],
    ]);
    const ago = found.map(({ notedAgo }) => notedAgo.get('fenced') ?? -1);
    expect(ago[0]).toBeLessThan(600);
    expect(Math.round((ago[1] ?? 0) / 600)).toBe(6);
    expect(await askHere(restores, [RESTORES_KEY], { moved: { [RESTORES]: join(directory, 'none') } })).toEqual([[]]);
  });

  const says = (name: string, help: string, version: string): string =>
    `case "$ETCDCTL_API $*" in '3 snapshot restore --help') echo '${help}' >&2 ;; '3 version') printf '${name} version: ${version}\\nAPI version: 3.5\\n' ;; *) exit 4 ;; esac`;
  const only = ['grep', 'head', 'sed'];

  test.each([
    [{ etcdutl: says('etcdutl', '--bump-revision N', '3.5.16') }, ['etcdutl', '3.5.16', true]],
    [{ etcdctl: says('etcdctl', '--skip-hash-check', '3.4.23') }, ['etcdctl', '3.4.23', false]],
    [
      { etcdutl: says('etcdutl', '--bump-revision', '3.6.1'), etcdctl: says('etcdctl', '', '3.5.1') },
      ['etcdutl', '3.6.1', true],
    ],
    [{ etcdctl: 'exit 1' }, ['etcdctl', '', false]],
    [{}, [undefined, '', false]],
  ])('are done by %j', async (tools, [name, version, canBump]) => {
    expect(await askHere(restoreTool, [RESTORE_TOOL], { tools, only })).toEqual([{ name, version, canBump }]);
  });
});

describe('snapshots on a schedule', () => {
  const STAMP = [
    ...['file=etcd-a.db', 'saved=1700000000', 'revision=9', 'keys=20', 'bytes=5', 'larger=0', 'other=1'],
    'upload=failed 3',
  ].join('\n');
  const tools = {
    date: 'echo 1700009999',
    systemctl: `case "$*" in
*'--timestamp=unix'*' -- provision-etcd-snapshot.timer') printf 'ActiveState=active\\nActiveEnterTimestamp=@1690000000\\n' ;;
*' -- provision-etcd-snapshot.service') printf 'ActiveState=inactive\\nResult=exit-code\\nExecMainStatus=70\\n' ;;
esac`,
    journalctl: `case "$*" in *'-t provision-etcd-snapshot _SYSTEMD_UNIT=provision-etcd-snapshot.service') printf 'first\\nno room\\nupload: planted-secret\\n' ;; esac`,
    'systemd-analyze': `printf 'Next elapse: Tue 2023-11-14 23:00:00 UTC\\nbase %s\\n' "$*" >&2; case "$*" in
'calendar --iterations=2 --base-time=@1700000000 -- hourly') printf '  Next elapse: Tue 2023-11-14 23:00:00 UTC\\n   Iteration #2: Wed 2023-11-15 00:00:00 UTC\\n' ;;
'calendar --iterations=2 --base-time=@1690000000 -- hourly') printf '  Next elapse: Sat 2023-07-22 05:00:00 UTC\\n' ;;
esac`,
  };
  const key = (): string => scheduledSnapshotsKey('etcd-1', { directory, onCalendar: 'hourly' });

  test('are as the timer, its last run, its stamp and its file say', async () => {
    writeFileSync(join(directory, snapshotNames('etcd-1').stamp), STAMP);
    writeFileSync(join(directory, 'etcd-a.db'), '12345');
    expect(await askHere(scheduledSnapshots, [key()], { tools })).toEqual([
      {
        now: 1700009999,
        timer: { active: true, since: 1690000000 },
        run: { isRunning: false, result: 'exit-code', status: 70, said: 'no room' },
        last: {
          ...{ file: 'etcd-a.db', savedAt: 1700000000, revision: 9, keys: 20, bytes: 5, larger: 0, other: 1 },
          upload: { failedWith: 3 },
        },
        lastBytes: 5,
        due: [Date.parse('2023-11-14T23:00:00Z') / 1000, Date.parse('2023-11-15T00:00:00Z') / 1000],
      },
    ]);
  });

  test('that were never made are due from the start of the timer on', async () => {
    const [found] = await askHere(scheduledSnapshots, [key()], { tools });
    expect(found).toMatchObject({ due: [Date.parse('2023-07-22T05:00:00Z') / 1000] });
    expect([found?.last, found?.lastBytes]).toEqual([undefined, undefined]);
  });

  test('whose file is gone have no size', async () => {
    writeFileSync(join(directory, snapshotNames('etcd-1').stamp), STAMP);
    const [found] = await askHere(scheduledSnapshots, [key()], { tools });
    expect([found?.last !== undefined, found?.lastBytes]).toEqual([true, undefined]);
  });
});
