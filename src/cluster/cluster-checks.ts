import type { Cluster, Member } from '../model/cluster.js';
import type { SourcePosition } from '../model/errors.js';
import type { Balancer, ProxyName, ServiceWords, VirtualService } from '../model/virtual-service.js';
import type { CheckContext } from './check-context.js';
import { checkListening } from './port-checks.js';
import { checkServices } from './service-checks.js';
import { SERVICE_VARIABLES } from './service-variables.js';
import { checkAdverts, checkVirtualIp } from './virtual-ip-checks.js';

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

/** Checks that need more than one variable. Reports all that is wrong or doubtful. */
export function checkCluster(cluster: Cluster, context: CheckContext): void {
  checkHostNames(context);
  checkNumberOfMembers(cluster, context);
  checkAddresses(context, [
    ...cluster.members,
    ...cluster.formerMembers,
    ...cluster.services.flatMap(({ balancers }) => balancers),
    ...cluster.controlPlanes,
  ]);
  checkMemberNames([...cluster.members, ...cluster.formerMembers], context);
  for (const member of cluster.members) checkMember(member, context);
  checkReleases(cluster, context);
  for (const service of cluster.services) {
    checkVirtualIp(service, context);
    checkAdverts(service, context);
    checkBalancers(service, context);
    checkProxy(service, context);
    checkTermination(service, context);
  }
  checkServices(cluster.services, context);
  checkListening(cluster, context);
  checkControlPlaneGroup(cluster, context);
  checkRenewal(cluster, context);
}

/** One version for all: which host runs another one for a while is decided by the upgrade. */
function checkReleases({ members }: Cluster, context: CheckContext): void {
  const [first] = members;
  const other = members.find(({ release }) => release?.version !== first?.release?.version);
  if (first === undefined || other === undefined) return;
  const of = ({ release }: Member): string => release?.version ?? 'the package';
  context.reader.report(
    'error',
    place(context, other.host, 'etcd_version', 'etcd_install'),
    'etcd_version',
    `is ${of(first)} on ${first.host} and ${of(other)} on ${other.host}: it must be the same for all members, set it once`,
  );
}

function checkRenewal({ certificates, members }: Cluster, context: CheckContext): void {
  const { renewBeforeDays, leafDays } = certificates;
  const host = members[0]?.host;
  if (host === undefined || renewBeforeDays < leafDays) return;
  context.reader.report(
    'error',
    place(context, host, 'etcd_cert_renew_before_days', 'etcd_cert_days'),
    'etcd_cert_renew_before_days',
    `${renewBeforeDays}: expected less than etcd_cert_days (${leafDays}), else every run would reissue all certificates`,
  );
}

function place(context: CheckContext, host: string, ...variables: string[]): SourcePosition | undefined {
  const found = context.inventory.hosts.get(host);
  const set = variables.map((name) => found?.variables.at(name)).find((at) => at !== undefined);
  return set ?? found?.at;
}

/** Names of hosts go into keepalived.conf, paths and summaries: none may end a line or a word there. */
function checkHostNames({ hosts, reader }: CheckContext): void {
  for (const { name, at } of hosts.all)
    if (!/^[^\s"'\\{}!#$`/\p{Cc}]+$/u.test(name))
      reader.report(
        'error',
        at,
        JSON.stringify(name),
        'is not a valid host name: expected letters, digits, `.`, `-`, `_` and `:`',
      );
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

function checkAddresses(
  context: CheckContext,
  nodes: readonly { readonly host: string; readonly address: string }[],
): void {
  const owners = new Map<string, string>();
  for (const { host, address } of nodes) {
    const owner = owners.get(address) ?? host;
    owners.set(address, owner);
    if (address !== '' && owner !== host) {
      context.reader.report(
        'error',
        place(context, host, 'ip', 'access_ip', 'ansible_host'),
        host,
        `has the address ${address}, which ${owner} has too`,
      );
    }
  }
}

function checkMemberNames(members: readonly Member[], context: CheckContext): void {
  const owners = new Map<string, string>();
  for (const { name, host } of members) {
    const owner = owners.get(name);
    if (owner !== undefined) {
      context.reader.report(
        'error',
        place(context, host, 'etcd_member_name'),
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
      place(context, member.host, 'etcd_election_timeout', 'etcd_heartbeat_interval'),
      'etcd_election_timeout',
      `${member.electionTimeoutMs}: expected at least ${least}, five times etcd_heartbeat_interval (${member.heartbeatIntervalMs})`,
    );
  }
  if (member.clientPort === member.peerPort) {
    reader.report(
      'error',
      place(context, member.host, 'etcd_peer_port', 'etcd_client_port'),
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

function checkBalancers({ name, group, balancers }: VirtualService, context: CheckContext): void {
  const { reader } = context;
  const variable = SERVICE_VARIABLES[name].priority;
  const owners = new Map<number, Balancer>();
  for (const balancer of balancers) {
    const { priority } = balancer.keepalived;
    const owner = owners.get(priority);
    owners.set(priority, balancer);
    if (owner !== undefined) {
      reader.report(
        'error',
        place(context, balancer.host, variable),
        variable,
        `${priority} is that of both ${owner.host} and ${balancer.host}: with equal priorities the virtual IP does not move; give each its own, or none`,
      );
    }
  }
  if (balancers.length === 1) {
    reader.report(
      'warning',
      context.inventory.hosts.get(balancers[0]?.host ?? '')?.at,
      `group ${group}`,
      'has one host: when it is down, the virtual IP is too',
    );
  }
}

/** What a proxy that was chosen can do less than HAProxy; said in every plan. */
const WEAKER: Readonly<Record<ProxyName, ((words: ServiceWords) => string) | undefined>> = {
  haproxy: undefined,
  nginx: ({ backend, fault }) =>
    `nginx notices a ${backend} that is down only by connections that fail, and not at all one that hangs or ${fault}: clients meet it; haproxy asks each ${backend}`,
};

function checkProxy({ name, proxy, words }: VirtualService, { shared, reader }: CheckContext): void {
  const weaker = WEAKER[proxy];
  const variable = SERVICE_VARIABLES[name].proxy;
  if (weaker !== undefined) reader.report('warning', shared.at(variable), variable, weaker(words));
}

/** What is lost where a proxy ends TLS; said in every plan. */
function checkTermination({ proxy, termination }: VirtualService, { shared, reader }: CheckContext): void {
  if (termination === undefined) return;
  const at = shared.at('etcd_lb_mode');
  if (proxy === 'haproxy')
    reader.report(
      'warning',
      at,
      'etcd_lb_mode',
      'terminate: members see all clients of the load balancer as one, HAProxy; its hosts see what clients read and write, and a key there opens etcd',
    );
  else
    reader.report(
      'error',
      at,
      'etcd_lb_mode',
      `terminate: ${proxy} only passes TLS through here; set etcd_lb_proxy to haproxy, or etcd_lb_mode to passthrough`,
    );
}

/** Older names of the group, and slips, which would leave the apiservers as they are without a word. */
const OTHER_CONTROL_PLANE_NAMES = [
  'kube_master',
  'kube-master',
  'control_plane',
  'control-plane',
  'controlplane',
  'kube_control_planes',
  'masters',
  'master',
];

function checkControlPlaneGroup({ controlPlanes }: Cluster, { inventory, reader }: CheckContext): void {
  if (controlPlanes.length > 0) return;
  const other = OTHER_CONTROL_PLANE_NAMES.find((name) => (inventory.groups.get(name) ?? []).length > 0);
  if (other === undefined) return;
  reader.report(
    'warning',
    inventory.groupAt(other),
    'group kube_control_plane',
    `is missing; did you mean ${other}? No apiserver will be repointed`,
  );
}
