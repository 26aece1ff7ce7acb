import type { Member } from '../model/cluster.js';
import { quote } from './quote.js';

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
    `ctl() { ${etcdctl(member)} "$@"; }`,
    // `simple` output: endpoint, id (hex), version, size, is leader, is learner, …; id, status, name, peers, clients, is learner.
    `status=$(ctl endpoint status -w simple) || { echo 'etcd does not answer: nothing to hand over'; exit 0; }`,
    `id=$(printf '%s\\n' "$status" | awk -F ', ' '$5 == "true" { print $2 }')`,
    '[ -n "$id" ] || exit 0',
    `to=$(ctl member list -w simple | awk -F ', ' -v self="$id" ${last} ${quote(NEXT_LEADER)})`,
    '[ -z "$to" ] || ctl move-leader "$to"',
  ].join('\n');
}

/** The first that can lead, of those that are not in `last` where there is one. */
const NEXT_LEADER =
  '$1 != self && $2 == "started" && $6 != "true" { if (index(last, "," $3 ",")) { if (other == "") other = $1 } else if (to == "") to = $1 } END { print to == "" ? other : to }';
