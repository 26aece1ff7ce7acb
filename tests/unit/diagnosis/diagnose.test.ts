import { describe, expect, test } from '@jest/globals';
import { diagnose } from '../../../src/diagnosis/diagnose.js';
import type { MemberEvidence } from '../../../src/diagnosis/evidence.js';
import { CAUSE_NAMES } from '../../../src/diagnosis/finding.js';
import type { PeerWay } from '../../../src/facts/etcd-condition.js';
import { healthy } from '../../support/etcd-answers.js';
import {
  causesOf,
  diagnosisOf,
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

type Found = MemberEvidence['found'];

interface Case {
  readonly what: string;
  readonly found: readonly Found[];
  readonly causes: readonly string[];
  readonly state: 'healthy' | 'degraded' | 'down';
  /** Of the first cause: its summary and its evidence, a line each. */
  readonly says?: RegExp;
  readonly next?: string | RegExp;
}

const ALL_OPEN: readonly PeerWay[] = ['open', 'open', 'open'];
const SLOW = {
  count: 1000,
  buckets: [
    [0.1, 500],
    [0.512, 900],
    [1.024, 980],
    [8.192, 1000],
  ] as const,
};
const QUICK = {
  count: 1000,
  buckets: [
    [0.001, 900],
    [0.008, 999],
    [0.512, 1000],
  ] as const,
};

function at(offsetMs: number): { readonly clock: { sent: number; host: number; received: number } } {
  return { clock: { sent: NOW_S * 1000, host: NOW_S * 1000 + offsetMs, received: NOW_S * 1000 + 100 } };
}

const DISK = { mount: '/var', totalKib: 1_000_000, freeKib: 0, totalInodes: 0, freeInodes: 0, isReadOnly: false };

function disk(changes: Partial<typeof DISK>): Found {
  return shown(3, { condition: { disk: { ...DISK, ...changes } } });
}

function alarmed(number: number, alarm: string, of: string): Found {
  return shown(number, { status: healthy(number, { alarms: [alarm], raisedBy: [{ alarm, memberId: of }] }) });
}

function stray(number: number, revision = 3): Found {
  return shown(number, {
    status: healthy(number, { clusterId: '99', leaderId: `${number}`, members: [] }),
    identity: { kind: 'answers', clusterId: '99', memberId: `${number}`, leaderId: '1', revision },
  });
}

const EXPIRED = { of: 'server', text: 'has /etc/etcd/pki/server.crt, which expired on 2026-11-20' } as const;
const EXPIRED_PEER = { of: 'peer', text: 'has /etc/etcd/pki/peer.crt, which expired on 2026-11-20' } as const;
const EXPIRED_CA = {
  of: 'authority',
  text: 'has /etc/etcd/pki/ca.crt, in which CN=etcd-ca expired on 2026-11-20',
} as const;
const NO_SPACE_LINE = 'etcd[7]: panic: write /var/lib/etcd/default/member/wal/0.tmp: no space left on device';

const SINGLE: readonly Case[] = [
  { what: 'nothing', found: [], causes: [], state: 'healthy' },
  {
    what: 'old lines in the journal of a healthy member',
    found: [
      shown(1, {
        condition: {
          journal: linesAt(NOW_S - 3600, [
            NO_SPACE_LINE,
            'etcd[7]: 2026 E | rafthttp: request cluster ID mismatch',
            'etcd[7]: sync duration of 2s',
          ]),
        },
      }),
    ],
    causes: [],
    state: 'healthy',
  },
  {
    what: 'a start that names its corruption checks',
    found: [
      shown(1, {
        condition: {
          journal: linesAt(NOW_S - 5, [
            'etcd[7]: {"level":"info","initial-corrupt-check":false,"corrupt-check-time-interval":"0s"}',
          ]),
        },
      }),
    ],
    causes: [],
    state: 'healthy',
  },
  {
    what: 'one clock',
    found: [shown(1), shown(2, at(-600_000))],
    causes: ['clock: etcd-2'],
    state: 'degraded',
    says: /clock of etcd-2 is wrong.*\nreports a time 600\.05 s behind/,
    next: 'ssh etcd-2 timedatectl',
  },
  {
    what: 'the clock of this machine',
    found: [shown(1, at(600_000)), shown(2, at(600_000)), shown(3, at(601_000))],
    causes: ['clock: '],
    state: 'degraded',
    says: /clock of this machine is probably wrong/,
    next: 'timedatectl',
  },
  {
    what: 'a full disk',
    found: [shown(1), shown(2), disk({})],
    causes: ['disk-full: etcd-3'],
    state: 'degraded',
    says: /has 0 MiB of 976 MiB free on \/var; etcd needs 64 MiB/,
    next: "ssh etcd-3 'sudo du -xh --max-depth=3 /var | sort -h | tail -n 20'",
  },
  {
    what: 'no inodes',
    found: [shown(1), shown(2), disk({ freeKib: 500_000, totalInodes: 1000 })],
    causes: ['disk-full: etcd-3'],
    state: 'degraded',
    says: /has no free inode on \/var/,
  },
  {
    what: 'a disk that was full, and is not now',
    found: [shown(1), shown(2), down(3, HAS_FAILED, NO_SPACE_LINE)],
    causes: ['disk-full: etcd-3'],
    state: 'degraded',
    says: /was full, and has room now.*\nits journal says: panic: .*no space left/,
    next: 'ssh etcd-3 sudo systemctl start --no-block etcd',
  },
  {
    what: 'a disk that was full, and of which etcd gave back what it had allocated when it ended',
    found: [
      shown(1),
      shown(2),
      {
        ...down(3, HAS_FAILED, NO_SPACE_LINE),
        condition: { ...down(3, HAS_FAILED, NO_SPACE_LINE).condition, disk: { ...DISK, freeKib: 65_600 } },
      },
    ],
    causes: ['disk-full: etcd-3'],
    state: 'degraded',
    says: /The disk of etcd-3 is full\nhas 64 MiB of 976 MiB free on \/var; etcd needs 256 MiB/,
  },
  {
    what: 'a read-only disk',
    found: [shown(1), shown(2), disk({ freeKib: 500_000, isReadOnly: true })],
    causes: ['disk-read-only: etcd-3'],
    state: 'degraded',
    next: 'ssh etcd-3 sudo dmesg -T --level err,crit,alert,emerg',
  },
  {
    what: 'an expired leaf',
    found: [shown(1), shown(2, { certificates: [EXPIRED], status: healthy(2, { usualFailure: 'expired' }) })],
    causes: ['certificate: etcd-2'],
    state: 'degraded',
    says: /The server certificate of etcd-2 cannot be used\nhas .*expired/,
    next: 'provision apply inventory.yaml',
  },
  {
    what: 'an expired client certificate of one host, which keeps no member from serving',
    found: [
      shown(1, {
        certificates: [{ of: 'client', text: 'has /c.crt, which expired on 2026-11-20' }],
        status: healthy(1, { usualFailure: 'expired' }),
      }),
    ],
    causes: ['certificate: etcd-1'],
    state: 'degraded',
  },
  {
    what: 'an expired authority',
    found: [1, 2, 3].map((number) => waiting(number)).map((each) => ({ ...each, certificates: [EXPIRED_CA] })),
    causes: ['certificate: etcd-1 etcd-2 etcd-3'],
    state: 'down',
    says: /The authority \(CA\) of etcd-1, etcd-2 and etcd-3 cannot be used/,
    next: /^provision ca show \//,
  },
  {
    what: 'NOSPACE',
    found: [1, 2, 3].map((number) => alarmed(number, 'NOSPACE', '2')),
    causes: ['nospace: etcd-2'],
    state: 'down',
    says: /database of etcd-2 reached its quota.*\netcd-1, etcd-2 and etcd-3 list the alarm NOSPACE/,
    next: 'provision defrag inventory.yaml',
  },
  {
    what: 'a corrupt member by its alarm',
    found: [1, 2, 3].map((number) => alarmed(number, 'CORRUPT', '3')),
    causes: ['corrupt: etcd-3'],
    state: 'down',
    next: 'provision member replace inventory.yaml etcd-3',
  },
  ...[
    'etcd[9]: panic: freepages: failed to get all reachable pages (page 3: multiple references)',
    'etcd[9]: 2026-11-26 08:00:00.1 C | etcdserver: read wal error (wal: crc mismatch) and cannot be repaired',
    'etcd[9]: {"level":"fatal","msg":"failed to open WAL","error":"walpb: crc mismatch"}',
    'etcd[9]: {"level":"panic","msg":"tocommit(5) is out of range [lastIndex(2)]. Was the raft log corrupted, truncated, or lost?"}',
    'etcd[9]: 2026-11-26 08:00:00.1 C | mvcc/backend: cannot open database at /var/lib/etcd/member/snap/db (invalid database)',
  ].map((line): Case => ({
    what: `a corrupt member by its journal: ${line.slice(9, 60)}`,
    found: [shown(1), down(2, HAS_FAILED, line)],
    causes: ['corrupt: etcd-2'],
    state: 'degraded',
    says: /its journal says: /,
    next: 'provision member replace inventory.yaml etcd-2',
  })),
  {
    what: 'a member of another cluster',
    found: [shown(1), shown(2), stray(3)],
    causes: ['wrong-cluster: etcd-3'],
    state: 'degraded',
    says: /etcd-3 belongs to another cluster than those of etcd-1 and etcd-2\nreports the cluster 4d, revision 40/,
    next: 'provision member replace inventory.yaml etcd-3',
  },
  {
    what: 'a member of another cluster that does not stay up',
    found: [
      shown(1),
      shown(2),
      down(3, HAS_FAILED, 'etcd[1]: E | rafthttp: request cluster ID mismatch (got 4d want 63)'),
    ],
    causes: ['wrong-cluster: etcd-3'],
    state: 'degraded',
  },
  ...[
    'etcd[1]: request sent was ignored (cluster ID mismatch: peer[e585f07b6b73896f]=63, local=4d)',
    'etcd[1]: E | rafthttp: request cluster ID mismatch (got 63 want 4d)',
    'etcd[1]: {"level":"warn","msg":"request cluster ID mismatch","local-member-cluster-id":"4d","remote-peer-cluster-id":"63"}',
  ].map((line): Case => ({
    what: `a member that has met another cluster, and is none of it: ${line.slice(9, 70)}`,
    found: [shown(1), shown(2), down(3, IS_STOPPED, line)],
    causes: ['stopped: etcd-3'],
    state: 'degraded',
  })),
  {
    what: 'two clusters, of which none has more members that can be asked',
    found: [shown(1), stray(2, 900), LOST],
    causes: ['wrong-cluster: etcd-1 etcd-2', 'unreachable: etcd-3'],
    state: 'degraded',
    says: /There are 2 clusters: 4d on etcd-1, 63 on etcd-2/,
    next: 'provision snapshot save inventory.yaml --from etcd-2',
  },
  {
    what: 'a removed member that has ended without an error, as etcd does',
    found: [
      shown(1, { status: healthy(1, { members: healthy(1).members.filter(({ id }) => id !== '2') }) }),
      down(2, IS_STOPPED, 'etcd[1]: E | etcdserver: the member has been permanently removed from the cluster'),
      shown(3, { status: healthy(3, { members: healthy(1).members.filter(({ id }) => id !== '2') }) }),
    ],
    causes: ['removed: etcd-2'],
    state: 'degraded',
    says: /has removed the member of etcd-2/,
    next: /^provision member replace \S+ etcd-2$/,
  },
  {
    what: 'a member that one of the two others does not list, and that is stopped',
    found: [
      shown(1, { status: healthy(1, { members: healthy(1).members.filter(({ id }) => id !== '2') }) }),
      down(2, IS_STOPPED, 'etcd[1]: E | etcdserver: the member has been permanently removed from the cluster'),
    ],
    causes: ['stopped: etcd-2'],
    state: 'degraded',
  },
  {
    what: 'a member that was removed once, is one again, and is stopped',
    found: [
      shown(1),
      down(2, IS_STOPPED, 'etcd[1]: E | etcdserver: the member has been permanently removed from the cluster'),
    ],
    causes: ['stopped: etcd-2'],
    state: 'degraded',
  },
  {
    what: 'a removed member',
    found: [
      shown(1),
      down(2, HAS_FAILED, 'etcd[1]: E | rafthttp: the member has been permanently removed from the cluster'),
    ],
    causes: ['removed: etcd-2'],
    state: 'degraded',
    next: 'provision member replace inventory.yaml etcd-2',
  },
  {
    what: 'data that is gone on one host',
    found: [{ ...down(1, HAS_FAILED), condition: { ...down(1, HAS_FAILED).condition, hasData: false } }],
    causes: ['no-data: etcd-1'],
    state: 'degraded',
    next: 'provision member replace inventory.yaml etcd-1',
  },
  {
    what: 'data that is gone on one host, where etcd was started all the same',
    found: [
      down(1, HAS_FAILED, 'etcd[9]: panic: tocommit(81) is out of range [lastIndex(0)]. Was the raft log corrupted?'),
    ],
    causes: ['no-data: etcd-1'],
    state: 'degraded',
    next: 'provision member replace inventory.yaml etcd-1',
  },
  {
    what: 'data that is gone on a majority',
    found: [
      ...[1, 2].map((number) => ({
        ...down(number, HAS_FAILED),
        condition: { ...down(number, HAS_FAILED).condition, hasData: false },
      })),
      waiting(3),
    ],
    causes: ['no-data: etcd-1 etcd-2'],
    state: 'down',
    says: /lost for good/,
    next: 'provision recover inventory.yaml --lost etcd-1 --lost etcd-2',
  },
  {
    what: 'no cluster at all',
    found: [1, 2, 3].map((number) => ({
      ...down(number, IS_STOPPED),
      condition: { ...down(number, IS_STOPPED).condition, hasData: false },
    })),
    causes: ['no-data: etcd-1 etcd-2 etcd-3'],
    state: 'down',
    says: /there is no cluster/,
    next: 'provision plan inventory.yaml',
  },
  {
    what: 'a quorum that is only unreachable',
    found: [LOST, waiting(2, { peers: ['timeout', 'open', 'no-route'] }), LOST],
    causes: ['unreachable: etcd-1 etcd-3'],
    state: 'down',
    says: /1 member of 3 can be asked, fewer than the quorum of 2: it is unreachable, and not known to be lost\n[^]*reports that it gets no answer in time at 10\.0\.0\.1:2380/,
    next: 'check: ip route get it',
  },
  {
    what: 'two hosts without SSH, whose members serve',
    found: [LOST, shown(2), LOST],
    causes: ['unreachable: etcd-1 etcd-3'],
    state: 'degraded',
    says: /etcd serves without them; the peer port of etcd-1 and etcd-3 is open: only SSH may be at fault/,
  },
  {
    what: 'the peer port of one host blocked',
    found: [
      shown(1, { condition: { peers: ['open', 'timeout', 'open'] } }),
      waiting(2, { peers: ['timeout', 'open', 'timeout'] }),
      shown(3, { condition: { peers: ['open', 'timeout', 'open'] } }),
    ],
    causes: ['network: etcd-2'],
    state: 'degraded',
    says: /etcd-2 is cut off from the others\n/,
    next: 'ssh etcd-2 sudo nft list ruleset',
  },
  {
    what: 'a peer port that a firewall refuses while the member listens',
    found: [shown(1, { condition: { peers: ['open', 'refused', 'open'] } }), waiting(2, { peers: ALL_OPEN })],
    causes: ['network: etcd-1', 'unexplained: etcd-2'],
    state: 'degraded',
  },
  {
    what: 'etcd stopped on two hosts',
    found: [down(1, IS_STOPPED), down(2, IS_STOPPED), waiting(3, { peers: ['refused', 'refused', 'open'] })],
    causes: ['stopped: etcd-1 etcd-2'],
    state: 'down',
    says: /at most 1 of 3 members run, fewer than the quorum of 2\netcd is inactive \(dead\), result success/,
    next: 'for h in etcd-1 etcd-2; do ssh "$h" sudo systemctl start --no-block etcd; done',
  },
  {
    what: 'a stop after a failure that was repaired, which an earlier process speaks of',
    found: [down(1, IS_STOPPED, NO_SPACE_LINE, 'etcd[8]: ready to serve client requests', 'systemd[1]: Stopped etcd')],
    causes: ['stopped: etcd-1'],
    state: 'degraded',
  },
  {
    what: 'a loop of restarts, of which the last process has said nothing yet',
    found: [
      down(
        1,
        { ...RUNS, active: 'activating', sub: 'start', restarts: 9 },
        NO_SPACE_LINE,
        'etcd[8]: etcd Version: 3.4.23',
      ),
    ],
    causes: ['disk-full: etcd-1'],
    state: 'degraded',
  },
  {
    what: 'a member that is being stopped',
    found: [down(1, { ...RUNS, active: 'deactivating', sub: 'stop-sigterm' })],
    causes: ['stopped: etcd-1'],
    state: 'degraded',
  },
  {
    what: 'no unit',
    found: [down(1, { ...IS_STOPPED, load: 'not-found' })],
    causes: ['stopped: etcd-1'],
    state: 'degraded',
    says: /has no unit etcd: not-found/,
    next: 'ssh etcd-1 systemctl status etcd',
  },
  {
    what: 'a crash, with what it said last',
    found: [
      down(
        1,
        HAS_FAILED,
        'etcd[4]: {"level":"fatal","msg":"listen tcp: bind: address already in use"}',
        'systemd[1]: etcd.service: Failed',
      ),
    ],
    causes: ['crash: etcd-1'],
    state: 'degraded',
    says: /etcd is failed \(failed\), result exit-code\nits journal says: .*address already in use/,
    next: 'ssh etcd-1 sudo journalctl -u etcd -n 50',
  },
  {
    what: 'a loop of restarts',
    found: [down(1, { ...RUNS, active: 'activating', sub: 'start', restarts: 40 })],
    causes: ['crash: etcd-1'],
    state: 'degraded',
    says: /restarted 40 times/,
  },
  {
    what: 'a slow disk by its metrics',
    found: [shown(1, { condition: { fsync: SLOW } }), shown(2, { condition: { fsync: QUICK } })],
    causes: ['slow-disk: etcd-1'],
    state: 'healthy',
    says: /1 % of its writes wait 1\.024 s or longer/,
    next: 'ssh etcd-1 cat /proc/pressure/io',
  },
  {
    what: 'a slow disk by its journal',
    found: [
      shown(1, {
        condition: {
          journal: linesAt(
            NOW_S - 60,
            Array.from({ length: 3 }, () => 'etcd[4]: W | wal: sync duration of 2.1s, expected less than 1s'),
          ),
        },
      }),
    ],
    causes: ['slow-disk: etcd-1'],
    state: 'healthy',
  },
  {
    what: 'no leader, while all run and reach each other',
    found: [waiting(1), waiting(2), waiting(3)],
    causes: ['no-leader: etcd-1 etcd-2 etcd-3'],
    state: 'down',
    next: 'ssh etcd-1 sudo journalctl -u etcd -n 50',
  },
  {
    what: 'a laggard, for no known reason',
    found: [shown(1), shown(2, { status: healthy(2, { raftIndex: 10 }) })],
    causes: ['unexplained: etcd-2'],
    state: 'healthy',
    says: /etcd-2 is 4990 raft entries behind/,
    next: 'provision verify inventory.yaml',
  },
  {
    what: 'a member that runs and does not answer',
    found: [
      shown(1),
      shown(2, {
        status: { kind: 'silent', reason: 'timed out' },
        identity: { kind: 'silent', reason: 'no answer in time' },
      }),
    ],
    causes: ['unexplained: etcd-2'],
    state: 'degraded',
    says: /does not answer: timed out/,
  },
];

const COMBINED: readonly Case[] = [
  {
    what: 'expired peer certificates explain why there is no leader',
    found: [1, 2, 3].map((number) => ({ ...waiting(number), certificates: [EXPIRED_PEER] })),
    causes: ['certificate: etcd-1 etcd-2 etcd-3'],
    state: 'down',
  },
  {
    what: 'one expired leaf does not explain why the other two have no leader',
    found: [{ ...waiting(1), certificates: [EXPIRED] }, waiting(2), waiting(3)],
    causes: ['no-leader: etcd-2 etcd-3', 'certificate: etcd-1'],
    state: 'down',
  },
  {
    what: 'what alone ends the quorum comes before what concerns one host',
    found: [{ ...down(1, IS_STOPPED), ...at(-600_000) }, down(2, IS_STOPPED), waiting(3)],
    causes: ['stopped: etcd-1 etcd-2', 'clock: etcd-1'],
    state: 'down',
  },
  {
    what: 'a disk that is full explains the crash there, and nothing elsewhere',
    found: [down(1, HAS_FAILED, NO_SPACE_LINE), down(2, IS_STOPPED), waiting(3)],
    causes: ['disk-full: etcd-1', 'stopped: etcd-2'],
    state: 'down',
  },
  {
    what: 'NOSPACE comes first, and a stopped member is named beside it',
    found: [alarmed(1, 'NOSPACE', '1'), alarmed(2, 'NOSPACE', '1'), down(3, IS_STOPPED)],
    causes: ['nospace: etcd-1', 'stopped: etcd-3'],
    state: 'down',
  },
  {
    what: 'a stopped member is no dead network, and its peer that is refused says nothing',
    found: [
      shown(1, { condition: { peers: ['open', 'refused', 'open'] } }),
      { ...down(2, IS_STOPPED), condition: { ...down(2, IS_STOPPED).condition, peers: ['open', 'refused', 'open'] } },
    ],
    causes: ['stopped: etcd-2'],
    state: 'degraded',
  },
  {
    what: 'data that is corrupt on a majority leads to the member that is left',
    found: [
      down(1, HAS_FAILED, 'etcd[9]: panic: freepages: x'),
      down(2, HAS_FAILED, 'etcd[9]: panic: freepages: x'),
      waiting(3),
    ],
    causes: ['corrupt: etcd-1 etcd-2'],
    state: 'down',
    next: 'provision recover inventory.yaml --lost etcd-1 --lost etcd-2',
  },
  {
    what: 'a start that systemd ended for want of a quorum is no crash',
    found: [down(1, { ...HAS_FAILED, result: 'timeout' }), down(2, IS_STOPPED), down(3, IS_STOPPED)],
    causes: ['stopped: etcd-2 etcd-3'],
    state: 'down',
  },
];

describe.each([
  ['each cause', SINGLE],
  ['several at once', COMBINED],
])('%s', (_, cases) => {
  test.each(cases.map((each) => [each.what, each] as const))('%s', (__, { found, causes, state, says, next }) => {
    const diagnosis = diagnosisOf(...found);
    const [first] = diagnosis.findings;
    expect(causesOf(diagnosis)).toEqual(causes);
    expect(diagnosis.state).toBe(state);
    if (says !== undefined)
      expect([first?.summary, ...(first?.evidence ?? []).map(({ text }) => text)].join('\n')).toMatch(says);
    if (next !== undefined) expect(first?.next).toMatch(next);
  });
});

test('every cause of the table is tried here', () => {
  const tried = new Set([...SINGLE, ...COMBINED].flatMap(({ causes }) => causes.map((each) => each.split(':')[0])));
  expect([...tried].sort()).toEqual([...CAUSE_NAMES].sort());
});

describe('one host that lies', () => {
  test('names no other: an alarm that only it lists is not confirmed', () => {
    const { findings, state } = diagnosisOf(alarmed(1, 'CORRUPT', '2'), shown(2), shown(3));
    expect(state).toBe('healthy');
    expect(findings).toEqual([expect.objectContaining({ cause: 'corrupt', verdict: 'warn', hosts: ['etcd-1'] })]);
    expect(findings[0]?.summary).toBe(
      'etcd-1 reports the alarm CORRUPT, which etcd-2 and etcd-3 do not list: it is not confirmed',
    );
    expect(findings[0]?.next).toMatch(/^ssh etcd-2 '.* alarm list'$/);
  });

  test('is itself the one, where it reports that it reaches nobody', () => {
    const diagnosis = diagnosisOf(shown(1, { condition: { peers: ['open', 'timeout', 'timeout'] } }));
    expect(causesOf(diagnosis)).toEqual(['network: etcd-1']);
    expect(diagnosis.findings[0]?.verdict).toBe('warn');
  });

  test('is itself the stray, where it reports another cluster', () => {
    expect(causesOf(diagnosisOf(stray(1)))).toEqual(['wrong-cluster: etcd-1']);
  });

  test('makes no other a laggard by saying that it is far ahead', () => {
    expect(causesOf(diagnosisOf(shown(1, { status: healthy(1, { raftIndex: 10 ** 9 }) })))).toEqual([]);
  });

  test('cannot make the others sick by what it says of them', () => {
    const liar = shown(1, {
      status: healthy(1, { members: [], raftIndex: 9 }),
      condition: { hasLeader: false, journal: linesAt(NOW_S, ['etcd[1]: panic: etcd-2: freepages: corrupt']) },
    });
    expect(diagnosisOf(liar).findings.flatMap(({ hosts }) => hosts)).not.toContain('etcd-2');
  });
});

test('with an external CA certificates are requested', () => {
  const found = [shown(1, { certificates: [EXPIRED] })];
  const { findings } = diagnose({ ...evidenceOf(...found), isExternalCa: true });
  expect(findings[0]?.next).toBe('provision ca request inventory.yaml');
});

test('every cause has evidence and one command', () => {
  for (const { found } of [...SINGLE, ...COMBINED])
    for (const { evidence, next, summary } of diagnosisOf(...found).findings) {
      expect([summary, evidence.length]).not.toEqual([summary, 0]);
      expect(next).toMatch(/^(provision |ssh |timedatectl$|for h in |check: )/);
      expect(next).not.toContain('\n');
    }
});
