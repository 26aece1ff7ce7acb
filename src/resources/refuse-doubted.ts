import { idsOf, isSame, listersOf, servesByItsWord, type HeardMember } from '../facts/etcd-membership.js';
import type { Member } from '../model/cluster.js';
import { otherMembers } from './replacement-refusals.js';

/** Those who say whether a member has left. */
export interface Heard {
  /** Members that others list. */
  readonly others: readonly HeardMember[];
  /** All that are to leave, whoever lists them. */
  readonly former: readonly HeardMember[];
}

/**
 * Who commits, and lists itself, has not left; and no member that stays is believed alone against another one that serves.
 * @param list one that does not have the member
 * @throws ProvisionError `membership-differs`
 */
export function refuseDoubted(member: Member, { others, former }: Heard, list: HeardMember): void {
  const serving = former.filter((each) => each.clusterId === list.clusterId && servesByItsWord(each));
  const against = serving.filter(({ members }) => members.some((listed) => isSame(listed, member, former)));
  const own = against.find(({ host }) => host === member.host);
  const agreeing = listersOf(others).filter((each) => idsOf(each) === idsOf(list));
  const doubting = own ?? (against.length >= agreeing.length ? against[0] : undefined);
  if (doubting === undefined) return;
  const text = `${list.host} does not list ${member.name}, and ${doubting.host}, which serves in that cluster, does`;
  throw otherMembers(member, text);
}
