import { describe, expect, test } from '@jest/globals';
import type { CheckedSnapshot } from '../../../src/day-two/check-snapshot.js';
import {
  decideRestore,
  findUnfinished,
  otherRestore,
  type RestoreLook,
  type RestoreRequest,
} from '../../../src/day-two/decide-restore.js';
import { restorePlays } from '../../../src/day-two/restore-plays.js';
import { takeBackPlays } from '../../../src/day-two/take-back-plays.js';
import type { SnapshotManifest } from '../../../src/day-two/snapshot-manifest.js';
import { restores, restoreTool, type RestoreOnHost } from '../../../src/facts/restores.js';
import type { EtcdStatus } from '../../../src/facts/etcd-status.js';
import { healthy } from '../../support/etcd-answers.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';

const HOSTS = ['etcd-1', 'etcd-2', 'etcd-3'];
const SHA = 'abcdef12'.repeat(8);
const NAMES = [1, 2, 3].map((number) => ({ name: `m${number}`, peerUrls: [`https://10.0.0.${number}:2380`] }));
const CLUSTER = [1, 2, 3].map((number) => `m${number}=https://10.0.0.${number}:2380`).join(',');
const SILENT: EtcdStatus = { kind: 'silent', reason: 'connection refused' };

const MANIFEST: SnapshotManifest = {
  ...{ formatVersion: 1, file: 'a.db', cluster: 'etcd-cluster', clusterId: '77', members: NAMES },
  from: { host: 'etcd-1', name: 'm1', memberId: '1' },
  ...{ etcdVersion: '3.4.23', revision: 40, keys: 3, hash: 1, bytes: 544, sha256: SHA, encryption: 'none' },
  ...{ fileBytes: 544, fileSha256: SHA, savedAt: '2026-11-26T00:00:00.000Z', savedBy: 'me@here', tool: '0.1.0' },
};

function snapshotOf(manifest: SnapshotManifest | undefined): CheckedSnapshot {
  return { path: '/s/a.db', manifest, passphrase: undefined, bytes: 544, sha256: SHA };
}

interface Found {
  readonly statuses?: readonly EtcdStatus[];
  readonly canBump?: readonly boolean[];
  readonly version?: string;
  readonly notes?: Readonly<Record<string, readonly RestoreOnHost[]>>;
}

function lookOf({ statuses, canBump, version = '3.4.23', notes = {} }: Found = {}): RestoreLook {
  return {
    statuses: new Map(HOSTS.map((host, index) => [host, statuses?.[index] ?? healthy(index + 1)])),
    tools: new Map(
      HOSTS.map((host, index) => [host, { name: 'etcdctl', version, canBump: canBump?.[index] ?? false }]),
    ),
    restores: new Map(HOSTS.map((host) => [host, notes[host] ?? []])),
    workers: { answering: [], away: [] },
  };
}

function decide(found: Found = {}, more: Partial<RestoreRequest> = {}): ReturnType<typeof decideRestore> {
  const now = new Date('2026-11-26T01:02:03.456Z');
  const request = { cluster: SAMPLE_CLUSTER, look: lookOf(found), snapshot: snapshotOf(MANIFEST), now };
  return decideRestore({ ...request, from: 'this-cluster', ...more });
}

const note = (id: string, ...stages: readonly (readonly [string, string])[]): RestoreOnHost => ({
  id,
  stages: new Map(stages),
  notedAgo: new Map(stages.map(([stage]) => [stage, 1000])),
});

test('a restore is named after its time and its snapshot, and goes to the members that run', () => {
  expect(decide()).toMatchObject({ id: '20261126T010203Z-abcdef12', initialCluster: CLUSTER, bump: 'none' });
  expect(decide().label).toBe('a.db (revision 40, of 2026-11-26T00:00:00.000Z)');
  expect(decide({}, { snapshot: snapshotOf(undefined), from: 'any-cluster' }).label).toBe('a.db');
  // Whether a tool whose version nobody knows can read it, it says itself.
  expect(decide({ version: '' }).id).toBe('20261126T010203Z-abcdef12');
});

test('revisions are raised only where every member can', () => {
  expect(decide({ canBump: [true, true, true] }).bump).toBe('revisions');
  expect(decide({ canBump: [true, false, true] }).bump).toBe('none');
});

describe('of a dead cluster', () => {
  const statuses = [SILENT, SILENT, SILENT];

  const existing = { ...SAMPLE_CLUSTER, isManaged: false };
  const membersAt = (...urls: readonly string[]): CheckedSnapshot =>
    snapshotOf({ ...MANIFEST, members: urls.map((url, index) => ({ name: `m${index + 1}`, peerUrls: [url] })) });
  const elsewhere = membersAt('https://10.9.0.1:2380', 'https://10.9.0.2:2380', 'https://10.9.0.3:2380');
  const oneMoved = membersAt('https://10.0.0.1:2380', 'https://10.0.0.2:2380', 'https://10.9.0.3:2380');
  const byName = membersAt('https://a.example:2380', 'https://b.example:2380', 'https://c.example:2380');

  test('members listen where they are configured here, whatever a snapshot says of their addresses of then', () => {
    for (const snapshot of [snapshotOf(MANIFEST), oneMoved, byName])
      expect(decide({ statuses }, { snapshot }).initialCluster).toBe(CLUSTER);
    expect(decide({ statuses }, { snapshot: snapshotOf(undefined), from: 'any-cluster' }).initialCluster).toBe(CLUSTER);
  });

  test('of an existing cluster the manifest says where members listen', () => {
    const urls = (snapshot: CheckedSnapshot): string =>
      decide({ statuses }, { cluster: existing, snapshot }).initialCluster;
    expect(urls(snapshotOf(MANIFEST))).toBe(CLUSTER);
    expect(urls(byName)).toBe('m1=https://a.example:2380,m2=https://b.example:2380,m3=https://c.example:2380');
  });

  test('a snapshot of other members of the same names is refused, unless it is meant', () => {
    for (const cluster of [SAMPLE_CLUSTER, existing])
      expect(() => decide({ statuses }, { cluster, snapshot: elsewhere })).toThrow(
        expect.objectContaining({
          code: 'other-cluster',
          message: expect.stringMatching(
            /^\/s\/a\.db is of other members, .*: m1 at https:\/\/10\.9\.0\.1:2380, .* has m1 at 10\.0\.0\.1, /,
          ),
        }),
      );
    const meant = { snapshot: elsewhere, from: 'any-cluster' } as const;
    expect(decide({ statuses }, meant).initialCluster).toBe(CLUSTER);
    // Where the members listen nobody knows then.
    expect(() => decide({ statuses }, { ...meant, cluster: existing })).toThrow('no manifest of theirs');
  });

  test('of an existing cluster, and without a manifest, nothing is guessed', () => {
    const cluster = { ...SAMPLE_CLUSTER, isManaged: false };
    const snapshot = snapshotOf(undefined);
    expect(() => decide({ statuses }, { cluster, snapshot })).toThrow('nothing tells whose it is');
    expect(() => decide({ statuses }, { cluster, snapshot, from: 'any-cluster' })).toThrow('no manifest of theirs');
  });

  test.each([
    ['without a manifest', snapshotOf(undefined), 'no manifest that can be read, and no member answers'],
    [
      'of a cluster of another name',
      snapshotOf({ ...MANIFEST, cluster: 'prod' }),
      "is of the cluster prod, saved 2026-11-26T00:00:00.000Z; the inventory's is etcd-cluster",
    ],
    [
      'with half of its members in common',
      membersAt('https://10.0.0.1:2380', 'https://10.9.0.2:2380'),
      '/s/a.db is of other members, saved 2026-11-26T00:00:00.000Z: m1 at https://10.0.0.1:2380, m2 at https://10.9.0.2:2380; the inventory has m1 at 10.0.0.1, ',
    ],
    [
      'with one member of three in common',
      membersAt('https://10.0.0.1:2380', 'https://10.9.0.2:2380', 'https://10.9.0.3:2380'),
      'is of other members',
    ],
  ])('a snapshot %s is refused, unless it is meant', (_, snapshot, message) => {
    expect(() => decide({ statuses }, { snapshot })).toThrow(
      expect.objectContaining({
        code: 'other-cluster',
        message: expect.stringContaining(message),
        hint: expect.stringContaining('--other-cluster'),
      }),
    );
    expect(decide({ statuses }, { snapshot, from: 'any-cluster' }).initialCluster).toBe(CLUSTER);
  });
});

test.each([
  ['of another cluster', { ...MANIFEST, clusterId: '78' }, '/s/a.db is of cluster 78, saved 2026-11-26T00:00:00.000Z'],
  ['without a manifest', undefined, '/s/a.db has no manifest that can be read'],
])('on a cluster that runs a snapshot %s is refused with what it is, and what runs', (_, manifest, what) => {
  expect(() => decide({}, { snapshot: snapshotOf(manifest) })).toThrow(
    expect.objectContaining({
      code: 'other-cluster',
      message: `${what}; the cluster that runs is 77`,
      hint: 'after a restore a cluster has another id; where this very snapshot is meant, say so: --other-cluster',
    }),
  );
});

describe('is refused', () => {
  test.each([
    ['a snapshot of another cluster', {}, { snapshot: snapshotOf({ ...MANIFEST, clusterId: '78' }) }, 'other-cluster'],
    ['one that nobody knows the cluster of', {}, { snapshot: snapshotOf(undefined) }, 'other-cluster'],
    [
      'where members tell of two clusters',
      { statuses: [healthy(1), healthy(2, { clusterId: '5' })] },
      {},
      'other-cluster',
    ],
    [
      'a snapshot of a later etcd',
      {},
      { snapshot: snapshotOf({ ...MANIFEST, etcdVersion: '3.5.1' }) },
      'newer-snapshot',
    ],
    ['where one member lies about the others', { statuses: [healthy(1, { members: [] })] }, {}, 'membership-differs'],
    ['beside another one', { notes: { 'etcd-1': [note('20261125T000000Z-12345678')] } }, {}, 'other-restore'],
    ['beside two others', { notes: { 'etcd-1': [note('a-1')], 'etcd-2': [note('b-2')] } }, {}, 'several-restores'],
    ['on the way back', { notes: { 'etcd-1': [note('x-abcdef12', ['back-stopped', 'yes'])] } }, {}, 'being-taken-back'],
  ] as const)('%s', (_, found, more, code) => {
    expect(() => decide(found as Found, more)).toThrow(expect.objectContaining({ code }));
  });

  test('beside two others with how to look at each', () => {
    const notes = { 'etcd-1': [note('a-1')], 'etcd-2': [note('b-2')] };
    const look = (host: string, id: string): string =>
      `look at it: ssh ${host} sudo ls -l /var/lib/provision/restore/${id}`;
    expect(() => decide({ notes })).toThrow(
      expect.objectContaining({ hint: `${look('etcd-1', 'a-1')}\n${look('etcd-2', 'b-2')}` }),
    );
  });

  test('beside another one with the verb that finishes it', () => {
    expect(otherRestore({ id: '20261125T000000Z-recover' }).hint).toBe('finish it: provision recover INVENTORY');
    expect(otherRestore({ id: '20261125T000000Z-12345678' }).hint).toContain('--take-back');
  });

  test('unless it is meant', () => {
    expect(decide({}, { snapshot: snapshotOf({ ...MANIFEST, clusterId: '78' }), from: 'any-cluster' }).id).toMatch(
      /^2026/,
    );
  });
});

describe('goes on', () => {
  const id = '20261125T000000Z-abcdef12';
  const unpacked = `revisions ${CLUSTER}`;

  test('as it was decided first, whatever the members say meanwhile', () => {
    const notes = { 'etcd-1': [note(id, ['unpacked', unpacked], ['exchanged', 'yes'])] };
    const other = { statuses: [SILENT, healthy(2, { clusterId: '9' }), healthy(3, { clusterId: '9' })], notes };
    const decided = decide(other);
    expect(decided).toMatchObject({ id, bump: 'revisions', initialCluster: CLUSTER });
    expect(decided.peerUrls).toEqual(new Map(NAMES.map(({ name, peerUrls }) => [name, peerUrls])));
  });

  test('not with what is done everywhere', () => {
    const done = note(id, ['unpacked', unpacked], ['done', 'yes']);
    expect(findUnfinished(lookOf({ notes: { 'etcd-1': [done], 'etcd-2': [done] } }))).toBeUndefined();
    expect(decide({ notes: { 'etcd-1': [done] } }).id).toBe('20261126T010203Z-abcdef12');
  });

  test('not where hosts were given different instructions', () => {
    const notes = { 'etcd-1': [note(id, ['unpacked', unpacked])], 'etcd-2': [note(id, ['unpacked', 'none x=y'])] };
    expect(() => decide({ notes })).toThrow('different instructions');
  });
});

test('the order: nothing starts before all have stopped, no API server before etcd is healthy', () => {
  const plays = restorePlays(decide());
  expect(plays.map(({ name }) => name)).toEqual([
    'Restore the snapshot beside the data; nothing stops',
    'Stop the API servers',
    'Stop etcd and exchange its data',
    'Start etcd, all members together',
    'Start the API servers',
    'Start again what remembers old revisions',
    'Note that it is done',
  ]);
  expect(plays.every(({ batchSize }) => batchSize === undefined)).toBe(true);
  expect(plays[3]?.gatesAfter).toEqual(['etcd-healthy']);
  expect(plays[4]?.gatesBefore).toEqual(['etcd-healthy']);
});

test('on the way back nothing starts before all have stopped and have their data', () => {
  expect(takeBackPlays('20261125T000000Z-12345678', SAMPLE_CLUSTER, 'were-stopped').map(({ name }) => name)).toEqual([
    'Stop etcd',
    'Put the data of before back',
    'Start etcd, all members together',
    'Start the API servers',
    'Note that it was taken back',
  ]);
  // Where no member was stopped yet, none is.
  expect(takeBackPlays('20261125T000000Z-12345678', SAMPLE_CLUSTER, 'run').map(({ name }) => name)).toEqual([
    'Remove what was restored; no member was stopped',
    'Start the API servers',
    'Note that it was taken back',
  ]);
});

test('reads the notes of a host, and what its tool can do', () => {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const line = (path: string, text: string): string =>
    `N 1000 ${base64(`/var/lib/provision/restore/${path}`)} ${base64(text)}\n`;
  const id = '20261125T000000Z-12345678';
  // What a host makes up is no id: it would stand in scripts of other hosts.
  const madeUp = ['x;touch pwned; -recover', 'x * -recover', '..', '', 'a\n20261125T000000Z-recover', `${id}9`];
  const lines = [line(`${id}/unpacked`, 'none a=b\n'), ...madeUp.map((each) => line(`${each}/fenced`, 'yes'))];
  const [found] = restores.parse([...lines, line(`${id}/done`, '')].join(''), ['all']).values();
  expect(found).toEqual([note(id, ['unpacked', 'none a=b'], ['done', ''])]);
  for (const each of madeUp)
    expect(() => takeBackPlays(each, SAMPLE_CLUSTER, 'run')).toThrow(/^not the id of a restore: "/);
  const tool = (stdout: string): unknown => restoreTool.parse(stdout, ['restore']).get('restore');
  expect(tool('T etcdctl no 3.4.23\n')).toEqual({ name: 'etcdctl', version: '3.4.23', canBump: false });
  expect(tool('T etcdutl yes 3.5.16\n')).toEqual({ name: 'etcdutl', version: '3.5.16', canBump: true });
  expect(tool('')).toEqual({ name: undefined, version: '', canBump: false });
});
