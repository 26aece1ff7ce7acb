import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
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
    `printf '%s\\n' LoadState=loaded ActiveState=activating SubState=auto-restart Result=exit-code NRestarts=7 ExecMainStatus=2`,
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
