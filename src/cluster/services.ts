import { isIP } from 'node:net';
import { canonicalIp } from '../model/ip.js';
import { ETCD_HEALTH_PATH, type ControlPlane, type Member } from '../model/cluster.js';
import type { Host } from '../model/inventory.js';
import {
  SERVICE_NAMES,
  type Backend,
  type Endpoint,
  type ServiceClient,
  type ServiceName,
  type VirtualService,
} from '../model/virtual-service.js';
import { describeService, type ServiceSource, type ServiceTraits } from './describe-service.js';
import { SERVICE_VARIABLES } from './service-variables.js';
import { hasOwn } from './shared-values.js';

/** What services are described from. */
export interface ServicesSource extends Omit<ServiceSource, 'balancers' | 'formerBalancers'> {
  readonly isManaged: boolean;
  readonly members: readonly Member[];
  readonly controlPlanes: readonly ControlPlane[];
  /** The hosts of {@link controlPlanes}, and Kubernetes nodes: those of `kube_node`. */
  readonly kubernetes: { readonly controlPlanes: readonly Host[]; readonly nodes: readonly Host[] };
  /** Service → the hosts of its balancers. */
  readonly balancers: Readonly<Record<ServiceName, readonly Host[]>>;
  /** Service → the hosts that were its balancers. */
  readonly formerBalancers: Readonly<Record<ServiceName, readonly Host[]>>;
  /** All hosts that have a part in the cluster. */
  readonly all: readonly Host[];
}

/** The services that the inventory wants behind a virtual IP of ours. */
export function describeServices(source: ServicesSource): readonly VirtualService[] {
  const isOfOthers = source.shared.valueOr('etcd_lb_provider') === 'external';
  return SERVICE_NAMES.filter((name) => !(name === 'etcd' && isOfOthers)).flatMap((name) => {
    const endpoint = readEndpoint(name, source);
    const own = { ...source, balancers: source.balancers[name], formerBalancers: source.formerBalancers[name] };
    return endpoint === undefined ? [] : [describeService(name, endpoint, TRAITS[name](source), own)];
  });
}

function readEndpoint(name: ServiceName, { shared, reader, all }: ServicesSource): Endpoint | undefined {
  const variables = SERVICE_VARIABLES[name];
  const ip = shared.value(variables.ip);
  const endpoint = { name: shared.value(variables.host), port: shared.valueOr(variables.port) };
  const enabled = shared.value(variables.enabled);
  const isWrong = ip === undefined && all.some((host) => hasOwn(host, variables.ip));
  if (enabled === true && ip === undefined && !isWrong) {
    reader.report(
      'error',
      shared.at(variables.enabled),
      variables.enabled,
      `is true, and ${variables.ip} is not set; set it to an unused address in the network of the load balancers`,
    );
  }
  return ip === undefined || enabled === false ? undefined : { ip: canonicalIp(ip), ...endpoint };
}

const TRAITS: Readonly<Record<ServiceName, (source: ServicesSource) => ServiceTraits>> = {
  etcd: etcdTraits,
  'kube-apiserver': kubeApiserver,
};

/** What makes etcd what it is, behind whatever balancer. */
export function etcdTraits({ members, controlPlanes, isManaged }: ServicesSource): ServiceTraits {
  return {
    backends: members.map((member) => backendOf(member, isManaged)),
    // Registered for nothing (IANA), and below Linux's ephemeral ports (32768): no connection that goes out can have taken it.
    health: { path: ETCD_HEALTH_PATH, alive: [200], ownPort: 23790 },
    trustFrom: 'store',
    shows: 'client-certificate',
    clients: [],
    observers: [
      ...controlPlanes.map(({ host, manifest }) => ({ host, manifest })),
      ...members.map(({ host, client }) => ({ host, files: client })),
    ],
    words: { backend: 'member', backendOfService: 'etcd member', fault: 'has lost its quorum', unnamed: undefined },
    places: {
      checkScript: '/usr/local/lib/provision/check',
      nonlocalBind: '/etc/sysctl.d/60-provision-nonlocal-bind.conf',
    },
  };
}

/**
 * HAProxy compares names only, never addresses: a member named by an address is verified by its authority alone. So is
 * an adopted one, whose certificate may get its name later in the same run.
 */
function backendOf({ host, name, address, clientPort }: Member, isManaged: boolean): Backend {
  return {
    host,
    name,
    address,
    port: clientPort,
    verifyName: isManaged && isIP(name) === 0 ? name : undefined,
  };
}

/** A name that every API server's certificate has: pods reach it by that (kubeadm, pkiutil.GetAPIServerAltNames). */
const APISERVER_NAME = 'kubernetes';

/** In `/readyz` of an API server that was asked to end (k8s.io/apiserver, pkg/server/healthz.go, the check `shutdown`). */
const SHUTDOWN_CHECK = '[-]shutdown failed';

function kubeApiserver({ kubernetes, addresses, reader }: ServicesSource): ServiceTraits {
  const { controlPlanes, nodes } = kubernetes;
  const withAuthority = (host: Host): ServiceClient => ({
    host: host.name,
    files: { ca: reader.readOr(host, 'kube_apiserver_ca_file') },
  });
  const clients = [...new Set([...controlPlanes, ...nodes])].map(withAuthority);
  return {
    backends: controlPlanes.map((host) => ({
      host: host.name,
      name: host.name,
      address: addresses.get(host) ?? '',
      port: reader.readOr(host, 'kube_apiserver_port'),
      verifyName: APISERVER_NAME,
    })),
    // It fails as soon as the API server is asked to end, which /healthz and /livez don't. The port: beside that of etcd.
    // 401: it serves, and anonymous requests are off (--anonymous-auth=false). Where they are on, nobody gets it.
    health: { path: '/readyz', alive: [200, 401], leaving: SHUTDOWN_CHECK, ownPort: 23791 },
    trustFrom: controlPlanes.map((host) => ({ host: host.name, path: reader.readOr(host, 'kube_apiserver_ca_file') })),
    // kubeadm lets everybody ask it (system:public-info-viewer).
    shows: 'nothing',
    clients,
    // Nodes that carry nothing else first.
    observers: clients.toReversed(),
    words: {
      backend: 'kube-apiserver',
      backendOfService: 'kube-apiserver',
      fault: 'is not ready',
      unnamed:
        'add it to the certificates of the API servers: provision plan INVENTORY --playbook apiserver-names (docs/runbooks/apiserver-virtual-ip.md)',
    },
    places: {
      checkScript: '/usr/local/lib/provision/check-kube-apiserver',
      nonlocalBind: '/etc/sysctl.d/60-provision-kube-apiserver-nonlocal-bind.conf',
    },
  };
}
