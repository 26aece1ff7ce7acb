import type { HeardMember } from '../facts/etcd-membership.js';
import { quotaInInventory } from '../facts/etcd-quota.js';
import type { Cluster, Member } from '../model/cluster.js';
import { ProvisionError } from '../model/errors.js';
import { mebibytes } from '../model/mebibytes.js';

/** What one member said of its space. */
export interface SpaceSeen {
  readonly member: Member;
  readonly status: HeardMember;
  /** Of its process, in bytes; undefined where it does not tell. */
  readonly quota: number | undefined;
  /** Of the database's file. */
  readonly inode: string;
}

/** When a database is worth rewriting. */
export interface FragmentRule {
  /** Of its size, so much or more is free. */
  readonly percent: number;
  /** And at least so many bytes. */
  readonly leastBytes: number;
}

/** What a person asked for. */
export interface DefragWishes {
  /** `asked`: the history is compacted, also where no alarm is raised. */
  readonly compaction: 'asked' | 'where-needed';
  /** In place of {@link USUAL_RULE}. */
  readonly percent: number | undefined;
}

/** What is to be done about the space of a cluster. */
export interface DefragDecision {
  /** All its members. */
  readonly seen: readonly SpaceSeen[];
  /** Which members are defragmented where nothing is compacted: what a compaction frees shows late, so that after one all are. */
  readonly rule: FragmentRule;
  /** The alarm NOSPACE is raised. */
  readonly alarm: 'nospace' | 'none';
  /** The history before this revision is dropped; undefined: it stays. */
  readonly compactTo: number | undefined;
  /** The members restart with the larger quota of the inventory. */
  readonly quota: 'raised' | 'as-it-is';
  /** Whose host asks the cluster for what is done once: a follower. */
  readonly worker: Member;
}

const MIB = 1024 ** 2;

/** As OpenShift's etcd operator: 45 % free, of a database of 100 MiB or more (defragcontroller.go). */
const USUAL_RULE: FragmentRule = { percent: 45, leastBytes: 45 * MIB };

/** A database is never without some free pages: less is not worth a minute without an answer. */
const ASKED_LEAST_BYTES = MIB;

/**
 * Decides what is done. Pure.
 * @param seen every member of the cluster
 * @throws ProvisionError `alarm-disputed` where not most members list the alarm
 */
export function decideDefrag(
  { isManaged }: Pick<Cluster, 'isManaged'>,
  seen: readonly SpaceSeen[],
  wishes: DefragWishes,
): DefragDecision {
  const alarm = raisedAlarm(seen);
  const [first] = seen;
  if (first === undefined) throw new Error('a cluster has members');
  const follower = seen.find(({ status }) => status.memberId !== status.leaderId) ?? first;
  const asked = wishes.percent === undefined ? USUAL_RULE : { percent: wishes.percent, leastBytes: ASKED_LEAST_BYTES };
  const isFull = alarm === 'nospace';
  const revision = medianRevision(seen);
  const canCompact = (isFull || wishes.compaction === 'asked') && revision > 1;
  const isLarger = seen.some(({ member, quota }) => quota !== undefined && quotaInInventory(member) > quota);
  return {
    ...{ seen, alarm },
    rule: asked,
    compactTo: canCompact ? revision : undefined,
    quota: isFull && isManaged && isLarger ? 'raised' : 'as-it-is',
    worker: follower.member,
  };
}

/** Alarms are replicated: all list the same. One host's word drops nobody's history. */
function raisedAlarm(seen: readonly SpaceSeen[]): 'nospace' | 'none' {
  const reporters = seen.filter(({ status }) => status.alarms.includes('NOSPACE'));
  if (reporters.length === 0) return 'none';
  if (reporters.length * 2 > seen.length) return 'nospace';
  const others = seen.filter((each) => !reporters.includes(each));
  const names = (some: readonly SpaceSeen[]): string => some.map(({ status }) => status.host).join(', ');
  throw new ProvisionError({
    code: 'alarm-disputed',
    message: `${names(reporters)} reports the alarm NOSPACE, which ${names(others)} does not list; nothing was changed`,
    hint: 'see what each says: provision doctor etcd INVENTORY',
  });
}

/** Of what they report the one in the middle: no single host moves it beyond what the others have. etcd refuses one that is ahead. */
function medianRevision(seen: readonly SpaceSeen[]): number {
  const revisions = seen.map(({ status }) => status.revision).toSorted((a, b) => a - b);
  return revisions[Math.floor((revisions.length - 1) / 2)] ?? 0;
}

/** Whether so much of a database is free that it is worth rewriting it. */
export function isFragmented(
  { dbSize, dbSizeInUse = dbSize }: Pick<HeardMember, 'dbSize' | 'dbSizeInUse'>,
  { percent, leastBytes }: FragmentRule,
): boolean {
  const free = dbSize - dbSizeInUse;
  return free >= leastBytes && free * 100 >= dbSize * percent;
}

/** What a member said of its space, for a person. */
export function describeSpace({ status, quota, member }: SpaceSeen): string {
  const { dbSize, dbSizeInUse, alarms } = status;
  const use =
    dbSizeInUse === undefined
      ? 'how much of it is in use is not reported'
      : `${mebibytes(dbSizeInUse)} in use (${Math.round((1 - dbSizeInUse / Math.max(dbSize, 1)) * 100)} % free)`;
  const limit =
    quota === undefined
      ? `${mebibytes(quotaInInventory(member))} by the inventory, its own is not known`
      : mebibytes(quota);
  return `database ${mebibytes(dbSize)}, ${use}, quota ${limit}, alarms: ${alarms.join(', ') || 'none'}`;
}

/** What is decided, where nothing is to do. */
export function describeRule({ percent, leastBytes }: FragmentRule): string {
  return `${percent} % or more free, and at least ${mebibytes(leastBytes)}`;
}
