// All that is said of each fault on one, on two and on all members, and which of two faults on two hosts comes first.
import { expect, test } from '@jest/globals';
import { diagnose, type Diagnosis } from '../../../src/diagnosis/diagnose.js';
import type { MemberEvidence, SeenMember } from '../../../src/diagnosis/evidence.js';
import { diagnosisSchema } from '../../../src/diagnosis/diagnosis-schema.js';
import { CAUSE_NAMES } from '../../../src/diagnosis/finding.js';
import type { EtcdCondition } from '../../../src/facts/etcd-condition.js';
import type { Cluster } from '../../../src/model/cluster.js';
import { healthy } from '../../support/etcd-answers.js';
import { expectGolden } from '../../support/golden.js';
import {
  down,
  evidenceOf,
  HAS_FAILED,
  IS_STOPPED,
  linesAt,
  LOST,
  NOW_S,
  RUNS,
  shown,
  waiting,
} from '../../support/member-evidence.js';
import { SAMPLE_CLUSTER, sampleMember } from '../../support/sample-cluster.js';

type Found = MemberEvidence['found'];

/** Members that differ in all that a finding may name. */
const MEMBERS = [1, 2, 3, 4, 5].map((number) => ({
  ...sampleMember(number),
  ...{ unit: `etcd${number}`, dataDir: `/data/${number}`, peerPort: 2390 + number, pkiDir: `/pki/${number}` },
  quotaBackendBytes: number === 1 ? 0 : number * 2 ** 30,
  electionTimeoutMs: 1000 * number,
}));

const says = (number: number, ...lines: readonly string[]): SeenMember => down(number, HAS_FAILED, ...lines);
const on = (number: number, condition: Partial<EtcdCondition>): SeenMember => shown(number, { condition });
const DISK = { mount: '/var', totalKib: 1_000_000, freeKib: 900_000, totalInodes: 1000, freeInodes: 1000 };
const alarmed = (number: number, alarm: string): SeenMember =>
  shown(number, { status: healthy(number, { alarms: [alarm], dbSize: number * 2 ** 28 }) });
const troubled = (number: number, ...of: readonly SeenMember['certificates'][number]['of'][]): SeenMember =>
  shown(number, {
    status: healthy(number, { usualFailure: 'refused' }),
    certificates: of.map((each) => ({ of: each, text: `has /${each}${number}.crt, which expired on 2026-11-20` })),
  });
const fsync = (number: number, slowest: number): SeenMember =>
  on(number, {
    fsync: {
      count: 100,
      buckets: [
        [0.1, 50],
        [slowest, 98],
        [9, 99],
        [Infinity, 100],
      ],
    },
  });
const stray = (number: number, clusterId = '99'): SeenMember =>
  shown(number, {
    status: healthy(number, { clusterId, members: [] }),
    identity: { kind: 'answers', clusterId, memberId: `${number}`, leaderId: '1', revision: number },
  });

const slowSyncs = (at: number): EtcdCondition['journal'] =>
  linesAt(
    at,
    [1, 2, 3].map((seconds) => `etcd[1]: sync duration of ${seconds}s`),
  );

/** What may be wrong with one member, by a name. */
const FAULTS: Readonly<Record<string, (number: number) => Found>> = {
  'late clock': (number) =>
    shown(number, {
      clock: { sent: NOW_S * 1000, host: NOW_S * 1000 - 600_000 * number, received: NOW_S * 1000 + 100 },
    }),
  'clock early, and late on the first': (number) =>
    shown(number, {
      clock: { sent: NOW_S * 1000, host: NOW_S * 1000 + 600_000 * (number === 1 ? -1 : 1), received: NOW_S * 1000 },
    }),
  'late clock, and stopped': (number) => ({
    ...down(number, IS_STOPPED),
    clock: { sent: NOW_S * 1000, host: 0, received: NOW_S * 1000 },
  }),
  'early clock': (number) =>
    shown(number, {
      clock: { sent: NOW_S * 1000, host: NOW_S * 1000 + 600_000 * number, received: NOW_S * 1000 + 100 },
    }),
  'no room': (number) => on(number, { disk: { ...DISK, freeKib: 65_535 - number, isReadOnly: false } }),
  'just room': (number) => on(number, { disk: { ...DISK, freeKib: 65_536, isReadOnly: false } }),
  'one inode': (number) => on(number, { disk: { ...DISK, mount: `/${number}`, freeInodes: 1, isReadOnly: false } }),
  'two inodes': (number) => on(number, { disk: { ...DISK, freeInodes: 2, isReadOnly: false } }),
  'no room then': (number) => says(number, `etcd[${number}]: a`, `etcd[${number}]: no space left on device ${number}`),
  'no room for a while': (number) =>
    on(number, { journal: linesAt(NOW_S, ['etcd[1]: no space left on device']), disk: { ...DISK, isReadOnly: false } }),
  'read-only disk': (number) => on(number, { disk: { ...DISK, mount: `/${number}`, isReadOnly: true } }),
  'server certificate': (number) => troubled(number, 'server'),
  'client certificate': (number) => troubled(number, 'client'),
  'all certificates': (number) => troubled(number, 'server', 'peer', 'client'),
  'authority, and it says so': (number) => ({
    ...says(number, 'etcd[1]: first', `etcd[1]: x509: certificate has expired or is not yet valid: ${number}`),
    certificates: [{ of: 'authority', text: `has /ca${number}.crt, in which CN=etcd expired on 2026-11-20` }],
  }),
  'authority and server certificate': (number) => troubled(number, 'server', 'authority'),
  'authority of later': (number) => ({
    ...waiting(number),
    certificates: [{ of: 'authority', text: 'has /ca.crt, in which CN=etcd is valid only from 2027-11-20' }],
  }),
  NOSPACE: (number) => alarmed(number, 'NOSPACE'),
  CORRUPT: (number) => alarmed(number, 'CORRUPT'),
  'NOSPACE, and unwell': (number) =>
    shown(number, { status: healthy(number, { alarms: ['NOSPACE'], isHealthy: false }) }),
  'both alarms': (number) =>
    shown(number, {
      status: healthy(number, {
        alarms: ['NOSPACE', 'CORRUPT'],
        raisedBy: [
          { alarm: 'NOSPACE', memberId: '1' },
          { alarm: 'CORRUPT', memberId: '2' },
        ],
      }),
    }),
  'corrupt data': (number) => says(number, 'etcd[1]: panic: freepages: 1', `etcd[1]: panic: freepages: on ${number}`),
  'corrupt and wiped': (number) =>
    says(number, 'etcd[1]: panic: freepages: 1', 'etcd[1]: panic: tocommit(81) is out of range [lastIndex(0)]'),
  'wiped data': (number) => says(number, `etcd[1]: panic: tocommit(8${number}) is out of range [lastIndex(0)]`),
  'no data': (number) => {
    const found = down(number, IS_STOPPED);
    return { ...found, condition: { ...found.condition, hasData: false } };
  },
  'other cluster': (number) => stray(number),
  'other cluster, and no identity': (number) => ({
    ...stray(number),
    identity: { kind: 'silent', reason: 'no answer' },
  }),
  'cluster of its own': (number) => stray(number, `${1000 + number}`),
  'other cluster, by its journal': (number) =>
    says(number, `etcd[1]: E | rafthttp: request cluster ID mismatch (got 4d want 6${number})`),
  removed: (number) => says(number, `etcd[1]: the member has been permanently removed from the cluster: m${number}`),
  'no room, then removed': (number) =>
    says(
      number,
      'etcd[1]: no space left on device',
      'etcd[1]: the member has been permanently removed from the cluster',
    ),
  lost: (number) => ({
    ...LOST,
    reason: `no route ${number}`,
    next: number === 1 ? undefined : `check: way ${number}`,
  }),
  'no way to others': (number) =>
    on(number, {
      peers: [1, 2, 3, 4, 5].map((each) => (each === number ? 'open' : each === 2 ? 'timeout' : 'no-route')),
    }),
  'no way to the second': (number) =>
    on(number, { peers: [1, 2, 3].map((each) => (each === 2 && number !== 2 ? 'timeout' : 'open')) }),
  'no way to others, and no leader': (number) =>
    waiting(number, { peers: [1, 2, 3, 4, 5].map((each) => (each === number ? 'open' : 'timeout')) }),
  'refused by others': (number) =>
    on(number, { peers: [1, 2, 3, 4, 5].map((each) => (each === number ? 'open' : 'refused')) }),
  'fails at others': (number) =>
    on(number, { peers: [1, 2, 3, 4, 5].map((each) => (each === number ? 'open' : 'failed')) }),
  stopped: (number) =>
    down(number, IS_STOPPED, 'etcd[1]: E | it failed', `etcd[1]: closed ${number}`, 'systemd[1]: Stopped'),
  'line as long as may be': (number) => down(number, IS_STOPPED, `etcd[1]: ${'x'.repeat(240)}`),
  'no unit': (number) => down(number, { ...IS_STOPPED, load: number === 1 ? '' : 'not-found' }),
  crashed: (number) =>
    down(number, { ...HAS_FAILED, restarts: number - 1 }, `etcd[1]: ${'long '.repeat(47)}${number}2345678`),
  'third restart': (number) =>
    down(
      number,
      { ...RUNS, active: 'activating', sub: 'start', restarts: 3 },
      `etcd[1]: ends ${number}`,
      'systemd[1]: etcd.service: Failed at step EXEC: permission denied',
    ),
  'second restart': (number) => down(number, { ...RUNS, active: 'activating', sub: 'start', restarts: 2 }),
  'slow disk': (number) => fsync(number, 0.5 * number + 0.01),
  'disk as slow as may be': (number) => fsync(number, 0.5 * number),
  'slow syncs': (number) => on(number, { journal: slowSyncs(NOW_S - 600) }),
  'slow disk and slow syncs': (number) => ({
    ...fsync(number, 3),
    condition: { ...fsync(number, 3).condition, journal: slowSyncs(NOW_S) },
  }),
  'quick disk and slow syncs': (number) => ({
    ...fsync(number, 0.2),
    condition: { ...fsync(number, 0.2).condition, journal: slowSyncs(NOW_S) },
  }),
  'slow syncs of before': (number) => on(number, { journal: slowSyncs(NOW_S - 601) }),
  waiting: (number) => waiting(number, { journal: linesAt(NOW_S, [`etcd[1]: waits ${number}`]) }),
  'no leader in 3.4': (number) =>
    shown(number, { status: healthy(number, { leaderId: '0' }), condition: { hasLeader: undefined } }),
  learner: (number) => shown(number, { status: healthy(number, { isLearner: true }) }),
  unwell: (number) => shown(number, { status: healthy(number, { isHealthy: false }) }),
  'refuses its usual client': (number) => shown(number, { status: healthy(number, { usualFailure: `bad ${number}` }) }),
  silent: (number) => shown(number, { status: { kind: 'silent', reason: `timed out ${number}` } }),
  'of another opinion': (number) =>
    shown(number, { status: healthy(number, { leaderId: '9', members: healthy(1).members.slice(0, 2) }) }),
  behind: (number) => shown(number, { status: healthy(number, { raftIndex: 10 * number }) }),
};

function fault(name: string, number: number): Found {
  const make = FAULTS[name];
  if (make === undefined) throw new Error(`no fault ${name}`);
  return make(number);
}

/** All members say that all of them are members, but for those that say something else of three. */
function among(found: Found, size: number): Found {
  if (found.kind === 'lost' || found.status.kind === 'silent' || found.status.members.length !== 3) return found;
  const members = MEMBERS.slice(0, size).map(({ name, address }, index) => ({
    ...{ id: `${index + 1}`, name, peerUrls: [`https://${address}:2380`], isLearner: false },
  }));
  return { ...found, status: { ...found.status, members } };
}

/** @param size how many members the cluster has */
function diagnosed(found: ReadonlyMap<number, Found>, size = 3): Diagnosis {
  const members = MEMBERS.slice(0, size).map((member, index) => ({
    member,
    found: among(found.get(index + 1) ?? shown(index + 1), size),
  }));
  const cluster: Cluster = { ...SAMPLE_CLUSTER, members: MEMBERS.slice(0, size) };
  return diagnose({ ...evidenceOf(), cluster, members });
}

/** As `doctor etcd --format json` prints it. */
function asJson({ findings, ...figures }: Diagnosis): unknown {
  const causes = findings.map(({ cause, verdict, hosts, summary, evidence, next }) => ({
    ...{ cause, verdict, hosts, summary, next },
    evidence: evidence.map(({ host = null, text }) => ({ host, text })),
  }));
  return {
    formatVersion: 1,
    inventory: 'inventory.yaml',
    ...figures,
    causes,
    runs: [{ host: 'a', evidence: 'b', next: 'c' }],
  };
}

const state = ({ state: is, healthy: well, members, quorum }: Diagnosis): string =>
  `${is}, ${well} of ${members} healthy, quorum ${quorum}`;

function whole(diagnosis: Diagnosis): readonly string[] {
  return [
    `  ${state(diagnosis)}`,
    ...diagnosis.findings.flatMap(({ cause, verdict, hosts, summary, evidence, next, explains, stopsAll }) => [
      `  ${verdict} ${cause}${stopsAll === true ? ', stops all' : ''}: ${hosts.join(' ')}${explains === undefined ? '' : `; explains: ${explains.join(' ')}`}`,
      `    ${summary}`,
      ...evidence.map(({ host, text }) => `    | ${host ?? '-'}: ${text}`),
      `    → ${next}`,
    ]),
  ];
}

test.each([
  ['one', 3, [2]],
  ['two', 3, [1, 3]],
  ['all', 3, [1, 2, 3]],
  ['the-only', 1, [1]],
])('all that is said of each fault of %s', (count, size, numbers) => {
  const said = Object.keys(FAULTS).flatMap((name) => [
    name,
    ...whole(diagnosed(new Map(numbers.map((number) => [number, fault(name, number)])), size)),
  ]);
  expectGolden(`fixtures/diagnoses/${count}.txt`, `${said.join('\n')}\n`);
});

/** One fault for each way in which a member is found wrong. */
const PAIRED = [
  ...['late clock', 'no room', 'read-only disk', 'server certificate', 'NOSPACE', 'CORRUPT', 'corrupt data'],
  ...[
    'other cluster',
    'removed',
    'no data',
    'lost',
    'no way to others',
    'no way to others, and no leader',
    'stopped',
    'crashed',
    'slow disk',
    'waiting',
  ],
  ...['unwell', 'other cluster, by its journal', 'silent', 'behind'],
];

test('all that is said of two that cannot answer beside one that is away, or has no word of its cluster', () => {
  const said = [
    ['lost', 'waiting', 'waiting'],
    ['stopped', 'other cluster, by its journal', 'other cluster, by its journal'],
  ].flatMap((names) => [
    names.join(' + '),
    ...whole(diagnosed(new Map(names.map((name, index) => [index + 1, fault(name, index + 1)])))),
  ]);
  expectGolden('fixtures/diagnoses/three.txt', `${said.join('\n')}\n`);
});

test('all that is said of five members of which each has a fault that is drawn, or none', () => {
  let drawn = 7;
  const draw = (below: number): number => {
    drawn = (drawn * 48_271) % 2_147_483_647;
    return drawn % below;
  };
  const names = Object.keys(FAULTS);
  const said = Array.from({ length: 100 }, () => {
    const few = [0, 1].map(() => names[draw(names.length)] ?? '');
    const faults = MEMBERS.map(() => (draw(2) === 0 ? undefined : few[draw(2)]));
    const found = faults.flatMap((name, index) =>
      name === undefined ? [] : [[index + 1, fault(name, index + 1)] as const],
    );
    return [faults.map((name) => name ?? '-').join(' + '), ...whole(diagnosed(new Map(found), 5))];
  });
  expectGolden('fixtures/diagnoses/five.txt', `${said.flat().join('\n')}\n`);
});

test('which of two faults on two hosts is the first, and which is not named beside the other', () => {
  const all = [
    ...PAIRED.map((one) => [one]),
    ...['NOSPACE', 'CORRUPT'].map((alarm) => [alarm, alarm]),
    ['lost', 'waiting'],
    ['refuses its usual client', 'unwell'],
    ['stopped', 'other cluster, by its journal'],
  ];
  const pairs = all.flatMap((first) =>
    PAIRED.map((last) => {
      const names = [...first, last];
      const found = diagnosed(new Map(names.map((name, at) => [at + 1, fault(name, at + 1)])));
      const causes = found.findings.map(({ cause, verdict, hosts }) => `${cause} ${verdict} ${hosts.join(' ')}`);
      return `${names.join(' + ')}: ${found.state}; ${causes.join(', ')}`;
    }),
  );
  expectGolden('fixtures/diagnoses/pairs.txt', `${pairs.join('\n')}\n`);
});

test('every cause but that of a cluster without a leader is a fault of one member', () => {
  const causes = Object.keys(FAULTS).flatMap((name) =>
    diagnosed(new Map([[2, fault(name, 2)]])).findings.map(({ cause }) => cause),
  );
  expect(CAUSE_NAMES.filter((name) => !causes.includes(name))).toEqual(['no-leader']);
});

test('the schema of its JSON takes each of them, and no more', () => {
  for (const name of Object.keys(FAULTS))
    for (const numbers of [[2], [1, 3], [1, 2, 3]]) {
      const json = asJson(diagnosed(new Map(numbers.map((number) => [number, fault(name, number)]))));
      expect(diagnosisSchema.parse(json)).toEqual(json);
    }
  expect(() => diagnosisSchema.parse({ ...Object(asJson(diagnosed(new Map()))), state: 'unwell' })).toThrow();
});

test('causes have an order in which one explains the other', () => {
  expect(CAUSE_NAMES.join(' ')).toBe(
    'clock disk-full disk-read-only certificate nospace corrupt wrong-cluster removed no-data unreachable network stopped crash slow-disk no-leader unexplained',
  );
});
