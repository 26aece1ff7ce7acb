import type { Member } from '../model/cluster.js';
import { quote } from './quote.js';
import { SHUT, shutAt } from './shut-port.js';

/** Which member is asked, and with what. */
type Asked = Pick<Member, 'clientUrl' | 'client'>;

/**
 * The start of an etcdctl call to the host's own member, with full verification. Give it `ETCDCTL_API=3` in the
 * environment: 3.3 defaults to the old API. No call hangs: etcdctl's own time-outs, and one around them.
 */
export function etcdctl(member: Asked): string {
  return `timeout 15 etcdctl ${etcdctlFlags(member)} ${LIMITS}`;
}

/**
 * The start of an etcdctl call to the host's own member that takes whatever certificate it shows; give it `--cert` and
 * `--key`. For questions only: nobody stands between a host and itself, but only a verified member is healthy.
 */
export function unverifiedEtcdctl(clientUrl: string): string {
  return `timeout 15 etcdctl --endpoints=${quote(clientUrl)} --insecure-skip-tls-verify ${LIMITS}`;
}

const LIMITS = '--dial-timeout=2s --command-timeout=5s';

/** The same as a person types it, from another machine. @param words `member list` */
export function etcdctlByHand(member: Asked & Pick<Member, 'host'>, words: string): string {
  return `ssh ${member.host} ${quote(`sudo env ETCDCTL_API=3 etcdctl ${etcdctlFlags(member)} ${words}`)}`;
}

/** Which member is asked, and with what, as options. */
export function etcdctlFlags({ clientUrl, client }: Asked): string {
  return [
    `--endpoints=${quote(clientUrl)}`,
    `--cacert=${quote(client.ca)}`,
    `--cert=${quote(client.certificate)}`,
    `--key=${quote(client.key)}`,
  ].join(' ');
}

/**
 * A script that makes a leader hand over to another started voter before it is stopped, so that clients wait for a
 * transfer and not for an election. It does nothing on a follower, in a cluster of one, or where etcd does not answer.
 * @param avoid names of members that get it only where there is no other one
 */
export function handOverLeadership(member: Asked, avoid: readonly string[] = []): string {
  const last = `-v last=${quote(`,${avoid.join(',')},`)}`;
  return [
    'set -eu',
    'export ETCDCTL_API=3',
    ...SHUT,
    `if ${shutAt(member.clientUrl, 'own-host')}; then echo "etcd does not answer: nothing to hand over"; exit 0; fi`,
    `ctl() { ${etcdctl(member)} "$@"; }`,
    // `simple` output of members: id (hex), status, name, peers, clients, is learner.
    `status=$(ctl endpoint status -w simple) || { echo 'etcd does not answer: nothing to hand over'; exit 0; }`,
    `id=$(printf '%s\\n' "$status" | ${memberThatSays('leader')})`,
    '[ -n "$id" ] || exit 0',
    `to=$(ctl member list -w simple | awk -F ', ' -v self="$id" ${last} ${quote(NEXT_LEADER)})`,
    '[ -z "$to" ] || ctl move-leader "$to"',
  ].join('\n');
}

/**
 * A command that reads `endpoint status -w simple`, and prints the id, in hex, of a member that says so of itself. Whether it
 * leads is the first column with a truth value, whether it is a learner the second: in front of them etcd 3.6 has four
 * columns more than 3.4 and 3.5 (etcdctl, `makeEndpointStatusTable`).
 */
export function memberThatSays(what: 'leader' | 'learner'): string {
  const program = `{ n = 0; for (i = 4; i <= NF; i++) if (($i == "true" || $i == "false") && ++n == ${what === 'leader' ? 1 : 2}) { if ($i == "true") print $2; break } }`;
  return `awk -F ', ' ${quote(program)}`;
}

/** The first that can lead, of those that are not in `last` where there is one. */
const NEXT_LEADER =
  '$1 != self && $2 == "started" && $6 != "true" { if (index(last, "," $3 ",")) { if (other == "") other = $1 } else if (to == "") to = $1 } END { print to == "" ? other : to }';
