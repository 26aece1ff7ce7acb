import { resolve } from 'node:path';
import type { CertificateSettings, Cluster, ControlPlane } from '../model/cluster.js';
import { didYouMean } from '../model/did-you-mean.js';
import { InputError, type Problem } from '../model/errors.js';
import { FORMER_MEMBERS, FORMER_NODES, formerBalancersGroup } from '../model/former-groups.js';
import type { Host, Inventory } from '../model/inventory.js';
import type { Json } from '../model/json.js';
import { formerGroupOf, SERVICE_GROUPS, type ServiceName } from '../model/virtual-service.js';
import { checkCluster } from './cluster-checks.js';
import { checkFormerBalancers } from './former-balancer-checks.js';
import { checkExternal, describeExternal, isExternal } from './external-balancer.js';
import { checkFirewall, describeFirewall } from './describe-firewall.js';
import { checkFormerMembers } from './former-member-checks.js';
import { metricsPlace } from './read-metrics.js';
import { nodeAddress } from './node-address.js';
import { checkGroups } from './group-slips.js';
import { checkUnknownVariables } from './unknown-variables.js';
import { readFormerMember, readMember } from './describe-member.js';
import { describeKubernetes } from './describe-kubernetes.js';
import { describeServices } from './services.js';
import { hasOwn, sharedValues, type SharedValues } from './shared-values.js';
import { createVariableReader, type VariableReader } from './variable-reader.js';

/** The hosts of the groups that have a part in the cluster. */
interface ClusterHosts {
  readonly members: readonly Host[];
  /** Those that are to leave. */
  readonly formerMembers: readonly Host[];
  /** Of each service. */
  readonly balancers: Readonly<Record<ServiceName, readonly Host[]>>;
  /** Of each service, those that were its balancers. */
  readonly formerBalancers: Readonly<Record<ServiceName, readonly Host[]>>;
  readonly controlPlanes: readonly Host[];
  /** Kubernetes nodes: the way to the API servers is proved from them, too. */
  readonly nodes: readonly Host[];
  /** Nodes that are to leave. */
  readonly formerNodes: readonly Host[];
  /** All of them, each once. */
  readonly all: readonly Host[];
}

/**
 * The cluster that an inventory describes: the groups `etcd`, `etcd_former`, `etcd_lb` (default: the etcd hosts), `etcd_lb_former`
 * and `kube_control_plane`, their variables checked, defaults filled in.
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
  const addresses = readAddresses(hosts.all, reader);
  const isManaged = shared.valueOr('etcd_managed');
  const { directory } = inventory;
  const sourceOf = (host: Host) => ({ address: addresses.get(host) ?? '', isManaged, directory, reader });
  const members = hosts.members.map((host) => readMember(host, sourceOf(host)));
  const controlPlanes = hosts.controlPlanes.map((host) => readControlPlane(host, addresses.get(host) ?? '', reader));
  const { balancers, formerBalancers, all } = hosts;
  const source = { isManaged, members, controlPlanes, kubernetes: hosts, balancers, formerBalancers, all };
  const cluster: Cluster = {
    isManaged,
    allowsUntriedSystems: shared.valueOr('allow_unsupported_distribution_setup'),
    token: shared.valueOr('etcd_cluster_token'),
    members,
    // How an adopted one leaves is not said here, which is refused below: nor what it was like.
    formerMembers: isManaged ? hosts.formerMembers.map((host) => readFormerMember(host, sourceOf(host))) : [],
    inventory: {
      file: [...inventory.hosts.values()].at(0)?.at?.file ?? inventory.file,
      hosts: [...inventory.hosts.keys()],
    },
    services: describeServices({ ...source, addresses, shared, reader }),
    external: describeExternal({ ...source, inventory, addresses, shared, reader }),
    controlPlanes,
    nodes: [...new Set([...hosts.controlPlanes, ...hosts.nodes].map(({ name }) => name))],
    kubernetes: describeKubernetes(hosts, { directory, reader }),
    certificates: readCertificates(inventory, hosts.all, shared, reader),
    firewall: describeFirewall(hosts.all, shared, reader),
    hostMetrics: isManaged ? hostMetrics(hosts, addresses, reader) : [],
  };
  checkFormerBalancers(hosts, inventory, reader);
  checkFormerMembers(hosts, inventory, { isManaged, reader });
  checkExternal(cluster.external, members, { shared, reader });
  checkFirewall(cluster, { shared, reader });
  checkCluster(cluster, { inventory, hosts, shared, reader });
  checkUnknownVariables(inventory, reader);
  checkGroups(inventory, reader);
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
  const controlPlanes = inGroup('kube_control_plane');
  // Without its address the group is another tool's.
  const isWanted = [...inventory.hosts.values()].some((host) => hasOwn(host, 'kube_apiserver_lb_ip'));
  const dedicatedToApiserver = isWanted ? inGroup('kube_apiserver_lb') : [];
  const balancers = {
    etcd: isExternal(inventory, reader) ? [] : dedicated.length === 0 ? members : dedicated,
    'kube-apiserver': dedicatedToApiserver.length === 0 ? controlPlanes : dedicatedToApiserver,
  };
  const formerMembers = inGroup(FORMER_MEMBERS);
  const formerBalancers = {
    etcd: inGroup(formerBalancersGroup(inventory)),
    'kube-apiserver': isWanted ? inGroup(formerGroupOf(SERVICE_GROUPS['kube-apiserver'])) : [],
  };
  const all = new Set([
    ...members,
    ...formerMembers,
    ...[balancers, formerBalancers].flatMap((each) => Object.values(each).flat()),
    ...controlPlanes,
  ]);
  const nodes = inGroup('kube_node');
  const formerNodes = inGroup(FORMER_NODES);
  return { members, formerMembers, balancers, formerBalancers, controlPlanes, nodes, formerNodes, all: [...all] };
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

function hostMetrics(
  { members, balancers }: ClusterHosts,
  addresses: ReadonlyMap<Host, string>,
  reader: VariableReader,
): Cluster['hostMetrics'] {
  return [...new Set([...members, ...balancers.etcd])].flatMap((host) => {
    const place = metricsPlace('etcd_host', { host, address: addresses.get(host) ?? '', reader });
    return place === undefined ? [] : [{ host: host.name, ...place }];
  });
}

function readControlPlane(host: Host, address: string, reader: VariableReader): ControlPlane {
  return {
    host: host.name,
    address,
    manifest: reader.readOr(host, 'kube_apiserver_manifest'),
    repoint: reader.readOr(host, 'kube_apiserver_repoint') ? 'with-the-rest' : 'on-demand',
    readyTimeoutMs: reader.readOr(host, 'kube_apiserver_ready_timeout') * 1000,
    replaceFiles: reader.readOr(host, 'provision_replace_files'),
  };
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
    grants: shared.valueOr('etcd_cert_grants'),
    renewBeforeDays: shared.valueOr('etcd_cert_renew_before_days'),
    store: resolve(inventory.directory, shared.valueOr('etcd_pki_store')),
    namedStore: shared.valueOr('etcd_pki_store'),
    altNames: union('etcd_cert_alt_names'),
    altIps: union('etcd_cert_alt_ips'),
  };
}
