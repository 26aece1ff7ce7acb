import { isIP } from 'node:net';
import { ETCD_HEALTH_PATH, type ControlPlane, type Member } from '../model/cluster.js';
import type { Host } from '../model/inventory.js';
import {
  SERVICE_NAMES,
  type Backend,
  type Endpoint,
  type ServiceName,
  type VirtualService,
} from '../model/virtual-service.js';
import { describeService, type ServiceSource, type ServiceTraits } from './describe-service.js';
import { SERVICE_VARIABLES } from './service-variables.js';
import { hasOwn } from './shared-values.js';

/** What services are described from. */
export interface ServicesSource extends Omit<ServiceSource, 'balancers'> {
  readonly isManaged: boolean;
  readonly members: readonly Member[];
  readonly controlPlanes: readonly ControlPlane[];
  /** Service → the hosts of its balancers. */
  readonly balancers: Readonly<Record<ServiceName, readonly Host[]>>;
  /** All hosts that have a part in the cluster. */
  readonly all: readonly Host[];
}

/** The services that the inventory wants behind a virtual IP. */
export function describeServices(source: ServicesSource): readonly VirtualService[] {
  return SERVICE_NAMES.flatMap((name) => {
    const endpoint = readEndpoint(name, source);
    const own = { ...source, balancers: source.balancers[name] };
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
  return ip === undefined || enabled === false ? undefined : { ip, ...endpoint };
}

const TRAITS: Readonly<Record<ServiceName, (source: ServicesSource) => ServiceTraits>> = { etcd };

function etcd({ members, controlPlanes, isManaged }: ServicesSource): ServiceTraits {
  return {
    backends: members.map((member) => backendOf(member, isManaged)),
    // Registered for nothing (IANA), and below Linux's ephemeral ports (32768): no connection that goes out can have taken it.
    health: { path: ETCD_HEALTH_PATH, ownPort: 23790 },
    trustFrom: 'store',
    shows: 'client-certificate',
    clients: [],
    observers: [
      ...controlPlanes.map(({ host, manifest }) => ({ host, manifest })),
      ...members.map(({ host, client }) => ({ host, files: client })),
    ],
    words: { backend: 'member', backendOfService: 'etcd member', fault: 'has lost its quorum' },
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
  return { host, name, address, port: clientPort, verifyName: isManaged && isIP(name) === 0 ? name : undefined };
}
