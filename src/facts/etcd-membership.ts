import type { Cluster, Member } from '../model/cluster.js';
import { hostPort, httpsUrl } from '../model/endpoint.js';
import { FORMER_MEMBERS, groupLines } from '../model/former-groups.js';
import { etcdctlByHand } from '../shell/etcdctl.js';
import type { EtcdStatus } from './etcd-status.js';

/** What a member that answers says, with its host. */
export type HeardMember = Extract<EtcdStatus, { kind: 'answers' }> & { readonly host: string };

/** In what an inventory and etcd's own list of members differ. */
export interface MembershipDifference {
  /** Names, ids and URLs. */
  readonly text: string;
  /** What to do about it. */
  readonly next: string;
  /** Entries of etcd's list that no host of the inventory stands for. */
  readonly strangers: readonly Listed[];
}

/**
 * Compares etcd's list of its members with the inventory: by the ids that members report on their hosts, by names, by peer
 * URLs. `undefined` when they are the same; and where no list is that of most members.
 */
export function membershipDifference(
  cluster: Cluster,
  heard: readonly HeardMember[],
): MembershipDifference | undefined {
  const first = agreedLister(heard);
  if (first === undefined) return undefined;
  const found = first.members.map((listed) => ({
    listed,
    ours: cluster.members.find((member) => isSame(listed, member, heard)),
  }));
  const strangers = found.flatMap(({ listed, ours }) => (ours === undefined ? [listed] : []));
  const unlisted = cluster.members.filter((member) => !found.some(({ ours }) => ours === member));
  if (strangers.length + unlisted.length === 0) return undefined;
  const asker = cluster.members.find(({ host }) => host === first.host);
  return {
    text: [
      ...(first.members.length === cluster.members.length
        ? []
        : [`etcd lists ${first.members.length} members, the inventory ${cluster.members.length}`]),
      ...strangers.map((listed) => `etcd lists ${described(listed)}, which is no host of the group etcd`),
      ...unlisted.map(({ host, name }) => `${host} is in the group etcd, and etcd does not list ${name}`),
    ].join('; '),
    next: [
      ...linesFor(strangers.filter(canBeNamed), cluster),
      ...strangers
        .filter((listed) => !cluster.isManaged || !canBeNamed(listed))
        .map(
          (listed) =>
            `put the host of ${listed.name || hex(listed.id)} into the group etcd; or, where it is gone for good: ${byHand(asker, `member remove ${hex(listed.id)}`)}`,
        ),
      ...unlisted.map(
        (member) =>
          `take ${member.host} out of the group etcd; or make it a member: ${cluster.isManaged ? 'provision apply INVENTORY' : `${byHand(asker, `member add ${member.name} --peer-urls=${httpsUrl(member.address, member.peerPort)} --learner`)}, in the order of docs/runbooks/add-a-member.md`}`,
      ),
    ].join('\n'),
    strangers,
  };
}

/** What can be pasted into an inventory as it is; etcd's list is not ours. */
function canBeNamed({ name, peerUrls }: Listed): boolean {
  return /^[A-Za-z][\w.-]*$/.test(name) && peerUrls.some((url) => URL.canParse(url));
}

/** How a person says that members which the inventory does not know are to leave. */
function linesFor(strangers: readonly Listed[], { isManaged, inventory }: Cluster): readonly string[] {
  if (!isManaged || strangers.length === 0) return [];
  const sorted = strangers.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const hosts = sorted.map(({ name, peerUrls }) => ({
    name,
    address: inventory.hosts.includes(name) ? undefined : peerUrls.flatMap(hostOfUrl)[0],
  }));
  const names = hosts.map(({ name }) => name).join(', ');
  return [
    `to have ${names} leave the cluster, gone for good or not, add to ${inventory.file}:`,
    ...groupLines(inventory.file, FORMER_MEMBERS, hosts),
    `then: provision apply INVENTORY; or, where ${names} should stay: put the host into the group etcd`,
  ];
}

function hostOfUrl(url: string): readonly string[] {
  return URL.canParse(url) ? [new URL(url).hostname.replace(/^\[|\]$/g, '')] : [];
}

/**
 * One of those that say who the members are as most of them do, of one cluster: who lies, or lags behind, decides nothing.
 * @param stays whether a member's host stays in the inventory: of two halves, the one with more of these is believed
 * @returns undefined where nobody says it, or no such part of them says the same
 */
export function agreedLister(
  heard: readonly HeardMember[],
  stays: (host: string) => boolean = () => false,
): HeardMember | undefined {
  const listers = listersOf(heard);
  // All that stay together weigh less than one vote.
  const weight = ({ host }: HeardMember): number => listers.length + 1 + (stays(host) ? 1 : 0);
  const sum = (some: readonly HeardMember[]): number => some.reduce((all, each) => all + weight(each), 0);
  return listers.find((one) => 2 * sum(listers.filter((each) => saysTheSame(one, each))) > sum(listers));
}

/** Whether two members are of one cluster, and list the same members. */
export function saysTheSame(one: HeardMember, other: HeardMember): boolean {
  return one.clusterId === other.clusterId && idsOf(one) === idsOf(other);
}

/**
 * The one that is believed about who the members are, of those that stay and those that are to leave. One that has left may still
 * say what it knew last, and be part of another cluster by now: it counts where nobody who stays speaks; else while it serves, and
 * is of the cluster of one who stays, or lists one at its own address.
 */
export function believedLister(
  { members, formerMembers }: Pick<Cluster, 'members' | 'formerMembers'>,
  heard: readonly HeardMember[],
): HeardMember | undefined {
  const stays = (host: string): boolean => !formerMembers.some((member) => member.host === host);
  const stay = listersOf(heard.filter(({ host }) => stays(host)));
  if (stay.length === 0) return agreedLister(heard);
  const isOfTheirs = (each: HeardMember): boolean =>
    stay.some(({ clusterId }) => clusterId === each.clusterId) ||
    members.some((member) => each.members.some((listed) => isAt(listed, member)));
  const former = heard.filter((each) => !stays(each.host) && servesByItsWord(each) && isOfTheirs(each));
  return agreedLister([...stay, ...former], stays);
}

/** Whom a member lists, and as what; equal for equal lists. */
export function idsOf({ members }: HeardMember): string {
  return members
    .map(({ id, isLearner }) => (isLearner ? `${id} learner` : id))
    .toSorted()
    .join();
}

/** Those that say who the members are: a learner does not. */
export function listersOf(heard: readonly HeardMember[]): readonly HeardMember[] {
  return heard.filter(({ isLearner }) => !isLearner);
}

/** Whether a member commits and lists itself: one that was removed can do neither for long, whoever says that it was. */
export function servesByItsWord({ isHealthy, memberId, members }: HeardMember): boolean {
  return isHealthy && members.some(({ id }) => id === memberId);
}

/** What a member says, without the entries of others on its list. @param gone whose entries don't count */
export function withoutMembers<Status extends EtcdStatus>(status: Status, gone: readonly Member[]): Status {
  if (status.kind === 'silent') return status;
  return { ...status, members: status.members.filter((listed) => !gone.some((member) => isSame(listed, member, []))) };
}

/** One entry of etcd's list. */
export type Listed = HeardMember['members'][number];

/** Whether an entry is the member on a host: by the id that it reports there, by its name, by a peer URL. */
export function isSame(listed: Listed, member: Member, heard: readonly HeardMember[]): boolean {
  return (
    heard.some(({ host, memberId }) => host === member.host && memberId === listed.id) ||
    listed.name === member.name ||
    isAt(listed, member)
  );
}

function isAt({ peerUrls }: Listed, { address, peerPort }: Member): boolean {
  const end = hostPort(address, peerPort);
  return peerUrls.some((url) => URL.canParse(url) && new URL(url).host === end);
}

/** An entry, for a sentence. */
export function described({ id, name, peerUrls }: Listed): string {
  return `${name || 'a member that was never started'} (id ${hex(id)}, ${peerUrls.join(', ') || 'no URL'})`;
}

/** As etcdctl prints ids, and takes them. */
export function hex(id: string): string {
  return /^\d+$/.test(id) ? BigInt(id).toString(16) : id;
}

function byHand(asker: Member | undefined, words: string): string {
  return asker === undefined ? `etcdctl ${words}` : etcdctlByHand(asker, words);
}
