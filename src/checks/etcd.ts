import { isSame, listersOf, membershipDifference, type HeardMember } from '../facts/etcd-membership.js';
import { etcdStatus, etcdStatusKey, type EtcdStatus } from '../facts/etcd-status.js';
import {
  askByHand,
  memberJournal,
  agreementProblems,
  membersHeard,
  ownProblems,
  raisedAlarms,
} from '../gates/judge-members.js';
import { quotaInInventory } from '../facts/etcd-quota.js';
import type { Cluster, Member } from '../model/cluster.js';
import { mebibytes } from '../model/mebibytes.js';
import { quote } from '../shell/quote.js';
import { askHosts } from './ask-hosts.js';
import type { Check, CheckContext, CheckItem } from './check.js';

/** Share of the quota at which someone should compact and defragment, and at which writes will soon be refused. */
const DATABASE = { warn: 0.8, fail: 0.95 } as const;

/** Every member, what they agree on, alarms, and the size of each database. */
export const checkEtcd: Check = async ({ cluster, probe, inventory }) => {
  const members = new Map(cluster.members.map((member) => [member.host, member]));
  const { heard: answers, unreachable } = await askHosts([...members.keys()], async (host) => {
    const member = members.get(host);
    if (member === undefined) throw new Error(`${host} is not a member`);
    return probe(host).ask(etcdStatus, etcdStatusKey(member));
  });
  const heard = membersHeard(answers);
  const listed = listersOf(heard)[0]?.members ?? [];
  const leaving = cluster.formerMembers.filter((member) => listed.some((each) => isSame(each, member, [])));
  return [
    ...unreachable,
    ...memberItems(answers, heard, { cluster, inventory }),
    clusterItem(heard, { cluster: { ...cluster, members: [...cluster.members, ...leaving] }, inventory }, cluster),
    ...mixedItem(heard, { cluster, inventory }),
    ...leaving.map((member) => leavingItem(member, inventory)),
    alarmItem(heard, cluster),
    ...heard.flatMap((status) => databaseItem(status, members.get(status.host))),
  ];
};

function memberItems(
  answers: ReadonlyMap<string, EtcdStatus>,
  heard: readonly HeardMember[],
  { cluster, inventory }: Pick<CheckContext, 'cluster' | 'inventory'>,
): readonly CheckItem[] {
  const problems = ownProblems(heard);
  return [...answers].map(([host, status]): CheckItem => {
    const next = memberJournal(cluster, host);
    if (status.kind === 'silent')
      return { check: 'etcd-member', host, verdict: 'fail', evidence: `does not answer: ${status.reason}`, next };
    if (status.usualFailure !== undefined) {
      const evidence = `answers, but not to its host's client certificate: ${status.usualFailure}`;
      return { check: 'etcd-member', host, verdict: 'fail', evidence, next: `provision plan ${quote(inventory)}` };
    }
    const own = problems.get(host);
    if (own !== undefined) {
      const way = status.isLearner && cluster.isManaged ? finishJoining(inventory) : next;
      return { check: 'etcd-member', host, verdict: 'fail', evidence: own.join('; '), next: way };
    }
    const role = status.memberId === status.leaderId ? 'leader' : 'follower';
    const evidence = `healthy ${role}, etcd ${status.version}, raft index ${status.raftIndex}`;
    return { check: 'etcd-member', host, verdict: 'ok', evidence };
  });
}

/** What makes a voter of a learner, whoever added it. */
function finishJoining(inventory: string): string {
  return `provision apply ${quote(inventory)}   makes it a voter once it has caught up`;
}

function clusterItem(
  heard: readonly HeardMember[],
  { cluster, inventory }: Pick<CheckContext, 'cluster' | 'inventory'>,
  { members }: Pick<Cluster, 'members'>,
): CheckItem {
  const [first] = heard;
  const next = askByHand(cluster, first?.host, 'member list');
  if (first === undefined) {
    const why = `provision doctor etcd ${quote(inventory)}`;
    return { check: 'etcd-cluster', verdict: 'fail', evidence: 'no member answers', next: why };
  }
  const problems = agreementProblems(heard, cluster);
  const isPending = listersOf(heard).some(({ members }) => members.some(({ isLearner }) => isLearner));
  const difference = membershipDifference(cluster, heard);
  const way = isPending && cluster.isManaged ? finishJoining(inventory) : (difference?.next ?? next);
  if (problems.length > 0) return { check: 'etcd-cluster', verdict: 'fail', evidence: problems.join('; '), next: way };
  const leader = heard.find((member) => member.memberId === first.leaderId)?.host ?? `member ${first.leaderId}`;
  const id = BigInt(first.clusterId).toString(16);
  const evidence = `${heard.length} of ${members.length} members agree: leader ${leader}, cluster ${id}`;
  return { check: 'etcd-cluster', verdict: 'ok', evidence };
}

/** Members of two versions work together; but the newer ones have no new features, and an upgrade that was begun is to end. */
function mixedItem(
  heard: readonly HeardMember[],
  { cluster, inventory }: Pick<CheckContext, 'cluster' | 'inventory'>,
): readonly CheckItem[] {
  const versions = [...new Set(heard.map(({ version }) => version))].toSorted();
  if (versions.length < 2) return [];
  const hostsOf = (version: string): string =>
    heard.flatMap((each) => (each.version === version ? [each.host] : [])).join(', ');
  const evidence = `members run different versions: ${versions.map((version) => `${version} on ${hostsOf(version)}`).join('; ')}`;
  const next = cluster.members.some(({ release }) => release !== undefined)
    ? `provision apply ${quote(inventory)}   ends an upgrade that was begun`
    : 'bring them to the same version, one after the other: docs/runbooks/upgrade-etcd.md';
  return [{ check: 'etcd-version', verdict: 'warn', evidence, next }];
}

/** It works; but it is not what was meant to stay. */
function leavingItem({ host, name }: Member, inventory: string): CheckItem {
  const evidence = `${name} is to leave the cluster, and is a member still`;
  return { check: 'etcd-member', host, verdict: 'warn', evidence, next: `provision apply ${quote(inventory)}` };
}

function alarmItem(heard: readonly HeardMember[], cluster: Cluster): CheckItem {
  const alarms = raisedAlarms(heard);
  const list = askByHand(cluster, heard[0]?.host, 'alarm list');
  if (heard.length === 0)
    return { check: 'etcd-alarms', verdict: 'fail', evidence: 'no member answers: unknown', next: list };
  if (alarms.length === 0) return { check: 'etcd-alarms', verdict: 'ok', evidence: 'none' };
  return {
    check: 'etcd-alarms',
    verdict: 'fail',
    evidence: `raised: ${alarms.join(', ')}`,
    next: alarms.includes('NOSPACE')
      ? 'provision defrag INVENTORY'
      : `${list}; replace the corrupt member (etcd.io, "Data corruption")`,
  };
}

function databaseItem({ host, dbSize }: HeardMember, member: Member | undefined): readonly CheckItem[] {
  if (member === undefined) return [];
  const quota = quotaInInventory(member);
  const share = dbSize / quota;
  const verdict = share >= DATABASE.fail ? 'fail' : share >= DATABASE.warn ? 'warn' : 'ok';
  return [
    {
      check: 'etcd-database',
      host,
      verdict,
      evidence: `${mebibytes(dbSize)} of ${mebibytes(quota)} (${Math.round(share * 100)} %)`,
      ...(verdict === 'ok'
        ? {}
        : {
            next: 'provision defrag INVENTORY; or raise etcd_quota_backend_bytes in the inventory',
          }),
    },
  ];
}
