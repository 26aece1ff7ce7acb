import type { EtcdStatus } from '../facts/etcd-status.js';
import { ProvisionError } from '../model/errors.js';
import { hasNoted, type AnsweringIdentity, type HeardFrom, type RemainsSeen } from './remains.js';

/** Whose word counts, and which recovery goes on. */
export interface ServingRequest {
  readonly seen: readonly RemainsSeen[];
  readonly lost: readonly string[];
  /** The survivor of a recovery that was begun: it serves alone, and so may those that it has fenced, which joined it. */
  readonly begun: RemainsSeen | undefined;
}

/**
 * Refuses to give up members that are a quorum. One host's word that a member has a leader is enough for that, also where a person
 * has named it as lost; of other members, those that are named have no say.
 * @throws ProvisionError `quorum-there`
 */
export function refuseWhereServed({ seen, lost, begun }: ServingRequest): void {
  const asked = begun === undefined ? seen : seen.filter((each) => each !== begun && !hasNoted(each, 'fenced'));
  for (const each of asked) {
    if (each.found.kind === 'seen' && (isServing(each.found.status) || hasLeader(each.found.identity)))
      throw quorumThere(each, lost, 'has a leader, and commits what is written');
  }
  for (const each of asked) {
    const hearing = each.heard.find(({ host, identity }) => !lost.includes(host) && hasLeader(identity));
    if (hearing !== undefined) throw quorumThere(each, lost, heardText(hearing));
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

function heardText({ host, url }: HeardFrom): string {
  return `has a leader, by what ${host} hears at ${url}`;
}

function quorumThere({ member, found }: RemainsSeen, lost: readonly string[], what: string): ProvisionError {
  const { host, unit } = member;
  const named = lost.includes(host) ? ', which is named as lost,' : '';
  const giveUp = `sudo systemctl disable --now ${unit}`;
  return new ProvisionError({
    code: 'quorum-there',
    message: `etcd serves: ${host}${named} ${what}; nothing was changed`,
    hint: [
      'a single member that is gone: provision member replace INVENTORY HOST; what else is wrong: provision doctor etcd INVENTORY',
      ...(named === ''
        ? []
        : [
            found.kind === 'seen'
              ? `to give it up all the same, stop it first: ssh ${host} ${giveUp}`
              : `to give it up all the same, switch its machine off, or type there: ${giveUp}`,
          ]),
    ].join('\n'),
  });
}
