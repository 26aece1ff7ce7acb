import { isIP } from 'node:net';
import { ETCD_HEALTH_PATH, type Member } from '../model/cluster.js';
import type { Host } from '../model/inventory.js';
import { Secret } from '../model/secret.js';
import {
  PROXY_NAMES,
  type Backend,
  type Balancer,
  type Endpoint,
  type FormerProxy,
  type HealthQuestion,
  type ProxyName,
  type ProxySettings,
  type ServiceName,
  type VirtualService,
} from '../model/virtual-service.js';
import { assignPriorities, virtualRouterId } from './keepalived-defaults.js';
import type { SharedValues } from './shared-values.js';
import type { VariableReader } from './variable-reader.js';

/** What a service is described from. */
interface ServiceSource {
  readonly isManaged: boolean;
  readonly members: readonly Member[];
  /** The hosts of its balancers. */
  readonly balancers: readonly Host[];
  readonly addresses: ReadonlyMap<Host, string>;
  readonly shared: SharedValues;
  readonly reader: VariableReader;
}

/**
 * Where the proxy answers for itself. Registered for nothing (IANA), and below Linux's ephemeral ports (32768): no
 * connection that goes out can have taken it.
 */
const OWN_PORT = 23790;

interface ProxyVariables {
  /** What it reads its own files from. */
  readonly directory: string;
  /** Whether the package's own unit can run it for us; `read` says how. */
  readonly isPackaged: boolean;
  read(host: Host, reader: VariableReader): ProxySettings;
}

/** What each proxy's variables say. */
const PROXIES: Readonly<Record<ProxyName, ProxyVariables>> = {
  haproxy: { directory: '/etc/haproxy', isPackaged: true, read: readHaproxy },
  nginx: { directory: '/etc/nginx', isPackaged: false, read: readNginx },
};

/** etcd behind its virtual IP. */
export function describeService(endpoint: Endpoint, source: ServiceSource): VirtualService {
  const { members, isManaged, shared } = source;
  const proxy = shared.valueOr('etcd_lb_proxy');
  const service = { name: 'etcd', group: 'etcd_lb', endpoint, proxy } as const;
  return {
    ...service,
    balancers: readBalancers(service, source),
    backends: members.map((member) => backendOf(member, isManaged)),
    health: healthOf(service),
  };
}

function healthOf({ name, proxy }: Pick<VirtualService, 'name' | 'proxy'>): HealthQuestion {
  const bundle = `${PROXIES[proxy].directory}/${name}-client.pem`;
  const files = { ca: `${PROXIES[proxy].directory}/${name}-ca.crt`, certificate: bundle, key: bundle };
  return { path: ETCD_HEALTH_PATH, files, ownPort: OWN_PORT };
}

/**
 * HAProxy compares names only, never addresses: a member named by an address is verified by its authority alone. So is
 * an adopted one, whose certificate may get its name later in the same run.
 */
function backendOf({ host, name, address, clientPort }: Member, isManaged: boolean): Backend {
  return { host, name, address, port: clientPort, verifyName: isManaged && isIP(name) === 0 ? name : undefined };
}

const PACKAGED_KEEPALIVED: Instance = {
  unit: 'keepalived',
  unitFile: undefined,
  configFile: '/etc/keepalived/keepalived.conf',
};

function readBalancers(
  { name, proxy, endpoint }: Pick<VirtualService, 'name' | 'proxy' | 'endpoint'>,
  { balancers: hosts, addresses, shared, reader }: ServiceSource,
): readonly Balancer[] {
  const authPass = shared.value('keepalived_auth_pass');
  const isOwn = shared.valueOr('etcd_lb_own_instance');
  const own = ownInstance(name, 'keepalived', `/etc/keepalived/provision/${name}.conf`);
  const virtual = {
    ...(isOwn ? own : PACKAGED_KEEPALIVED),
    former: pickInstance(isOwn ? PACKAGED_KEEPALIVED : own),
    virtualRouterId: shared.value('keepalived_vrid') ?? virtualRouterId(endpoint.ip),
    unicast: shared.valueOr('keepalived_unicast'),
    advertIntervalS: shared.valueOr('keepalived_advert_int'),
    authPass: authPass === undefined ? undefined : new Secret(authPass),
    preempt: shared.valueOr('keepalived_preempt'),
  };
  const priorities = assignPriorities(hosts.map((host) => reader.read(host, 'keepalived_priority')));
  return hosts.map((host, index) => ({
    host: host.name,
    address: addresses.get(host) ?? '',
    ...proxyOn(host, { name, proxy, isOwn, reader }),
    replaceFiles: reader.readOr(host, 'provision_replace_files'),
    keepalived: { ...virtual, interface: reader.read(host, 'keepalived_interface'), priority: priorities[index] ?? 1 },
  }));
}

interface ProxyWanted extends Pick<VirtualService, 'name' | 'proxy'> {
  readonly isOwn: boolean;
  readonly reader: VariableReader;
}

/** The proxy that is wanted on a host, and all others that an earlier inventory may have put there. */
function proxyOn(host: Host, { name, proxy, isOwn, reader }: ProxyWanted): Pick<Balancer, 'proxy' | 'formerProxies'> {
  const packaged = PROXIES[proxy].read(host, reader);
  const wanted = isOwn || !PROXIES[proxy].isPackaged ? { ...packaged, ...ownProxy(name, proxy) } : packaged;
  const all = PROXY_NAMES.flatMap((each): readonly FormerProxy[] => [
    ...(PROXIES[each].isPackaged ? [{ ...pickInstance(PROXIES[each].read(host, reader)), name: each }] : []),
    { ...pickInstance(ownProxy(name, each)), name: each },
  ]);
  return { proxy: wanted, formerProxies: all.filter(({ unit }) => unit !== wanted.unit) };
}

function pickInstance({ unit, configFile }: Instance): Pick<FormerProxy, 'unit' | 'configFile'> {
  return { unit, configFile };
}

type Instance = Pick<ProxySettings, 'unit' | 'unitFile' | 'configFile'>;

function ownProxy(service: ServiceName, proxy: ProxyName): Instance {
  return ownInstance(service, proxy, `${PROXIES[proxy].directory}/provision/${service}.cfg`);
}

/** Names that nobody else takes; a directory of its own, for others may read all files of the program's directory. */
function ownInstance(service: ServiceName, program: string, configFile: string): Instance {
  const unit = `provision-${service}-${program}`;
  return { unit, unitFile: `/etc/systemd/system/${unit}.service`, configFile };
}

function readHaproxy(host: Host, reader: VariableReader): ProxySettings {
  return {
    unit: 'haproxy',
    unitFile: undefined,
    configFile: reader.readOr(host, 'haproxy_config_file'),
    maxConnections: reader.readOr(host, 'haproxy_maxconn'),
    timeoutConnect: reader.readOr(host, 'haproxy_timeout_connect'),
    timeoutClient: reader.readOr(host, 'haproxy_timeout_client'),
    timeoutServer: reader.readOr(host, 'haproxy_timeout_server'),
    checkInter: reader.readOr(host, 'haproxy_check_inter'),
    checkRise: reader.readOr(host, 'haproxy_check_rise'),
    checkFall: reader.readOr(host, 'haproxy_check_fall'),
    statsPort: reader.read(host, 'haproxy_stats_port'),
    extraConfig: reader.marked(host, 'haproxy_extra_config'),
  };
}

/** nginx has one time-out of silence for both sides, and counts failed connections in place of health checks. */
function readNginx(host: Host, reader: VariableReader): ProxySettings {
  const timeout = reader.readOr(host, 'nginx_timeout');
  return {
    ...ownProxy('etcd', 'nginx'),
    maxConnections: reader.readOr(host, 'nginx_maxconn'),
    timeoutConnect: reader.readOr(host, 'nginx_timeout_connect'),
    timeoutClient: timeout,
    timeoutServer: timeout,
    checkInter: reader.readOr(host, 'nginx_fail_timeout'),
    checkRise: 1,
    checkFall: reader.readOr(host, 'nginx_max_fails'),
    statsPort: undefined,
    extraConfig: reader.marked(host, 'nginx_extra_config'),
  };
}
