import type { EtcdStatus } from '../facts/etcd-status.js';
import { hex } from '../facts/etcd-membership.js';
import { ProvisionError } from '../model/errors.js';
import { isOf, type BegunRecovery } from './recovered-cluster.js';
import { hasNoted, type AnsweringIdentity, type HeardFrom, type RemainsSeen } from './remains.js';

/** Whose word counts, and which recovery goes on. */
export interface ServingRequest {
  readonly seen: readonly RemainsSeen[];
  readonly lost: readonly string[];
  /** Its survivor serves, and so may those that have joined it: by the id of the recovered cluster, or as they have noted that they were fenced. */
  readonly begun: BegunRecovery | undefined;
}

/**
 * Refuses to give up members that are a quorum. One host's word that a member has a leader is enough for that, also where a person
 * has named it as lost; of other members, those that are named have no say.
 * @throws ProvisionError `quorum-there`
 */
export function refuseWhereServed({ seen, lost, begun }: ServingRequest): void {
  const isRecovered = (identity: AnsweringIdentity | EtcdStatus | { readonly kind: 'silent' }): boolean =>
    begun !== undefined && isOf(identity, begun.clusterId);
  const asked =
    begun === undefined ? seen : seen.filter((each) => each !== begun.survivor && !hasNoted(each, 'fenced'));
  for (const each of asked) {
    const { found } = each;
    if (found.kind === 'away') continue;
    const serves = isServing(found.status) && !isRecovered(found.status);
    if (serves || (hasLeader(found.identity) && !isRecovered(found.identity)))
      throw quorumThere(each, lost, { text: 'has a leader, and commits what is written', by: undefined });
  }
  for (const each of asked) {
    const hearing = each.heard.find(
      ({ host, identity }) => !lost.includes(host) && hasLeader(identity) && !isRecovered(identity),
    );
    if (hearing !== undefined) throw quorumThere(each, lost, { text: heardText(hearing), by: hearing.host });
  }
}

/**
 * Raft has no leader without a quorum: who hears from too few steps down, or stands for election. A full disk's alarm makes members with
 * a leader unhealthy. A learner notices nothing of it.
 */
function isServing(status: EtcdStatus): boolean {
  return status.kind === 'answers' && !status.isLearner && (status.isHealthy || status.leaderId !== '0');
}

function hasLeader(identity: AnsweringIdentity | { readonly kind: 'silent' }): boolean {
  return identity.kind === 'answers' && identity.leaderId !== '0';
}

function heardText({ host, url, identity }: HeardFrom): string {
  return `has a leader, by what ${host} hears at ${url} (cluster ${hex(identity.clusterId)})`;
}

/** What a member is reported to do, and by which other host; absent: by its own. */
interface Word {
  readonly text: string;
  readonly by: string | undefined;
}

function quorumThere({ member, found }: RemainsSeen, lost: readonly string[], { text, by }: Word): ProvisionError {
  const { host, unit } = member;
  const named = lost.includes(host) ? ', which is named as lost,' : '';
  const giveUp = `sudo systemctl disable --now ${unit}`;
  return new ProvisionError({
    code: 'quorum-there',
    message: `etcd serves: ${host}${named} ${text}; nothing was changed`,
    hint: [
      'a single member that is gone: provision member replace INVENTORY HOST; what else is wrong: provision doctor etcd INVENTORY',
      ...(named === ''
        ? []
        : [
            found.kind === 'seen'
              ? `to give it up all the same, stop it first: ssh ${host} ${giveUp}`
              : `to give it up all the same, switch its machine off, or type there: ${giveUp}`,
          ]),
      ...(by === undefined
        ? []
        : [
            `where that is another cluster, or ${by} says so wrongly: switch off what answers there, or take ${by} out of the inventory until the recovery has ended`,
          ]),
    ].join('\n'),
  });
}
