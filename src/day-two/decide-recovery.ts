import { hex } from '../facts/etcd-membership.js';
import { quorum } from '../facts/etcd-phase.js';
import type { Cluster, Member } from '../model/cluster.js';
import { ProvisionError } from '../model/errors.js';
import { begunRecovery, isOf } from './recovered-cluster.js';
import { hasNoted, idEntry, revisionOf, type RemainsSeen } from './remains.js';
import { refuseWhereServed } from './refuse-where-served.js';

/** What a recovery is decided by. */
export interface RecoveryRequest {
  readonly cluster: Pick<Cluster, 'isManaged' | 'token'>;
  /** All members of the inventory. */
  readonly seen: readonly RemainsSeen[];
  /** Hosts whose members a person says are lost for good. */
  readonly lost: readonly string[];
  /** Of a recovery that was begun and is not finished. */
  readonly id: string | undefined;
}

/** Who survives, and who is given up. */
export interface RecoveryDecision {
  readonly survivor: Member;
  /** Of its data, as far as it tells. */
  readonly revision: number | undefined;
  /** Their hosts can be reached: stopped, their data moved aside, and joined again. */
  readonly others: readonly Member[];
  /** Of {@link others}, those that are members of the recovered cluster by now, and never were of the old one: nothing of them is moved aside. */
  readonly joined: readonly Member[];
  /** Their hosts can't be. */
  readonly away: readonly Member[];
}

const UNTOUCHED = 'nothing was changed';

/**
 * Decides from whose data a cluster is recovered, or that it is not. Pure. Also one that was begun waits for hosts that can't be asked, and
 * that nobody has named as lost.
 * @throws ProvisionError `member-not-managed`, `unknown-member`, `quorum-there`, `quorum-may-return`, `nothing-survives`,
 * `two-clusters`, `recovery-not-proved`
 */
export function decideRecovery({ cluster, seen, lost, id }: RecoveryRequest): RecoveryDecision {
  if (!cluster.isManaged) throw adopted();
  const unknown = lost.filter((host) => !seen.some(({ member }) => member.host === host));
  if (unknown.length > 0) throw notThere(unknown, seen);
  const left = seen.filter(({ member }) => !lost.includes(member.host));
  const begun = begunRecovery(left, { token: cluster.token, id });
  refuseWhereServed({ seen, lost, begun });
  const survivor = begun?.survivor ?? chooseSurvivor(left, seen.length);
  // No host is given up that no person has named, whatever the others have: it may hold what the survivor does not.
  const unnamed = left.filter(({ found }) => found.kind === 'away');
  if (unnamed.length > 0) throw unnamedAway(unnamed);
  const rest = seen.filter((each) => each !== survivor);
  const joined = rest.filter(
    ({ found }) => begun !== undefined && found.kind === 'seen' && isOf(found.identity, begun.clusterId),
  );
  return {
    survivor: survivor.member,
    revision: revisionOf(survivor),
    joined: joined.map(({ member }) => member),
    others: rest.flatMap(({ member, found }) => (found.kind === 'seen' ? [member] : [])),
    away: rest.flatMap(({ member, found }) => (found.kind === 'away' ? [member] : [])),
  };
}

function chooseSurvivor(left: readonly RemainsSeen[], members: number): RemainsSeen {
  const candidates = left.filter((each) => hasData(each) && !hasNoted(each, 'fenced'));
  const mayReturn = left.filter((each) => each.found.kind === 'away' || mayHaveData(each));
  const needed = quorum(members);
  if (mayReturn.length >= needed) throw quorumMayReturn(mayReturn, { needed, members });
  const [first] = candidates;
  if (first === undefined) throw nothingSurvives(left);
  const clusters = new Map(candidates.flatMap((each) => idEntry(each)));
  if (new Set(clusters.values()).size > 1) throw twoClusters(clusters);
  // The first of those that have come furthest, in the order of the inventory.
  return candidates.reduce((best, each) => (isFurther(each, best) ? each : best), first);
}

function hasData({ found }: RemainsSeen): boolean {
  return found.kind === 'seen' && found.remains.hasData;
}

/** A process without data where the inventory has it may have it elsewhere. */
function mayHaveData(each: RemainsSeen): boolean {
  const { found } = each;
  if (found.kind === 'away' || hasNoted(each, 'fenced')) return false;
  return found.remains.hasData || found.remains.isRunning || found.identity.kind === 'answers';
}

/** Of one cluster, the higher revision is that of the longer log; where one is not known, its raft snapshots tell. */
function isFurther(each: RemainsSeen, than: RemainsSeen): boolean {
  const [revision, other] = [revisionOf(each), revisionOf(than)];
  if (revision !== undefined && other !== undefined && revision !== other) return revision > other;
  return indexOf(each) > indexOf(than);
}

function indexOf({ found }: RemainsSeen): number {
  if (found.kind === 'away') return 0;
  const { status, remains } = found;
  return Math.max(status.kind === 'answers' ? status.raftIndex : 0, remains.snapshot?.index ?? 0);
}

function adopted(): ProvisionError {
  return new ProvisionError({
    code: 'member-not-managed',
    message: `this etcd was adopted: its unit and configuration are not made here, so that its members can't join again; ${UNTOUCHED}`,
    hint: 'save what the survivor has: provision snapshot save INVENTORY --from HOST; then: provision snapshot restore INVENTORY FILE',
  });
}

function notThere(unknown: readonly string[], seen: readonly RemainsSeen[]): ProvisionError {
  return new ProvisionError({
    code: 'unknown-member',
    message: `${unknown.join(', ')} is no etcd host of the inventory; ${UNTOUCHED}`,
    hint: `expected one of: ${seen.map(({ member }) => member.host).join(', ')}`,
  });
}

function quorumMayReturn(
  mayReturn: readonly RemainsSeen[],
  { needed, members }: { readonly needed: number; readonly members: number },
): ProvisionError {
  const hosts = mayReturn.map(({ member }) => member.host);
  return new ProvisionError({
    code: 'quorum-may-return',
    message: `a quorum may come back: ${hosts.join(', ')} may have their data, and ${needed} of ${members} are a quorum. A recovery gives up what they have; ${UNTOUCHED}`,
    hint: [...mayReturn.flatMap(waysBack), NAME_THE_LOST].join('\n'),
  });
}

const NAME_THE_LOST = 'name those that are lost for good: provision recover INVENTORY --lost HOST';

function waysBack({ member: { host, unit }, found }: RemainsSeen): readonly string[] {
  if (found.kind === 'away') return [`bring ${host}, or the way to it, back: ${found.reason}`];
  return found.remains.isRunning
    ? []
    : [`start the member of ${host}: ssh ${host} sudo systemctl start --no-block ${unit}`];
}

function unnamedAway(away: readonly RemainsSeen[]): ProvisionError {
  const hosts = away.map(({ member }) => member.host).join(', ');
  return new ProvisionError({
    code: 'quorum-may-return',
    message: `${hosts} can't be asked, and may have data that no other host has; only hosts that are named as lost are given up; ${UNTOUCHED}`,
    hint: [...away.flatMap(waysBack), NAME_THE_LOST].join('\n'),
  });
}

function nothingSurvives(left: readonly RemainsSeen[]): ProvisionError {
  return new ProvisionError({
    code: 'nothing-survives',
    message: `no member that is not named as lost has data (${left.map(({ member }) => member.host).join(', ') || 'all are named'}); ${UNTOUCHED}`,
    hint: 'provision snapshot list INVENTORY; then: provision snapshot restore INVENTORY FILE',
  });
}

function twoClusters(clusters: ReadonlyMap<string, string>): ProvisionError {
  const told = [...clusters].map(([host, id]) => `${host} has data of cluster ${hex(id)}`);
  return new ProvisionError({
    code: 'two-clusters',
    message: `the survivors are not of one cluster: ${told.join(', ')}; ${UNTOUCHED}`,
    hint: 'say which is not to be recovered: provision recover INVENTORY --lost HOST; its data is moved aside, and kept',
  });
}
