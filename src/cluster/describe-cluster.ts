import { resolve } from 'node:path';
import type {
  Balancer,
  CertificateSettings,
  Cluster,
  ControlPlane,
  HaproxySettings,
  LoadBalancedEndpoint,
} from '../model/cluster.js';
import { didYouMean } from '../model/did-you-mean.js';
import { InputError, type Problem } from '../model/errors.js';
import type { Host, Inventory } from '../model/inventory.js';
import type { Json } from '../model/json.js';
import { Secret } from '../model/secret.js';
import { checkCluster } from './cluster-checks.js';
import { assignPriorities, virtualRouterId } from './keepalived-defaults.js';
import type { VariableName, VariableValue } from './known-variables.js';
import { nodeAddress } from './node-address.js';
import { checkUnknownVariables } from './unknown-variables.js';
import { readMember } from './describe-member.js';
import { createVariableReader, type DefaultedName, type VariableReader } from './variable-reader.js';

/** The hosts of the groups that have a part in the cluster. */
interface ClusterHosts {
  readonly members: readonly Host[];
  readonly balancers: readonly Host[];
  readonly controlPlanes: readonly Host[];
  /** All of them, each once. */
  readonly all: readonly Host[];
}

/**
 * The cluster that an inventory describes: the groups `etcd`, `etcd_lb` (default: the etcd hosts) and
 * `kube_control_plane`, their variables checked, defaults filled in.
 * @throws InputError with every error of the inventory at once
 */
export function describeCluster(inventory: Inventory): Cluster {
  const { cluster, problems } = examineCluster(inventory);
  const errors = problems.filter((problem) => problem.severity === 'error');
  if (errors.length > 0) throw new InputError(errors, hintFor(errors));
  return cluster;
}

/** What is doubtful in an inventory that {@link describeCluster} accepts, after what was doubtful in its files. */
export function clusterWarnings(inventory: Inventory): readonly Problem[] {
  const { problems } = examineCluster(inventory);
  return [...inventory.warnings, ...problems.filter((problem) => problem.severity === 'warning')];
}

function hintFor(errors: readonly Problem[]): string | undefined {
  return errors.some((problem) => problem.subject === 'group etcd')
    ? 'put the hosts of the etcd members into a group named etcd'
    : undefined;
}

function examineCluster(inventory: Inventory): { readonly cluster: Cluster; readonly problems: readonly Problem[] } {
  const reader = createVariableReader();
  const hosts = clusterHosts(inventory, reader);
  for (const host of hosts.all) reader.attempt(undefined, host.name, () => host.connection);
  const shared = sharedValues(hosts.all, reader);
  const endpoint = readEndpoint(shared, reader, hosts);
  const addresses = readAddresses(hosts.all, reader);
  const isManaged = shared.valueOr('etcd_managed');
  const cluster: Cluster = {
    isManaged,
    token: shared.valueOr('etcd_cluster_token'),
    members: hosts.members.map((host) => readMember(host, { address: addresses.get(host) ?? '', isManaged, reader })),
    balancers: endpoint === undefined ? [] : readBalancers(hosts.balancers, { addresses, endpoint, shared, reader }),
    controlPlanes: hosts.controlPlanes.map((host) => readControlPlane(host, addresses.get(host) ?? '', reader)),
    endpoint,
    certificates: readCertificates(inventory, hosts.all, shared, reader),
  };
  checkCluster(cluster, { inventory, hosts, network: shared.value('keepalived_network'), reader });
  checkUnknownVariables(inventory, reader);
  return { cluster, problems: reader.problems() };
}

function clusterHosts(inventory: Inventory, reader: VariableReader): ClusterHosts {
  const inGroup = (group: string): readonly Host[] =>
    (inventory.groups.get(group) ?? []).flatMap((name) => inventory.hosts.get(name) ?? []);
  const members = inGroup('etcd');
  if (members.length === 0) {
    const near = didYouMean(
      'etcd',
      [...inventory.groups.keys()].filter((name) => name !== 'etcd_lb'),
    );
    const message = inventory.groups.has('etcd') ? 'has no hosts' : `is missing${near}`;
    reader.report('error', { file: inventory.file, line: 1, column: 1 }, 'group etcd', message);
  }
  const dedicated = inGroup('etcd_lb');
  const balancers = dedicated.length === 0 ? members : dedicated;
  const controlPlanes = inGroup('kube_control_plane');
  return { members, balancers, controlPlanes, all: [...new Set([...members, ...balancers, ...controlPlanes])] };
}

/** Values that hold for the whole cluster: it is enough to set them for one of its groups. */
interface SharedValues {
  value<Name extends VariableName>(name: Name): VariableValue<Name> | undefined;
  valueOr<Name extends DefaultedName>(name: Name): VariableValue<Name>;
  /** Of a host that sets it. */
  at(name: VariableName): ReturnType<Host['variables']['at']>;
}

function sharedValues(hosts: readonly Host[], reader: VariableReader): SharedValues {
  const setters = (name: VariableName): readonly Host[] =>
    hosts.filter((host) => host.variables.at(name) !== undefined || hasOwn(host, name));
  function value<Name extends VariableName>(name: Name): VariableValue<Name> | undefined {
    const [first, ...others] = setters(name);
    if (first === undefined) return undefined;
    const found = reader.read(first, name);
    for (const other of others) {
      const different = reader.read(other, name);
      if (found !== undefined && different !== undefined && JSON.stringify(different) !== JSON.stringify(found)) {
        const message = `differs between ${first.name} and ${other.name}; it must be the same for the whole cluster: set it once, in all`;
        reader.report('error', other.variables.at(name), name, message);
      }
    }
    return found;
  }
  return {
    value,
    valueOr: (name) => value(name) ?? reader.readOr(NO_HOST, name),
    at: (name) => setters(name)[0]?.variables.at(name),
  };
}

function hasOwn(host: Host, name: string): boolean {
  return host.variables.names().includes(name);
}

/** Stands for "set nowhere": gives the defaults of the table. */
const NO_HOST: Host = {
  name: '',
  groups: [],
  connection: { address: '' },
  variables: { names: () => [], get: () => undefined, at: () => undefined },
};

function readEndpoint(
  shared: SharedValues,
  reader: VariableReader,
  hosts: ClusterHosts,
): LoadBalancedEndpoint | undefined {
  const ip = shared.value('etcd_lb_ip');
  const name = shared.value('etcd_lb_host');
  const port = shared.valueOr('etcd_lb_port');
  const enabled = shared.value('etcd_lb_enabled');
  const isWrong = ip === undefined && hosts.all.some((host) => hasOwn(host, 'etcd_lb_ip'));
  if (enabled === true && ip === undefined && !isWrong) {
    reader.report(
      'error',
      shared.at('etcd_lb_enabled'),
      'etcd_lb_enabled',
      'is true, and etcd_lb_ip is not set; set it to an unused address in the network of the load balancers',
    );
  }
  return ip === undefined || enabled === false ? undefined : { ip, name, port };
}

function readAddresses(hosts: readonly Host[], reader: VariableReader): ReadonlyMap<Host, string> {
  return new Map(
    hosts.flatMap((host) => {
      const found = reader.attempt(undefined, host.name, () => ({ node: nodeAddress(host) }));
      if (found?.node !== undefined) return [[host, found.node.address] as const];
      if (found !== undefined) {
        const variable = ['ip', 'access_ip', 'ansible_host'].find((name) => host.variables.at(name) !== undefined);
        const at = variable === undefined ? host.at : host.variables.at(variable);
        const value: Json = variable === undefined ? null : (host.variables.get(variable) ?? null);
        const shown =
          variable === undefined ? 'has no IP address' : `has no IP address: ${variable} is ${JSON.stringify(value)}`;
        reader.report('error', at, host.name, `${shown}; set \`ip\` to the address by which the other nodes reach it`);
      }
      return [];
    }),
  );
}

function readControlPlane(host: Host, address: string, reader: VariableReader): ControlPlane {
  return {
    host: host.name,
    address,
    manifest: reader.readOr(host, 'kube_apiserver_manifest'),
    readyTimeoutMs: reader.readOr(host, 'kube_apiserver_ready_timeout') * 1000,
  };
}

function readHaproxy(host: Host, reader: VariableReader): HaproxySettings {
  return {
    configFile: reader.readOr(host, 'haproxy_config_file'),
    maxConnections: reader.readOr(host, 'haproxy_maxconn'),
    timeoutConnect: reader.readOr(host, 'haproxy_timeout_connect'),
    timeoutClient: reader.readOr(host, 'haproxy_timeout_client'),
    timeoutServer: reader.readOr(host, 'haproxy_timeout_server'),
    checkInter: reader.readOr(host, 'haproxy_check_inter'),
    checkRise: reader.readOr(host, 'haproxy_check_rise'),
    checkFall: reader.readOr(host, 'haproxy_check_fall'),
    statsPort: reader.read(host, 'haproxy_stats_port'),
    extraConfig: reader.read(host, 'haproxy_extra_config'),
  };
}

interface BalancerSource {
  readonly addresses: ReadonlyMap<Host, string>;
  readonly endpoint: LoadBalancedEndpoint;
  readonly shared: SharedValues;
  readonly reader: VariableReader;
}

function readBalancers(
  hosts: readonly Host[],
  { addresses, endpoint, shared, reader }: BalancerSource,
): readonly Balancer[] {
  const authPass = shared.value('keepalived_auth_pass');
  const virtual = {
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
    haproxy: readHaproxy(host, reader),
    keepalived: { ...virtual, interface: reader.read(host, 'keepalived_interface'), priority: priorities[index] ?? 1 },
  }));
}

function readCertificates(
  inventory: Inventory,
  hosts: readonly Host[],
  shared: SharedValues,
  reader: VariableReader,
): CertificateSettings {
  const union = (name: 'etcd_cert_alt_names' | 'etcd_cert_alt_ips'): readonly string[] => [
    ...new Set(hosts.flatMap((host) => reader.readOr(host, name))),
  ];
  return {
    keyType: shared.valueOr('etcd_key_type'),
    caDays: shared.valueOr('etcd_ca_days'),
    leafDays: shared.valueOr('etcd_cert_days'),
    renewBeforeDays: shared.valueOr('etcd_cert_renew_before_days'),
    store: resolve(inventory.directory, shared.valueOr('etcd_pki_store')),
    altNames: union('etcd_cert_alt_names'),
    altIps: union('etcd_cert_alt_ips'),
  };
}
