import { lookAtMembers } from '../facts/etcd-phase.js';
import { etcdQuota, etcdQuotaKey, quotaInInventory } from '../facts/etcd-quota.js';
import { etcdStatus, etcdStatusKey } from '../facts/etcd-status.js';
import { unlessLost } from '../facts/unless-lost.js';
import { UNCHANGED, type Resource } from '../model/change.js';
import type { Cluster, Member } from '../model/cluster.js';
import { ProvisionError, RemoteError } from '../model/errors.js';
import { mebibytes } from '../model/mebibytes.js';
import type { Probe } from '../model/remote.js';

/** A database beyond this share of a quota is at it soon; the alert that ships fires there, too. */
const MOST_SHARE = 0.8;

/**
 * A member that is yet to join has room for the database that it gets: the alarm NOSPACE of one member, with a smaller quota than the
 * others run with, stops the writes of all (etcd, server/etcdserver/apply, `NewApplierCapped`).
 */
export function joinableSize(cluster: Cluster, member: Member): Resource {
  const quota = quotaInInventory(member);
  return {
    address: `etcd-size:${member.name}`,
    paths: [],
    async plan(probe) {
      const seen = await lookAtSpace(cluster, member, probe);
      if (seen !== undefined && seen.size > quota * MOST_SHARE) throw tooSmall(member, quota, seen);
      return UNCHANGED;
    },
    async doubt(probe) {
      const seen = await lookAtSpace(cluster, member, probe);
      if (seen === undefined || seen.quota <= quota) return undefined;
      return `${member.host} would join with a quota of ${mebibytes(quota)}, and most members run with ${mebibytes(seen.quota)} or more: the smallest one stops the writes of all (etcd_quota_backend_bytes: ${seen.quota})`;
    },
  };
}

/** What most members have reached, bytes: one that lies stops nobody. */
interface Space {
  readonly size: number;
  /** 0 where most do not tell. */
  readonly quota: number;
}

async function lookAtSpace(cluster: Cluster, member: Member, probe: Probe): Promise<Space | undefined> {
  const { yetToJoin, present } = await lookAtMembers(cluster, probe);
  if (!yetToJoin.includes(member)) return undefined;
  const answers = await Promise.all(
    present.members.map(async (each) => {
      const there = probe.on(each.host);
      return Promise.all([
        unlessLost(there.ask(etcdStatus, etcdStatusKey(each))),
        unlessLost(there.ask(etcdQuota, etcdQuotaKey(each))),
      ]);
    }),
  );
  const heard = answers.flatMap(([status, quota]) =>
    status instanceof RemoteError || status.kind === 'silent'
      ? []
      : [{ size: status.dbSize, quota: quota instanceof RemoteError ? 0 : (quota ?? 0) }],
  );
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
