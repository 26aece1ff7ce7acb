import { posix } from 'node:path';
import { httpsUrl } from '../model/endpoint.js';
import type { Member } from '../model/cluster.js';
import type { Command } from '../model/remote.js';
import { ASKING_TIMEOUT_MS, askingPeers, type MembershipRequest } from './asking-peers.js';
import { etcdctl, memberThatSays } from './etcdctl.js';
import { podRuns } from './etcd-pod.js';
import { quote } from './quote.js';

/** The drop-in that is there from when a joining member is started until it is a voter. */
export const JOIN_DROP_IN = '/etc/systemd/system/etcd.service.d/20-provision-join.conf';

/** What the drop-in lets etcd read last; systemd reads only `*.conf` in that directory. */
export const JOIN_ENV = '/etc/systemd/system/etcd.service.d/provision-join.env';

/** Where the others reach a member that is managed here. */
export function peerUrlOf({ address, peerPort }: Pick<Member, 'address' | 'peerPort'>): string {
  return httpsUrl(address, peerPort);
}

/** Lines that end the script where the host has a member after all. */
function stillGone({ unit, dataDir }: Member): readonly string[] {
  return [
    `! systemctl is-active --quiet ${quote(`${unit}.service`)} || refuse ${quote(`${unit} runs here again: the list of members was not changed`)}`,
    `[ ! -e ${quote(`${dataDir}/member`)} ] || refuse ${quote(`there is data in ${dataDir} again: the list of members was not changed`)}`,
  ];
}

/** Takes a member out of the list. @param id as etcdctl writes it, in hex */
export function removeMember(request: MembershipRequest, id: string): Command {
  return {
    summary: `etcdctl member remove ${id}`,
    timeoutMs: ASKING_TIMEOUT_MS,
    script: [
      ...askingPeers(request),
      'guard() {',
      `printf '%s\\n' "$list" | grep -q ${quote(`^${id}, `)} || exit 0`,
      ...stillGone(request.member),
      '}',
      `change member remove ${quote(id)}`,
    ].join('\n'),
  };
}

/** Puts the member on the list, as a learner; one change at a time. */
export function addLearner(request: MembershipRequest): Command {
  const { member } = request;
  const url = peerUrlOf(member);
  const pending = `$2 != "started" || $6 == "true" { print; exit }`;
  const listed = `$3 == name || index("," $4 ",", "," url ",") { print; exit }`;
  return {
    summary: `etcdctl member add ${member.name} --learner`,
    timeoutMs: ASKING_TIMEOUT_MS,
    script: [
      ...askingPeers(request),
      'guard() {',
      ...stillGone(member),
      `other=$(printf '%s\\n' "$list" | awk -F ', ' ${quote(pending)})`,
      '[ -z "$other" ] || refuse "another membership change is in progress: $other"',
      `other=$(printf '%s\\n' "$list" | awk -F ', ' -v name=${quote(member.name)} -v url=${quote(url)} ${quote(listed)})`,
      '[ -z "$other" ] || refuse "it is listed already: $other"',
      '}',
      `change member add ${quote(member.name)} --peer-urls=${quote(url)} --learner`,
    ].join('\n'),
  };
}

/**
 * Makes the learner that runs here a voter. etcd up to 3.4.23 and 3.5.6 promotes a learner that never started: that it
 * did is asked of itself, and of the others.
 */
export function promoteLearner(request: MembershipRequest): Command {
  const { member } = request;
  return {
    summary: 'etcdctl member promote',
    timeoutMs: ASKING_TIMEOUT_MS,
    script: [
      ...askingPeers(request),
      `own=$(${etcdctl(member)} endpoint status -w simple) || refuse 'the learner does not answer'`,
      `id=$(printf '%s\\n' "$own" | ${memberThatSays('learner')})`,
      '[ -n "$id" ] || exit 0',
      `printf '%s\\n' "$list" | grep -q "^$id, started, " || refuse "the other members do not list $id as started"`,
      'ctl member promote "$id"',
    ].join('\n'),
  };
}

/**
 * Lets the member join the cluster at its next start, with exactly the members that etcd lists by then. Until it is a voter it
 * serves its own host only: a learner refuses clients, while its health check answers as if it did not.
 */
export function allowJoin(request: MembershipRequest): Command {
  const { member } = request;
  const { clientPort, dataDir } = member;
  const own = `-v name=${quote(member.name)} -v url=${quote(peerUrlOf(member))}`;
  // Its own entry has no name before it has started; the entry of another that has none is a change of others.
  const entries =
    '{ own = index("," $4 ",", "," url ","); who = $3 == "" && own ? name : $3; if (who == "") who = "?"; ' +
    'n = split($4, urls, ","); for (i = 1; i <= n; i++) print who "=" urls[i] }';
  const lines = ['ETCD_INITIAL_CLUSTER_STATE=existing', `ETCD_LISTEN_CLIENT_URLS=${httpsUrl('127.0.0.1', clientPort)}`];
  return {
    summary: 'let it join, as a learner that serves no clients',
    timeoutMs: ASKING_TIMEOUT_MS,
    script: [
      ...askingPeers(request),
      'umask 022',
      `[ ! -e ${quote(`${dataDir}/member`)} ] || refuse ${quote(`there is data in ${dataDir}`)}`,
      `cluster=$(printf '%s\\n' "$list" | awk -F ', ' ${own} ${quote(entries)} | sort | paste -s -d , -)`,
      // It goes into a file that systemd reads.
      `case $cluster in *[!]A-Za-z0-9._:/=,@%+[-]*) refuse "etcd lists what is no list of members: $cluster" ;; esac`,
      `case ,$cluster, in *${quote(`,${member.name}=${peerUrlOf(member)},`)}*) ;; *) refuse "it is not listed: $cluster" ;; esac`,
      `mkdir -p ${posix.dirname(JOIN_DROP_IN)}`,
      `printf '%s\\n' "ETCD_INITIAL_CLUSTER=$cluster" ${lines.map(quote).join(' ')} >${JOIN_ENV}`,
      // A later EnvironmentFile= wins over an earlier one (systemd.exec(5)).
      `printf '# Written by provision: only until the member is a voter.\\n[Service]\\nEnvironmentFile=%s\\n' ${JOIN_ENV} >${JOIN_DROP_IN}`,
      `sync ${JOIN_ENV} ${JOIN_DROP_IN}`,
      'systemctl daemon-reload',
    ].join('\n'),
  };
}

/** The next start serves clients again. */
export function endJoin(): Command {
  return {
    summary: 'remove the drop-in of the joining member',
    script: ['set -eu', `rm -f ${JOIN_DROP_IN} ${JOIN_ENV}`, 'systemctl daemon-reload'].join('\n'),
  };
}

/** Lines that go on only where no process has the data. */
function ended({ unit, dataDir, manifest }: Pick<Member, 'unit' | 'dataDir' | 'manifest'>): readonly string[] {
  if (manifest !== undefined)
    return [
      ...podRuns({ dataDir }),
      `{ [ ! -e ${quote(manifest)} ] && ! runs; } || { echo 'the static pod of etcd still runs' >&2; exit 1; }`,
    ];
  const name = quote(`${unit}.service`);
  return [
    `systemctl stop --quiet ${name}`,
    `! systemctl is-active --quiet ${name} || { echo ${quote(`${unit} still runs`)} >&2; exit 1; }`,
  ];
}

/**
 * Stops etcd and renames its data, in its directory, to a dated name: nothing is deleted. The directory itself may be a
 * mount point. Root does nothing itself in a directory of others.
 * @param why what the new name says
 */
export function moveMemberAside(
  member: Pick<Member, 'unit' | 'dataDir' | 'manifest'>,
  why: 'replaced' | 'removed' = 'replaced',
): Command {
  const { dataDir } = member;
  return {
    summary: `move ${dataDir}/member aside`,
    script: [
      'set -eu',
      `data=${quote(dataDir)}`,
      ...ended(member),
      '[ -e "$data/member" ] || exit 0',
      'setpriv --reuid "$(stat -c %u "$data")" --regid "$(stat -c %g "$data")" --clear-groups \\',
      `  sh -euc 'cd -P -- "$1"; [ ! -e "./$2" ]; mv -T ./member "./$2"; sync -f .' sh "$data" "member.${why}-$(date -u +%Y%m%dT%H%M%SZ)"`,
    ].join('\n'),
  };
}
