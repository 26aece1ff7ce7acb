import { described, type Listed } from '../facts/etcd-membership.js';
import type { EtcdStatus } from '../facts/etcd-status.js';
import type { Member } from '../model/cluster.js';
import { ProvisionError } from '../model/errors.js';
import { httpsUrl } from '../model/endpoint.js';
import { FORMER_MEMBERS } from '../model/former-groups.js';
import { journalByHand } from '../shell/by-hand.js';
import { quote } from '../shell/quote.js';

const UNTOUCHED = 'nothing was changed';

/** A process of the member's unit runs, and does not answer. */
export function notGone({ host, unit }: Member, own: EtcdStatus): ProvisionError {
  const why = own.kind === 'silent' ? own.reason : 'it answers';
  return new ProvisionError({
    code: 'member-not-gone',
    message: `${host}: ${unit} runs, and does not answer (${why}): a member that is only slow is no dead one; ${UNTOUCHED}`,
    hint: [
      `see what it does: ${journalByHand(host, unit)}`,
      `where it is beyond help: ssh ${host} sudo systemctl stop ${unit}; then run the same command again`,
    ].join('\n'),
  });
}

/** Others get an answer at the member's address, while its host has no process. @param ids in hex */
export function elsewhere({ host, address, clientPort }: Member, ids: readonly string[]): ProvisionError {
  return new ProvisionError({
    code: 'member-not-gone',
    message: `${host}: an etcd answers the other members at ${httpsUrl(address, clientPort)} (member ${ids.join(', ')}), and none runs where ssh ${host} leads to; ${UNTOUCHED}`,
    hint: `compare: ssh ${host} ip -br address; does ansible_host of ${host} lead to the machine that has ${address}?`,
  });
}

/** The machine that another one is to replace, at another address, still runs its member. @param ids in hex */
export function stillRuns({ host, unit }: Member, url: string, ids: readonly string[]): ProvisionError {
  return new ProvisionError({
    code: 'member-not-gone',
    message: `${host}: etcd lists its member at another address, and one answers the others there, at ${url} (member ${ids.join(', ')}): the old machine runs; ${UNTOUCHED}`,
    hint: [
      `stop it on the old machine: systemctl disable --now ${unit}; then run the same command again`,
      'where it is the same machine, with another address, this says what to do: provision plan INVENTORY',
    ].join('\n'),
  });
}

/** Ssh leads to another machine, or the network of the new one is not set up. */
export function withoutItsAddress({ host, address }: Member): ProvisionError {
  return new ProvisionError({
    code: 'member-not-gone',
    message: `${host}: the machine that ssh leads to does not have the address ${address}: whether the member is gone can't be told there; ${UNTOUCHED}`,
    hint: `compare: ssh ${host} ip -br address; correct ansible_host, or give the new machine the address`,
  });
}

/** The member is only stopped. */
export function hasData({ host, unit, dataDir }: Member, entry: Listed): ProvisionError {
  // The directory may be what the host says that it is.
  const aside = `sudo mv ${quote(`${dataDir}/member`)} ${quote(`${dataDir}/member.damaged`)}`;
  return new ProvisionError({
    code: 'member-has-data',
    message: `${host}: ${described(entry)} is stopped, and has its data in ${dataDir}; ${UNTOUCHED}`,
    hint: [
      `start it: ssh ${host} sudo systemctl start ${unit}`,
      `where its data is damaged for good, move it aside first: ssh ${host} ${quote(aside)}`,
    ].join('\n'),
  });
}

/** An etcd of another cluster runs on the host. @param found and expected cluster ids, decimal */
export function foreignCluster({ host }: Member, found: string, expected: string): ProvisionError {
  return new ProvisionError({
    code: 'foreign-etcd',
    message: `${host}: the etcd that runs there belongs to cluster ${found}, not to ${expected}; ${UNTOUCHED}`,
    hint: `if nobody needs it, stop it and move its data away on ${host}; else take ${host} out of the group etcd`,
  });
}

/** The other members that are healthy are no quorum. */
export function notEnough(
  { host }: Member,
  { healthy, needed, voters }: { readonly healthy: number; readonly needed: number; readonly voters: number },
): ProvisionError {
  const all = voters === 0 ? 'no other member answers' : `${healthy} of ${voters} voters are healthy without it`;
  return new ProvisionError({
    code: 'quorum-at-risk',
    message: `${host}: ${all}, and a quorum is ${needed}; ${UNTOUCHED}`,
    hint: [
      'make the other members healthy first: provision verify INVENTORY',
      'where they are gone for good: provision recover INVENTORY (docs/runbooks/quorum-lost.md)',
    ].join('\n'),
  });
}

/** Another membership change was begun. */
export function pendingChange({ host }: Member, pending: Listed): ProvisionError {
  const what = pending.isLearner ? 'is a learner' : 'never started';
  return new ProvisionError({
    code: 'membership-pending',
    message: `${host}: another membership change is not finished: ${described(pending)} ${what}; ${UNTOUCHED}`,
    hint: 'finish that one first: provision apply INVENTORY, where its host is in the group etcd; else: provision verify INVENTORY',
  });
}

/** The other members and the inventory are not the same. */
export function otherMembers({ host }: Member, text: string, next?: string): ProvisionError {
  return new ProvisionError({
    code: 'membership-differs',
    message: `${host}: ${text}; ${UNTOUCHED}`,
    hint: next ?? 'see what each says: provision verify INVENTORY',
  });
}

const THE_REST = `the rest without that: the same command with --limit 'all:!${FORMER_MEMBERS}'`;

/** The other members that are healthy are no quorum for one to leave. */
export function notEnoughToLeave(leaving: Member, figures: Parameters<typeof notEnough>[1]): ProvisionError {
  const { code, message, hint = '' } = notEnough(leaving, figures);
  return new ProvisionError({ code, message, hint: `${hint}\n${THE_REST}` });
}

/** No member leaves while one that stays is not healthy. @param host of that one @param what is wrong with it */
export function sickOther({ host: leaving }: Member, host: string, what: string): ProvisionError {
  return new ProvisionError({
    code: 'quorum-at-risk',
    message: `${leaving}: ${host} ${what}: no member leaves while one that stays is not healthy; ${UNTOUCHED}`,
    hint: [
      `make it healthy first: provision verify INVENTORY; or, where ${host} is gone for good, too: move it into the group ${FORMER_MEMBERS}`,
      THE_REST,
    ].join('\n'),
  });
}

/** The member that is to leave serves, and its host can't be asked. */
export function servesUnreached({ host, unit, address, clientPort }: Member): ProvisionError {
  return new ProvisionError({
    code: 'member-not-gone',
    message: `${host}: its host can't be asked, and its etcd answers the other members at ${httpsUrl(address, clientPort)}: one that serves is stopped before it leaves; ${UNTOUCHED}`,
    hint: `let ssh reach ${host} again; or stop it there: systemctl disable --now ${unit}; then run the same command again`,
  });
}
