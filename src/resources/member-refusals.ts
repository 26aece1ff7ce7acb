import { membershipDifference, withoutMembers, type MembershipDifference } from '../facts/etcd-membership.js';
import {
  hasOwnData,
  lookAtMembers,
  quorum,
  type AwayMember,
  type MembersSeen,
  type MemberState,
} from '../facts/etcd-phase.js';
import { etcdStatus, etcdStatusKey } from '../facts/etcd-status.js';
import { unlessLost } from '../facts/unless-lost.js';
import type { Outcome } from '../model/change.js';
import type { Cluster, Member } from '../model/cluster.js';
import { ProvisionError, RemoteError } from '../model/errors.js';
import { FORMER_MEMBERS } from '../model/former-groups.js';
import type { Probe } from '../model/remote.js';

/**
 * What the members that answer list, compared with the inventory: in what nothing that is planned will change. Hosts that are
 * yet to join are no difference.
 */
export async function differenceSeen(cluster: Cluster, probe: Probe): Promise<MembershipDifference | undefined> {
  const { present, yetToJoin } = await lookAtMembers(cluster, probe);
  const answers = await Promise.all(
    present.members.map(async (member) => ({
      host: member.host,
      status: await unlessLost(probe.on(member.host).ask(etcdStatus, etcdStatusKey(member))),
    })),
  );
  const heard = answers.flatMap(({ host, status }) =>
    status instanceof RemoteError || status.kind === 'silent' ? [] : [{ host, ...withoutMembers(status, yetToJoin) }],
  );
  return membershipDifference(present, heard);
}

/**
 * A member is not touched while it is not known who its peers are: the gate before it would never open. Where etcd lists a
 * member that the inventory does not name at all, someone must say what becomes of it.
 * @param outcome what would be done to the member
 * @throws ProvisionError `membership-differs`
 */
export async function refuseOtherMembership(
  cluster: Cluster,
  { host }: Member,
  { outcome, probe }: { readonly outcome: Outcome; readonly probe: Probe },
): Promise<void> {
  const difference = await differenceSeen(cluster, probe);
  if (difference === undefined) return;
  const isStrange = cluster.isManaged && difference.strangers.length > 0;
  if (outcome.kind === 'unchanged' && !isStrange) return;
  throw new ProvisionError({
    code: 'membership-differs',
    message: `${host}: its etcd is not changed while the inventory and etcd differ: ${difference.text}`,
    hint: difference.next,
  });
}

/**
 * Members whose hosts can't be asked and that answer nobody are gone already: a restart must not end the quorum.
 * @throws ProvisionError `quorum-at-risk`
 */
export function refuseBelowQuorum(member: Member, { states, away }: MembersSeen): void {
  const gone = away.filter(({ status }) => status.kind === 'silent');
  const all = states.length + away.length;
  const others = states.filter((state) => state.host !== member.host && state.isRunning && hasOwnData(state));
  const left = others.length + away.length - gone.length;
  if (gone.length === 0 || left >= quorum(all)) return;
  throw new ProvisionError({
    code: 'quorum-at-risk',
    message:
      `${member.host}: its etcd must be restarted, and ${left} of ${all} members would serve meanwhile, fewer than a quorum ` +
      `of ${quorum(all)}: ${describeAway(gone)}`,
    hint: `make ${gone.map(({ host }) => host).join(', ')} reachable first; the load balancer alone can be planned: provision plan INVENTORY --playbook etcd-lb`,
  });
}

/** It is unknown whether there is a cluster to belong to. */
export function notKnown(member: Member, { away }: MembersSeen): ProvisionError {
  const hosts = away.map(({ host }) => host).join(', ');
  return new ProvisionError({
    code: 'etcd-unsure',
    message: `${member.host} has no etcd data, and whether there is a cluster already is unknown: ${describeAway(away)}`,
    hint: `make ${hosts} reachable; or, where it is gone for good, take it out of the group etcd`,
  });
}

/** Members are to leave, and no cluster is seen that they could leave: a new one may be a second one. @param former not empty */
export function nobodyToLeave(former: readonly Member[]): ProvisionError {
  const hosts = former.map(({ host }) => host).join(', ');
  return new ProvisionError({
    code: 'etcd-unsure',
    message: `${hosts}: members are to leave (group ${FORMER_MEMBERS}), and no data of them is found there, nor of a member that stays: a new cluster would be a second one, beside theirs; nothing was changed`,
    hint: [
      'a stacked etcd of kubeadm, or one of others, is described first: provision adopt INVENTORY',
      `where there is no etcd on them any more, and a new cluster is meant: take them out of the group ${FORMER_MEMBERS}`,
    ].join('\n'),
  });
}

function describeAway(away: readonly AwayMember[]): string {
  return away.map(({ host, error }) => `${host} can't be asked (${error.message})`).join('; ');
}

/** The cluster exists, and this member has no part of it on its disk. */
export function lostMember(member: Member, states: readonly MemberState[]): ProvisionError {
  const others = states.filter((state) => state.hasData).map((state) => state.host);
  return new ProvisionError({
    code: 'etcd-member-lost',
    message:
      `${member.host} has no etcd data in ${member.dataDir}, while ${others.join(', ')} have: ` +
      'the cluster exists, and this member was lost or is new to it. Starting it as it is could create a second cluster',
    hint: `replace it: provision member replace INVENTORY ${member.host}`,
  });
}
