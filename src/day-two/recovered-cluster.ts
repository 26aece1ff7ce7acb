import { createHash } from 'node:crypto';
import type { Member } from '../model/cluster.js';
import { ProvisionError } from '../model/errors.js';
import { peerUrlOf } from '../shell/join-member.js';
import { hasNoted, type RemainsSeen } from './remains.js';

/** The token of a cluster that a recovery makes: no other one has it. @param id of the recovery */
export function recoveredToken(token: string, id: string): string {
  return `${token}-${id}`;
}

/**
 * The id, a decimal text, that etcd gives to the cluster that a recovery makes of one member: what answers with it has joined the recovered
 * cluster, whatever a host says of itself.
 */
export function recoveredClusterId(token: string, id: string, survivor: Pick<Member, 'address' | 'peerPort'>): string {
  return idOfClusterOfOne(peerUrlOf(survivor), recoveredToken(token, id));
}

/**
 * How etcd names a cluster that begins as one member (etcdserver/api/membership: `computeMemberId`, `genID`, the same in 3.4 to 3.6). It keeps that id when
 * others join.
 */
export function idOfClusterOfOne(peerUrl: string, token: string): string {
  const memberId = firstBytes(Buffer.from(`${peerUrl}${token}`));
  return String(firstBytes(memberId).readBigUInt64BE());
}

function firstBytes(of: Buffer): Buffer {
  return createHash('sha1').update(of).digest().subarray(0, 8);
}

/** A recovery that was begun: whose data it goes on from, and the cluster that it makes. */
export interface BegunRecovery {
  readonly survivor: RemainsSeen;
  readonly clusterId: string;
}

/**
 * The recovery that hosts have noted as begun. One host's note is not enough: before the survivor's data is exchanged all others are fenced, so that
 * each that can be asked has noted that, has nothing to be fenced, or is a member of the recovered cluster by now.
 * @param left those that are not named as lost
 * @throws ProvisionError `recovery-not-proved`
 */
export function begunRecovery(
  left: readonly RemainsSeen[],
  { token, id }: { readonly token: string; readonly id: string | undefined },
): BegunRecovery | undefined {
  const [survivor, ...more] = left.filter((each) => hasNoted(each, 'exchanging'));
  if (survivor === undefined || id === undefined) return undefined;
  const clusterId = recoveredClusterId(token, id, survivor.member);
  const others = left.filter((each) => each !== survivor);
  const doubtful = [...more, ...others.filter((each) => !more.includes(each) && !isGivenUp(each, clusterId))];
  if (doubtful.length > 0) throw notProved(survivor, doubtful, id);
  return { survivor, clusterId };
}

function isGivenUp(each: RemainsSeen, clusterId: string): boolean {
  const { found } = each;
  if (found.kind === 'away' || hasNoted(each, 'fenced')) return true;
  return isOf(found.identity, clusterId) || (!found.remains.hasData && !found.remains.isRunning);
}

/** Whether an etcd that answers is of a cluster. */
export function isOf(identity: { readonly kind: string; readonly clusterId?: string }, clusterId: string): boolean {
  return identity.kind === 'answers' && identity.clusterId === clusterId;
}

function notProved({ member }: RemainsSeen, doubtful: readonly RemainsSeen[], id: string): ProvisionError {
  const others = doubtful.map((each) => each.member.host);
  return new ProvisionError({
    code: 'recovery-not-proved',
    message: `${member.host} has noted that a recovery went on from its data, and ${others.join(', ')} not that it was fenced for that, as the recovery does before; nothing was changed`,
    hint: [
      `look at the notes: ssh HOST sudo ls -l /var/lib/provision/restore/${id}`,
      `where that of ${member.host} is wrong, remove it there; name who is given up (${others.join(', ')}), once for each: provision recover INVENTORY --lost HOST`,
    ].join('\n'),
  });
}
