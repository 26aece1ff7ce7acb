import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { type EtcdData, etcdDataKey } from '../../../src/facts/etcd-data.js';
import { MarkedText } from '../../../src/model/marked-text.js';
import { expectRendered, linesOf, resourcesOf, written } from '../../support/bare-host.js';
import { MEMBER_DATA } from '../../support/etcd-answers.js';
import { fakeProbe } from '../../support/fake-probe.js';
import { BOTH, FULL, PATHS, SAVES, SIX, UPLOADS, WATCHED, withFirst } from '../../support/role-clusters.js';
import { SAMPLE_CLUSTER, sampleMember } from '../../support/sample-cluster.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

/** What a member shows and verifies by, with the directories of all that it has. */
const FILES = [
  'directory:/var/lib/etcd/default',
  'directory:/etc/etcd',
  'directory:/etc/etcd/pki',
  'trust:/etc/etcd/pki/ca.crt',
  'certificate:/etc/etcd/pki/server.crt',
  'certificate:/etc/etcd/pki/peer.crt',
  'certificate:/etc/etcd/pki/client.crt',
];

/** What a host has before its member m3 is touched. */
const PREPARED = ['operating-system', 'packages:etcd-server,etcd-client,openssl', ...FILES, 'etcd-version:m3'];

test.each([
  [
    'etcd',
    'etcd-1',
    [
      'operating-system',
      'packages:etcd-server,etcd-client,openssl',
      'etcd-leftover:/var/lib/etcd/default',
      ...FILES,
      'file:/etc/default/etcd',
      'unit:etcd',
      'etcd-version:m1',
      'etcd-member:m1',
      'no-timer:provision-etcd-snapshot.timer',
    ],
  ],
  ['etcd-settled', 'etcd-3', ['etcd-settled:m3']],
  ['etcd-quota', 'etcd-2', ['file:/etc/default/etcd', 'etcd-member:m2']],
  ['etcd-joined', 'etcd-2', ['member-open:m2']],
  [
    'etcd-replacement',
    'etcd-3',
    [
      'member-version:m3',
      'member-size:m3',
      'snapshot:before',
      ...PREPARED,
      'member-aside:m3',
      'member-remove:m3',
      // With it and without data, a member would start under the id of the one that is listed.
      'file:/etc/default/etcd',
      'member-add:m3',
      'member-start:m3',
      'member-promote:m3',
      'member-open:m3',
    ],
  ],
  [
    'etcd-recovery',
    'etcd-3',
    [
      ...PREPARED,
      'member-version:m3',
      'member-size:m3',
      'snapshot:before',
      'member-aside:m3',
      'member-remove:m3',
      'file:/etc/default/etcd',
      'member-add:m3',
      'member-start:m3',
      'member-promote:m3',
    ],
  ],
])('%s gives %s its resources in this order', (role, host, addresses) => {
  expect(resourcesOf(role, host, BOTH).map(({ address }) => address)).toEqual(addresses);
});

test('directories are made where they are the package’s, and no parent of others', () => {
  const directories = (pkiDir: string): readonly string[] =>
    resourcesOf('etcd', 'etcd-1', withFirst({ pkiDir }))
      .map(({ address }) => address)
      .filter((address) => address.startsWith('directory:'));
  expect(directories('/srv/etcd/pki')).toEqual(['directory:/var/lib/etcd/default', 'directory:/srv/etcd/pki']);
  expect(directories('/etc/etcd/tls')).toEqual([
    'directory:/var/lib/etcd/default',
    'directory:/etc/etcd',
    'directory:/etc/etcd/tls',
  ]);
});

test('a host outside the group is refused', () => {
  expect(() => resourcesOf('etcd', 'cp-1')).toThrow('cp-1 is not in the group etcd');
});

test.each([
  ['etcd', 'etcd.env', 'default', SAMPLE_CLUSTER],
  ['etcd', 'etcd.env', 'extra', FULL],
  ['etcd', 'etcd.env', 'ipv6', SIX],
  ['etcd', 'etcd.env', 'watched', WATCHED],
  ['etcd', 'etcd-snapshot', 'default', UPLOADS],
  ['etcd', 'etcd-snapshot.service', 'default', SAVES],
  ['etcd', 'etcd-snapshot.service', 'uploads', UPLOADS],
  ['etcd', 'etcd-snapshot.timer', 'default', SAVES],
] as const)('%s renders %s, %s', async (role, name, variant, cluster) => {
  await expectRendered(role, name, variant, cluster);
});

test.each([0, 1])('a schedule lands only where systemd can read it: it ends with %i', async (status) => {
  const [action] = (await written('etcd', PATHS['etcd-snapshot.timer'], SAVES)).change.actions;
  if (action?.kind !== 'write-file') throw new Error('no file is written');
  const directory = temporaryDirectory('schedule');
  const staged = join(directory, 'staged');
  writeFileSync(staged, action.content.reveal());
  // It says what it was asked, and ends with that status.
  const stub = `#!/bin/sh\nprintf '%s\\n' "$@" >&2\nexit ${status}\n`;
  writeFileSync(join(directory, 'systemd-analyze'), stub, { mode: 0o755 });
  const ended = spawnSync('sh', ['-c', action.validate ?? '', 'validate', staged], {
    ...{ cwd: directory, encoding: 'utf8', env: { PATH: `${directory}:${process.env['PATH'] ?? ''}` } },
  });
  expect([ended.status, ended.stderr]).toEqual([status, 'calendar\n--\n*-*-* 02:30\n']);
});

test('what systemd reads of a further variable of etcd is its value, whatever that is', async () => {
  /** systemd's basic/env-file.c, within double quotes. */
  const read = (quoted: string): string => quoted.slice(1, -1).replaceAll(/\\(["\\`$])/g, '$1');
  const values = ['say "all", "twice"', 'a\\b\\c', '\\', '"', '$HOME `id`', "it's", 'a=b # c', ''];
  const extraEnv = Object.fromEntries(values.map((value, index) => [`ETCD_X${index}`, new MarkedText([value])]));
  const lines = await linesOf('etcd-1', PATHS['etcd.env'], /^ETCD_X/, withFirst({ extraEnv }));
  expect(lines.map((line) => /^ETCD_X\d+=(".*")$/.exec(line)?.[1] ?? line).map(read)).toEqual(values);
});

test.each([
  ['etcd-1', 'm1', '10.0.0.1'],
  ['etcd-3', 'm3', '10.0.0.3'],
])('etcd.env: %s', async (host, name, address) => {
  expect(await linesOf(host, PATHS['etcd.env'], /^ETCD_(NAME|LISTEN|ADVERTISE|INITIAL)/)).toEqual([
    `ETCD_NAME="${name}"`,
    `ETCD_LISTEN_CLIENT_URLS="https://${address}:2379,https://127.0.0.1:2379"`,
    `ETCD_ADVERTISE_CLIENT_URLS="https://${address}:2379"`,
    `ETCD_LISTEN_PEER_URLS="https://${address}:2380"`,
    `ETCD_INITIAL_ADVERTISE_PEER_URLS="https://${address}:2380"`,
    'ETCD_INITIAL_CLUSTER_STATE="existing"',
    'ETCD_INITIAL_CLUSTER_TOKEN="etcd-cluster"',
    'ETCD_INITIAL_CLUSTER="m1=https://10.0.0.1:2380,m2=https://10.0.0.2:2380,m3=https://10.0.0.3:2380"',
  ]);
});

describe('what a member’s first start was given stays as it is', () => {
  const own = 'm1=https://10.0.0.1:2380';
  async function initialCluster(found: Partial<EtcdData>): Promise<string | undefined> {
    const data = { ...MEMBER_DATA, ...found };
    const probe = fakeProbe({
      'file-states': { '/etc/default/etcd': { kind: 'absent' } },
      'etcd-data': { [etcdDataKey(sampleMember(1))]: data },
    });
    const outcome = await resourcesOf('etcd', 'etcd-1', SAMPLE_CLUSTER)
      .find(({ address }) => address === 'file:/etc/default/etcd')
      ?.plan(probe);
    const [action] = outcome?.kind === 'change' ? outcome.change.actions : [];
    if (action?.kind !== 'write-file') throw new Error('it is not written');
    return /^ETCD_INITIAL_CLUSTER="(.*)"$/m.exec(action.content.reveal())?.[1];
  }
  const wanted = [1, 2, 3].map((number) => `m${number}=https://10.0.0.${number}:2380`).join(',');

  test('where it has data', async () => {
    expect(await initialCluster({ initialCluster: own })).toBe(own);
    expect(await initialCluster({ initialCluster: `${own},gone=https://[2001:db8::9]:2380` })).toMatch(/,gone=/);
  });

  test.each<[string, Partial<EtcdData>]>([
    ['it has none', { hasData: false, initialCluster: own }],
    ['its bootstrap goes on', { isBootstrapping: true, initialCluster: own }],
    ['nothing is there', {}],
    ['it does not name the member itself', { initialCluster: 'm9=https://10.0.0.9:2380' }],
    ['it is no list of members', { initialCluster: `${own},x=https://a"; b` }],
  ])('but not where %s', async (_, found) => {
    expect(await initialCluster(found)).toBe(wanted);
  });
});

test.each([
  [undefined, '/var/lib/etcd/default'],
  ['/srv/wal', '/var/lib/etcd/default /srv/wal'],
])('the unit of a release lets etcd write its data and, where it is elsewhere, its log (%s)', async (wal, writes) => {
  const release = { version: '3.5.16', sha256: 'ab'.repeat(32), source: '/srv/etcd.tar.gz', fetch: 'control' } as const;
  const extraEnv = wal === undefined ? {} : { ETCD_WAL_DIR: new MarkedText([wal]) };
  const { change } = await written('etcd', '/etc/systemd/system/etcd.service', withFirst({ release, extraEnv }));
  const [action] = change.actions;
  const text = action?.kind === 'write-file' ? action.content.reveal() : '';
  expect(text).toContain(`\nReadWritePaths=${writes}\n`);
});
