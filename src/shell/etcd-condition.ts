import { curlCommand, opensslCommand } from './https-request.js';
import { quote } from './quote.js';

/** What the condition of a member is looked at by. */
export interface ConditionRequest {
  /** Its systemd unit, without `.service`. */
  readonly unit: string;
  readonly dataDir: string;
  /** Where its own host asks it. */
  readonly clientUrl: string;
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
  /** Addresses and peer ports of all members, itself included. */
  readonly peers: readonly (readonly [address: string, port: number])[];
}

/** Lines of the journal that are read; what made etcd end is in its last ones. */
const JOURNAL_LINES = 60;

/** Of a line of the journal, in bytes: a panic may print pages. */
const LONGEST_LINE = 600;

/** No peer is waited for longer, in seconds: it is on the same network. */
const CONNECT_LIMIT_S = 3;

const METRICS_LIMIT_S = 5;

const UNIT_PROPERTIES = 'LoadState,ActiveState,SubState,Result,NRestarts,ExecMainStatus';

/** Of etcd's metrics (etcd docs, "Metrics"), those that say why it is slow, or has no leader. */
const METRICS = 'etcd_server_has_leader|etcd_disk_wal_fsync_duration_seconds_(bucket|count)';

/**
 * Lines that print, each with a letter before it, what a host shows of its member without asking the cluster: unit, data,
 * disk, journal, metrics, and which peers it can connect to. Nothing is changed; no step waits long.
 */
export function conditionScript(request: ConditionRequest): string {
  const unit = quote(`${request.unit}.service`);
  return [
    'echo E',
    `printf 'T %s\\n' "$(date +%s)"`,
    `systemctl show -p ${UNIT_PROPERTIES} -- ${unit} 2>/dev/null | sed 's/^/U /'`,
    ...diskLines(request.dataDir),
    ...peerLines(request.peers),
    `{ ${metricsCommand(request)}; } 2>/dev/null | grep -aE '^(${METRICS})[ {]' | head -n 60 | sed 's/^/X /'`,
    `journalctl -u ${unit} -n ${JOURNAL_LINES} --no-pager -q -o short-unix --no-hostname 2>/dev/null | cut -b 1-${LONGEST_LINE} | sed 's/^/J /'`,
    'true',
  ].join('\n');
}

/** Where the data directory is missing, the room is that of the directory that would hold it. */
function diskLines(dataDir: string): readonly string[] {
  return [
    `at=${quote(dataDir)}`,
    `[ ! -d "$at/member" ] || echo 'M data'`,
    `while [ ! -d "$at" ] && [ "$at" != / ]; do at=$(dirname -- "$at"); done`,
    // Size and free KiB, then all and free inodes, then where it is mounted, to the end of the line.
    `disk=$(df -Pk -- "$at" | awk 'NR == 2 { print $2, $4 }')`,
    `inodes=$(df -Pi -- "$at" | awk 'NR == 2 { printf "%s %s", $2, $4; for (i = 6; i <= NF; i++) printf " %s", $i }')`,
    `printf 'D %s %s\\n' "$disk" "$inodes"`,
    // access(2) says so of a file system that is read-only, also to root.
    `[ -w "$at" ] || echo 'R read-only'`,
  ];
}

/** bash, because no other program of every host opens a plain connection. */
function peerLines(peers: ConditionRequest['peers']): readonly string[] {
  const connect = `timeout ${CONNECT_LIMIT_S} bash -c 'exec 3<>"/dev/tcp/$1/$2"' connect "$2" "$3"`;
  return [
    'connect() {',
    `  out=$(${connect} 2>&1); status=$?`,
    '  case $status:$out in',
    '    0:*) word=open ;;',
    '    124:*) word=timeout ;;',
    `    *'Connection refused'*) word=refused ;;`,
    `    *'No route to host'* | *'Network is unreachable'*) word=no-route ;;`,
    '    *) word=failed ;;',
    '  esac',
    `  printf 'P %s %s\\n' "$1" "$word"`,
    '}',
    ...peers.map(([address, port], index) => `connect ${index} ${quote(address)} ${port} &`),
    'wait',
  ];
}

/** A command that prints the metrics of the host's own member. */
export function metricsCommand({
  clientUrl,
  ca,
  certificate,
  key,
}: Pick<ConditionRequest, 'clientUrl' | 'ca' | 'certificate' | 'key'>): string {
  const url = `${clientUrl}/metrics`;
  const isPlain = new URL(clientUrl).protocol === 'http:';
  const request = isPlain ? { url } : { url, ca, certificate, key };
  const curl = curlCommand(request, METRICS_LIMIT_S);
  return isPlain
    ? curl
    : `if command -v curl >/dev/null; then ${curl}; else ${opensslCommand(request, METRICS_LIMIT_S)}; fi`;
}
