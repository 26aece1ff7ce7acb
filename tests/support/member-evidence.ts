import { diagnose, type Diagnosis } from '../../src/diagnosis/diagnose.js';
import type { Evidence, LostMember, MemberEvidence, SeenMember } from '../../src/diagnosis/evidence.js';
import type { EtcdCondition, PeerWay, UnitCondition } from '../../src/facts/etcd-condition.js';
import { healthy } from './etcd-answers.js';
import { SAMPLE_CLUSTER } from './sample-cluster.js';

/** The time of every host, in seconds since 1970. */
export const NOW_S = 2_000_000;

export const RUNS: UnitCondition = { load: 'loaded', active: 'active', sub: 'running', result: 'success', restarts: 0 };
export const IS_STOPPED: UnitCondition = { ...RUNS, active: 'inactive', sub: 'dead' };
export const HAS_FAILED: UnitCondition = { ...RUNS, active: 'failed', sub: 'failed', result: 'exit-code' };

const OPEN: readonly PeerWay[] = ['open', 'open', 'open'];

const CONDITION: EtcdCondition = {
  at: NOW_S,
  unit: RUNS,
  hasData: true,
  disk: {
    ...{ mount: '/var', totalKib: 8_388_608, freeKib: 4_194_304, totalInodes: 1000, freeInodes: 900 },
    isReadOnly: false,
  },
  peers: OPEN,
  hasLeader: true,
  fsync: undefined,
  journal: [],
};

/** A healthy member of the sample cluster, as its host shows it. @param number 1 to 3 */
export function shown(
  number: number,
  {
    condition,
    ...changes
  }: Partial<Omit<SeenMember, 'condition'>> & { readonly condition?: Partial<EtcdCondition> } = {},
): SeenMember {
  return {
    kind: 'seen',
    status: healthy(number),
    identity: { kind: 'answers', clusterId: '77', memberId: `${number}`, leaderId: '1', revision: 40 },
    certificates: [],
    clock: { sent: NOW_S * 1000, host: NOW_S * 1000, received: NOW_S * 1000 },
    ...changes,
    condition: { ...CONDITION, ...condition },
  };
}

/** A member whose process is not there. @param lines of its journal */
export function down(number: number, unit: UnitCondition, ...lines: readonly string[]): SeenMember {
  return shown(number, {
    status: { kind: 'silent', reason: 'connection refused' },
    identity: { kind: 'silent', reason: 'no connection' },
    condition: { unit, hasLeader: undefined, journal: linesAt(NOW_S - 86_400, lines) },
  });
}

/** A member that runs without a quorum, as etcd 3.5 answers then. */
export function waiting(number: number, changes: Partial<EtcdCondition> = {}): SeenMember {
  return shown(number, {
    status: { kind: 'silent', reason: 'context deadline exceeded' },
    condition: { hasLeader: false, ...changes },
  });
}

/** A host that can't be asked. */
export const LOST: LostMember = {
  kind: 'lost',
  reason: "can't connect to it: no route",
  next: 'check: ip route get it',
};

/** Lines of a journal, all of one time. @param at seconds since 1970 */
export function linesAt(at: number, texts: readonly string[]): EtcdCondition['journal'] {
  return texts.map((text) => ({ at, text }));
}

/** The sample cluster with these three members. */
export function evidenceOf(...found: readonly MemberEvidence['found'][]): Evidence {
  return {
    cluster: SAMPLE_CLUSTER,
    inventory: 'inventory.yaml',
    isExternalCa: false,
    members: SAMPLE_CLUSTER.members.map((member, index) => ({ member, found: found[index] ?? shown(index + 1) })),
  };
}

export function diagnosisOf(...found: readonly MemberEvidence['found'][]): Diagnosis {
  return diagnose(evidenceOf(...found));
}

/** `cause: hosts` of each finding, in order. */
export function causesOf({ findings }: Diagnosis): readonly string[] {
  return findings.map(({ cause, hosts }) => `${cause}: ${hosts.join(' ')}`);
}
