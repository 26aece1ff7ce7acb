import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { etcdCondition, etcdConditionKey, type EtcdCondition } from '../../src/facts/etcd-condition.js';
import type { Member } from '../../src/model/cluster.js';
import { run } from '../support/lab.js';
import { sampleMember } from '../support/sample-cluster.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const METRICS = `# HELP etcd_server_has_leader Whether or not a leader exists.
etcd_server_has_leader 1
etcd_disk_wal_fsync_duration_seconds_bucket{le="0.001"} 900
etcd_disk_wal_fsync_duration_seconds_bucket{le="0.002"} 990
etcd_disk_wal_fsync_duration_seconds_bucket{le="+Inf"} 1000
etcd_disk_wal_fsync_duration_seconds_sum 1.5
etcd_disk_wal_fsync_duration_seconds_count 1000
go_goroutines 90
`;

let directory = '';
let listening: Server;
let [open, closed] = [0, 0];

/** @param bin the directory of programs of one kind of host */
function program(name: string, script: string, bin = 'bin'): void {
  const path = join(directory, bin, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

beforeAll(async () => {
  directory = temporaryDirectory('condition');
  for (const path of ['bin', 'none', 'data', 'data/member', 'new']) mkdirSync(join(directory, path));
  writeFileSync(join(directory, 'metrics'), METRICS);
  writeFileSync(
    join(directory, 'journal'),
    [
      '1760000000.123456 etcd[12]: panic: freepages: page 3',
      // What a journal holds passes for nothing else.
      'M data',
      'E',
      `1760000001.000001 etcd[12]: ${'x'.repeat(5000)}`,
      '1760000002 systemd[1]: etcd.service: Failed',
      '',
    ].join('\n'),
  );
  program(
    'systemctl',
    // Only what is asked for, of the unit that is asked for.
    `[ "$1 $2 $4 $5" = 'show -p -- etcd.service' ] || exit 1
for each in LoadState=loaded ActiveState=activating SubState=auto-restart Result=exit-code NRestarts=7 ExecMainStatus=2 Id=x
do case ",$3," in *,"\${each%%=*}",*) echo "$each" ;; esac; done`,
  );
  program('journalctl', `echo "$*" > ${directory}/asked; cat ${directory}/journal`);
  program('curl', `cat ${directory}/metrics`);
  for (const name of ['systemctl', 'journalctl', 'curl']) program(name, 'exit 127', 'none');
  listening = createServer().listen(0, '127.0.0.1');
  const other = createServer().listen(0, '127.0.0.1');
  await Promise.all([once(listening, 'listening'), once(other, 'listening')]);
  [open, closed] = [(listening.address() as AddressInfo).port, (other.address() as AddressInfo).port];
  other.close();
  await once(other, 'close');
});

afterAll(() => {
  listening.close();
});

function memberAt(peerPort: number, changes: Partial<Member> = {}): Member {
  return { ...sampleMember(1), address: '127.0.0.1', peerPort, dataDir: join(directory, 'data'), ...changes };
}

/** Asked with a shell of this machine. @param host the shell; with the programs of which kind of host, where not the usual ones */
async function asked(host: string, ...members: readonly Member[]): Promise<readonly EtcdCondition[]> {
  const all = [memberAt(open), memberAt(closed)];
  const keys = members.map((member) => etcdConditionKey(member, all));
  const [shell = '', bin = 'bin'] = host.split(' ');
  const script = `PATH=${join(directory, bin)}:$PATH\n${etcdCondition.script(keys)}`;
  const { stdout, status } = await run([shell, '-c', script]);
  expect(status).toBe(0);
  const found = etcdCondition.parse(stdout, keys);
  return keys.flatMap((key) => found.get(key) ?? []);
}

const SHELLS = ['sh', 'bash'].filter((shell) => spawnSync(shell, ['-c', 'true']).status === 0);

test.each(SHELLS)('%s shows unit, data, disk, peers, metrics and journal of a member', async (shell) => {
  const [found] = await asked(shell, memberAt(open));
  expect(found).toEqual({
    at: expect.any(Number) as unknown,
    unit: { load: 'loaded', active: 'activating', sub: 'auto-restart', result: 'exit-code', restarts: 7 },
    hasData: true,
    disk: expect.objectContaining({ isReadOnly: false, mount: expect.stringMatching(/^\//) as unknown }) as unknown,
    peers: ['open', 'refused'],
    hasLeader: true,
    fsync: {
      count: 1000,
      buckets: [
        [0.001, 900],
        [0.002, 990],
      ],
    },
    journal: [
      { at: 1_760_000_000, text: 'etcd[12]: panic: freepages: page 3' },
      { at: 1_760_000_001, text: expect.stringMatching(/^etcd\[12\]: x{500,600}$/) as unknown },
      { at: 1_760_000_002, text: 'systemd[1]: etcd.service: Failed' },
    ],
  });
  expect(found?.disk?.totalKib).toBeGreaterThan(found?.disk?.freeKib ?? Infinity);
  expect(Math.abs((found?.at ?? 0) - Date.now() / 1000)).toBeLessThan(60);
});

test('the last lines of its own journal are asked for, with their times', async () => {
  await asked('sh', memberAt(open));
  const words = readFileSync(join(directory, 'asked'), 'utf8').trim().split(' ');
  expect(words).toEqual(
    expect.arrayContaining(['-u', 'etcd.service', '-n', '60', '--no-pager', '-q', 'short-unix', '--no-hostname']),
  );
});

test('what df says is read to the end of the line, also where it knows no inodes', async () => {
  mkdirSync(join(directory, 'odd'), { recursive: true });
  // Of a btrfs, on Debian 13.
  program(
    'df',
    `case $1 in
-Pk) printf '%s\\n' 'Filesystem 1024-blocks Used Available Capacity Mounted on' '/dev/vdb 10485760 6048 9943104 1% /mnt/my disk' ;;
-Pi) printf '%s\\n' 'Filesystem Inodes IUsed IFree IUse% Mounted on' '/dev/vdb 0 0 0 - /mnt/my disk' ;;
esac`,
    'odd',
  );
  const [found] = await asked('sh odd', memberAt(open));
  expect(found?.disk).toEqual({
    ...{ mount: '/mnt/my disk', totalKib: 10_485_760, freeKib: 9_943_104 },
    ...{ totalInodes: 0, freeInodes: 0, isReadOnly: false },
  });
});

// [how bash ends, what it says, what is made of it]
test.each([
  [0, '', 'open'],
  [124, '', 'timeout'],
  [1, 'bash: connect: Connection refused', 'refused'],
  [1, 'bash: connect: No route to host', 'no-route'],
  [1, 'bash: connect: Network is unreachable', 'no-route'],
  [1, 'bash: 10.0.0.1: Name or service not known', 'failed'],
  [127, 'bash: not found', 'failed'],
])('a connection that ends with %i and %j is %s', async (status, said, way) => {
  mkdirSync(join(directory, 'ways'), { recursive: true });
  program('timeout', `echo "$*" >>${directory}/ways/asked; echo '${said}' >&2; exit ${status}`, 'ways');
  const [found] = await asked('sh ways', memberAt(open, { clientUrl: 'http://127.0.0.1:1' }));
  expect(found?.peers).toEqual([way, way]);
  const words = readFileSync(join(directory, 'ways/asked'), 'utf8');
  for (const port of [open, closed]) expect(words).toMatch(RegExp(`^3 bash -c .* 127\\.0\\.0\\.1 ${port}$`, 'm'));
});

test('metrics are asked for with the host’s own certificate, and without one where they are plain', async () => {
  mkdirSync(join(directory, 'tools'), { recursive: true });
  const member = memberAt(open, { client: { ca: '/t/ca', certificate: '/t/crt', key: '/t/key' } });
  program('curl', `echo "$*" >>${directory}/tools/asked; cat ${directory}/metrics`, 'tools');
  const words = (): readonly string[] => readFileSync(join(directory, 'tools/asked'), 'utf8').trim().split('\n');
  const [secure] = await asked('sh tools', member);
  expect([secure?.hasLeader, secure?.fsync?.count]).toEqual([true, 1000]);
  expect(words().at(-1)).toMatch(/\/t\/ca.*\/t\/crt.*\/t\/key.*https:\/\/127\.0\.0\.1:2379\/metrics/);
  const [plain] = await asked('sh tools', memberAt(open, { clientUrl: 'http://127.0.0.1:2379' }));
  expect(plain?.hasLeader).toBe(true);
  const last = words().at(-1);
  expect(last).toContain('http://127.0.0.1:2379/metrics');
  expect(last).not.toContain('--cert');
});

test('a directory that is not there has the room of the one that would hold it, and no data', async () => {
  const [found, other] = await asked(
    'sh',
    memberAt(open, { dataDir: join(directory, "new/it's/not there") }),
    memberAt(open),
  );
  expect([found?.hasData, found?.disk === undefined]).toEqual([false, false]);
  expect(other?.hasData).toBe(true);
});

test('a host without these programs shows what it can', async () => {
  const [found] = await asked('sh none', memberAt(open));
  expect(found).toMatchObject({ hasData: true, peers: ['open', 'refused'], journal: [], unit: { load: '' } });
  expect([found?.hasLeader, found?.fsync]).toEqual([undefined, undefined]);
});
