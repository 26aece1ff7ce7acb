import type { Cluster, Member } from '../model/cluster.js';
import { placeOf, type CheckContext } from './check-context.js';

/** An election needs more silence than this many heartbeats (etcd refuses to start otherwise, embed/config.go). */
const HEARTBEATS_PER_ELECTION = 5;

/** Variables of etcd that have their own name here, or belong to the role. */
const MANAGED_ENVIRONMENT: Readonly<Record<string, string>> = {
  ETCD_NAME: 'etcd_member_name',
  ETCD_DATA_DIR: 'etcd_data_dir',
  ETCD_INITIAL_CLUSTER_TOKEN: 'etcd_cluster_token',
  ETCD_HEARTBEAT_INTERVAL: 'etcd_heartbeat_interval',
  ETCD_ELECTION_TIMEOUT: 'etcd_election_timeout',
  ETCD_QUOTA_BACKEND_BYTES: 'etcd_quota_backend_bytes',
  ETCD_SNAPSHOT_COUNT: 'etcd_snapshot_count',
  ETCD_AUTO_COMPACTION_RETENTION: 'etcd_auto_compaction_retention',
};
const ROLE_ENVIRONMENT =
  /^ETCD_(?:LISTEN_CLIENT_URLS|ADVERTISE_CLIENT_URLS|LISTEN_PEER_URLS|INITIAL_.*|(?:PEER_)?(?:CERT_FILE|KEY_FILE|TRUSTED_CA_FILE|CLIENT_CERT_AUTH))$/;

/** How many members there are, what each is called, and what each asks of etcd. */
export function checkMembers(cluster: Cluster, context: CheckContext): void {
  checkNumberOfMembers(cluster, context);
  checkMemberNames([...cluster.members, ...cluster.formerMembers], context);
  for (const member of cluster.members) checkMember(member, context);
  checkReleases(cluster, context);
}

function checkNumberOfMembers({ members }: Cluster, { reader, hosts }: CheckContext): void {
  const count = members.length;
  if (count === 0 || (count > 2 && count % 2 === 1)) return;
  const message =
    count === 1
      ? 'has one member: when its host is down, so is the cluster; three are usual'
      : `has ${count} members: ${count === 2 ? 'it stops when either is down, which is worse than one' : `it survives no more failures than ${count - 1} would`}; use an odd number`;
  reader.report('warning', hosts.members[0]?.at, 'group etcd', message);
}

function checkMemberNames(members: readonly Member[], context: CheckContext): void {
  const owners = new Map<string, string>();
  for (const { name, host } of members) {
    const owner = owners.get(name);
    if (owner !== undefined) {
      context.reader.report(
        'error',
        placeOf(context, host, 'etcd_member_name'),
        'etcd_member_name',
        `'${name}' is the name of both ${owner} and ${host}; each member needs its own`,
      );
    }
    owners.set(name, host);
  }
}

function checkMember(member: Member, context: CheckContext): void {
  const { reader } = context;
  const least = HEARTBEATS_PER_ELECTION * member.heartbeatIntervalMs;
  if (member.electionTimeoutMs < least) {
    reader.report(
      'error',
      placeOf(context, member.host, 'etcd_election_timeout', 'etcd_heartbeat_interval'),
      'etcd_election_timeout',
      `${member.electionTimeoutMs}: expected at least ${least}, five times etcd_heartbeat_interval (${member.heartbeatIntervalMs})`,
    );
  }
  if (member.clientPort === member.peerPort) {
    reader.report(
      'error',
      placeOf(context, member.host, 'etcd_peer_port', 'etcd_client_port'),
      'etcd_peer_port',
      `${member.peerPort}: etcd_client_port is the same; they must differ`,
    );
  }
  const variables = context.inventory.hosts.get(member.host)?.variables;
  for (const name of Object.keys(member.extraEnv)) {
    const own = MANAGED_ENVIRONMENT[name];
    if (own === undefined && !ROLE_ENVIRONMENT.test(name)) continue;
    const message =
      own === undefined ? 'is set by this program; remove it here' : `is set by the variable ${own}; use that`;
    reader.report('error', variables?.at('etcd_extra_env', [name]), `etcd_extra_env.${name}`, message);
  }
}

/** One version for all: which host runs another one for a while is decided by the upgrade. */
function checkReleases({ members }: Cluster, context: CheckContext): void {
  const [first] = members;
  const other = members.find(({ release }) => release?.version !== first?.release?.version);
  if (first === undefined || other === undefined) return;
  const of = ({ release }: Member): string => release?.version ?? 'the package';
  context.reader.report(
    'error',
    placeOf(context, other.host, 'etcd_version', 'etcd_install'),
    'etcd_version',
    `is ${of(first)} on ${first.host} and ${of(other)} on ${other.host}: it must be the same for all members, set it once`,
  );
}
