import { memberUrls } from '../model/endpoint.js';
import type { Member } from '../model/cluster.js';
import { quote } from './quote.js';
import { SHUT, shutAt } from './shut-port.js';
import { sideBySide } from './side-by-side.js';

/** A change of the list of members, made from a host that has a client certificate. */
export interface MembershipRequest {
  /** On that host. */
  readonly member: Member;
  /** The other members, who are asked to make it; those that stay first. */
  readonly peers: readonly Member[];
  /** The cluster whose list it is, a decimal text; absent: the one of most that answer. */
  readonly clusterId?: string | undefined;
}

/**
 * What each script about the list of members begins with: `list` is what most of the other members say that answer, of one cluster;
 * `ctl` asks those, with the host's own client certificate. It has one member a line, in the `simple` format: id, `started`, name, peer
 * URLs, client URLs, whether it is a learner. One that lies, or is part of another cluster by now, is not asked to change anything.
 */
export function askingPeers({ member, peers, clusterId }: MembershipRequest): readonly string[] {
  const { ca, certificate, key } = member.client;
  const flags = `--cacert=${quote(ca)} --cert=${quote(certificate)} --key=${quote(key)} --dial-timeout=3s`;
  return [
    'set -eu',
    'export ETCDCTL_API=3',
    `refuse() { printf '%s\\n' "$1" >&2; exit 1; }`,
    ...SHUT,
    'tell() {',
    '  url=$1',
    `  id=$(timeout 10 etcdctl --endpoints="$url" ${flags} --command-timeout=5s endpoint status -w json 2>/dev/null | sed -n 's/.*"cluster_id":\\([0-9]*\\).*/\\1/p' | head -n 1)`,
    `  ${clusterId === undefined ? '[ -n "$id" ]' : `[ "$id" = ${quote(clusterId)} ]`} || return 0`,
    `  members=$(timeout 10 etcdctl --endpoints="$url" ${flags} --command-timeout=5s member list -w simple 2>/dev/null | sort)`,
    `  [ -z "$members" ] || printf '%s %s %s\\n' "$id" "$(printf '%s\\n' "$members" | base64 -w0)" "$url"`,
    '}',
    'said() {',
    sideBySide(
      memberUrls(peers).map((url) => `if ${shutAt(url, 'another-host')}; then echo shut; else tell ${quote(url)}; fi`),
    ),
    '}',
    'ask_all() {',
    `  tries=${MOST_TRIES} patience=${SHUT_PATIENCE}`,
    `  while most=$(said | awk -v patience="$patience" ${quote(MOST)}); [ -z "$most" ]; do`,
    '    tries=$((tries - 1)) patience=$((patience - 1))',
    `    [ "$tries" -gt 0 ] || refuse 'the other members do not say the same of who the members are: the list was not changed'`,
    '    sleep 1',
    '  done',
    '  list=$(printf %s "${most% *}" | base64 -d)',
    '}',
    'ask_all',
    `ctl() { timeout 40 etcdctl --endpoints="\${most#* }" ${flags} --command-timeout=15s "$@"; }`,
    ...ONCE_CONNECTED,
  ];
}

/** Several times as long as etcd wants voters to be connected, in seconds. */
const CONNECTED_LIMIT_S = 30;

/**
 * Lines that define `change`, which asks for a change of the list as `ctl` does, and again while etcd refuses it because a voter is not
 * connected for long: it makes none before all of them are so for five seconds (etcdserver, `HealthInterval`, `mayAddMember`), as after
 * another one has joined, or was restarted. Before each time the script's own `guard` ends it where the change may not be made, by the
 * list as it is by then.
 */
const ONCE_CONNECTED = [
  'change() {',
  `  end=$(($(date +%s) + ${CONNECTED_LIMIT_S}))`,
  '  guard',
  '  until out=$(ctl "$@" 2>&1); do',
  `    case $out in *'unhealthy cluster'*) [ "$(date +%s)" -lt "$end" ] || refuse "$out" ;; *) refuse "$out" ;; esac`,
  '    sleep 1',
  '    ask_all',
  '    guard',
  '  done',
  `  printf '%s\\n' "$out"`,
  '}',
];

/**
 * All members are asked at once, in {@link MOST_TRIES} rounds of 25 s at most; so they are again after {@link CONNECTED_LIMIT_S}, and the
 * last attempt at a change ends after 40 s.
 */
export const ASKING_TIMEOUT_MS = 360_000;

/** A member may take a moment to learn what has just been changed. */
const MOST_TRIES = 5;

/** Rounds in which nothing is decided without a member whose port is shut: it may have just been restarted, and have a word in it. */
const SHUT_PATIENCE = 2;

/** The list of more than half of those that say one, and their URLs; of two halves that of the first one: those that stay are asked first. */
const MOST =
  '$1 == "shut" { shut++; next } ' +
  '{ k = $1 " " $2; w = 2 * (spoke++ == 0) + 4; all += w; of[k] += w; list[k] = $2; urls[k] = urls[k] == "" ? $3 : urls[k] "," $3 } ' +
  'END { if (shut > 0 && patience > 0) exit; for (k in of) if (2 * of[k] > all) print list[k], urls[k] }';
