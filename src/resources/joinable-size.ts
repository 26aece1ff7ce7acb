import { etcdQuota, etcdQuotaKey, quotaInInventory } from '../facts/etcd-quota.js';
import { etcdStatus, etcdStatusKey } from '../facts/etcd-status.js';
import { unlessLost } from '../facts/unless-lost.js';
import { UNCHANGED, type Resource } from '../model/change.js';
import type { Member } from '../model/cluster.js';
import { ProvisionError, RemoteError } from '../model/errors.js';
import { mebibytes } from '../model/mebibytes.js';
import type { Probe } from '../model/remote.js';
import { membersToJoin, type JoiningWay } from './joining-steps.js';

/** A database beyond this share of a quota is at it soon; the alert that ships fires there, too. */
const MOST_SHARE = 0.8;

/**
 * A member that is yet to join has room for the database that it gets: the alarm NOSPACE of one member, with a smaller quota than the
 * others run with, stops the writes of all (etcd, server/etcdserver/apply, `NewApplierCapped`). With their quota it changes nothing.
 */
export function joinableSize(way: JoiningWay): Resource {
  const { member } = way;
  const quota = quotaInInventory(member);
  return {
    address: `member-size:${member.name}`,
    paths: [],
    async plan(probe) {
      const seen = await lookAtSpace(way, probe);
      if (seen !== undefined) refuseSmallQuota(member, seen);
      return UNCHANGED;
    },
    async doubt(probe) {
      const seen = await lookAtSpace(way, probe);
      if (seen === undefined) return undefined;
      if (seen.quota <= quota)
        return seen.size <= quota * MOST_SHARE
          ? undefined
          : `the database of most members has ${mebibytes(seen.size)} of a quota of ${mebibytes(quota)}: make it smaller with: provision defrag INVENTORY`;
      return `${member.host} would join with a quota of ${mebibytes(quota)}, and most members run with ${mebibytes(seen.quota)} or more: the smallest one stops the writes of all (etcd_quota_backend_bytes: ${seen.quota})`;
    },
  };
}

/** @throws ProvisionError `quota-too-small` where a member would be the first whose database is full, and soon */
export function refuseSmallQuota(member: Member, seen: Space): void {
  const quota = quotaInInventory(member);
  if (quota < seen.quota && seen.size > quota * MOST_SHARE) throw tooSmall(member, quota, seen);
}

/** What most members have reached, bytes: one that lies stops nobody. */
export interface Space {
  readonly size: number;
  readonly quota: number;
}

/** What a member that does not tell runs with: what the inventory says, and no less than its database has. */
export function quotaUntold(member: Member, size: number): number {
  return Math.max(quotaInInventory(member), size);
}

async function lookAtSpace(way: JoiningWay, probe: Probe): Promise<Space | undefined> {
  const members = await membersToJoin(way, probe);
  if (members === undefined) return undefined;
  const answers = await Promise.all(
    members.map(async (each) => {
      const there = probe.on(each.host);
      const [status, told] = await Promise.all([
        unlessLost(there.ask(etcdStatus, etcdStatusKey(each))),
        unlessLost(there.ask(etcdQuota, etcdQuotaKey(each))),
      ]);
      if (status instanceof RemoteError || status.kind === 'silent') return [];
      const quota = told instanceof RemoteError ? 0 : (told ?? 0);
      return [{ size: status.dbSize, quota: quota || quotaUntold(each, status.dbSize) }];
    }),
  );
  const heard = answers.flat();
  return { size: reachedByMost(heard.map(({ size }) => size)), quota: reachedByMost(heard.map((each) => each.quota)) };
}

function reachedByMost(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => b - a)[Math.floor(numbers.length / 2)] ?? 0;
}

function tooSmall({ host }: Member, quota: number, { size, quota: running }: Space): ProvisionError {
  const wanted = Math.max(running, 2 * quota);
  return new ProvisionError({
    code: 'quota-too-small',
    message: `${host} would join with a quota of ${mebibytes(quota)} (etcd_quota_backend_bytes), and the database of most members has ${mebibytes(size)}: expected at most ${MOST_SHARE * 100} % of it`,
    hint: `set etcd_quota_backend_bytes of the group etcd to at least what the members run with, such as ${wanted}; or make the database smaller: provision defrag INVENTORY`,
  });
}
