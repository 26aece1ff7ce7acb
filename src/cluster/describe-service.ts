import { isIPv6 } from 'node:net';
import type { Host } from '../model/inventory.js';
import type { FormerService } from '../model/etcd-way.js';
import { Secret } from '../model/secret.js';
import {
  PROXY_NAMES,
  SERVICE_GROUPS,
  type Balancer,
  type Endpoint,
  type HealthQuestion,
  type ProxyName,
  type ServiceName,
  type Termination,
  type VirtualService,
} from '../model/virtual-service.js';
import { assignPriorities, virtualRouterId } from './keepalived-defaults.js';
import { ownInstance, pickInstance, proxyDirectory, proxyOn, type Instance } from './proxy-variables.js';
import { SERVICE_VARIABLES, type ServiceVariables } from './service-variables.js';
import type { SharedValues } from './shared-values.js';
import { readMail } from './read-mail.js';
import type { VariableReader } from './variable-reader.js';

/** What a service is described from, beside its variables. */
export interface ServiceSource {
  /** The hosts of its balancers. */
  readonly balancers: readonly Host[];
  /** The hosts that were its balancers. */
  readonly formerBalancers: readonly Host[];
  readonly addresses: ReadonlyMap<Host, string>;
  readonly shared: SharedValues;
  readonly reader: VariableReader;
}

/** What makes one service what it is: whom its balancers pass connections on to, and how they ask them. */
export interface ServiceTraits extends Pick<VirtualService, 'backends' | 'observers' | 'words'> {
  readonly places: Omit<VirtualService['places'], 'certificates' | 'termination'>;
  readonly health: Pick<HealthQuestion, 'path' | 'ownPort' | 'alive' | 'leaving'>;
  /** Where the authority of its backends is; see `HealthTrust`. */
  readonly trustFrom: HealthQuestion['trust']['from'];
  /** Whether backends want to see a certificate of who asks. */
  readonly shows: 'client-certificate' | 'nothing';
  /** Hosts beside its balancers from which the way through the virtual IP is proved. */
  readonly clients: VirtualService['clients'];
}

/** What balancers of ours may have left of a service that others balance now. */
export function describeFormer(
  name: ServiceName,
  { places, backends }: Pick<ServiceTraits, 'places' | 'backends'>,
  source: ServiceSource,
): FormerService {
  const variables = SERVICE_VARIABLES[name];
  const proxy = source.shared.valueOr(variables.proxy);
  const wanted = { name, proxy, endpoint: undefined, variables };
  const formerBalancers = readBalancers(wanted, { ...source, balancers: source.formerBalancers });
  const keepalived = [PACKAGED_KEEPALIVED, ownKeepalived(name)].map(pickInstance);
  return { proxy, formerBalancers, backends, places: placesOf(name, places), keepalived };
}

/** A service behind its virtual IP. */
export function describeService(
  name: ServiceName,
  endpoint: Endpoint,
  { health, trustFrom, shows, clients, places, ...traits }: ServiceTraits,
  source: ServiceSource,
): VirtualService {
  const variables = SERVICE_VARIABLES[name];
  const proxy = source.shared.valueOr(variables.proxy);
  const own = certificatesOf(name, proxy);
  const trust = { path: own.trust, from: trustFrom };
  const termination = variables.ends(source.shared) === 'tls' ? { server: own.server, client: own.client } : undefined;
  const bundle = shows === 'client-certificate' ? own.bundle : undefined;
  const files = { ca: trust.path, certificate: bundle, key: bundle };
  const wanted = { name, proxy, endpoint, variables };
  const balancers = readBalancers(wanted, source);
  const formerBalancers = readBalancers(wanted, { ...source, balancers: source.formerBalancers });
  const known = new Set(clients.map(({ host }) => host));
  return {
    ...traits,
    ...{ name, group: SERVICE_GROUPS[name], endpoint, proxy, balancers, formerBalancers },
    places: placesOf(name, places),
    health: { ...health, trust, bundle },
    termination,
    clients: [...balancers.filter(({ host }) => !known.has(host)).map(({ host }) => ({ host, files })), ...clients],
  };
}

function placesOf(name: ServiceName, places: ServiceTraits['places']): VirtualService['places'] {
  const { server, client } = certificatesOf(name, 'haproxy');
  return {
    ...places,
    termination: SERVICE_VARIABLES[name].mayEnd === 'tls' ? [server, client] : [],
    certificates: PROXY_NAMES.flatMap((each) => {
      const { trust, bundle } = certificatesOf(name, each);
      return [trust, bundle];
    }),
  };
}

type CertificateFile = 'trust' | 'bundle' | keyof Termination;

function certificatesOf(name: ServiceName, proxy: ProxyName): Readonly<Record<CertificateFile, string>> {
  const directory = proxyDirectory(proxy);
  return {
    trust: `${directory}/${name}-ca.crt`,
    bundle: `${directory}/${name}-client.pem`,
    server: `${directory}/${name}-server.pem`,
    client: `${directory}/${name}-proxy.pem`,
  };
}

interface Wanted extends Pick<VirtualService, 'name' | 'proxy'> {
  /** Absent where no balancer is set up any more. */
  readonly endpoint: Endpoint | undefined;
  readonly variables: ServiceVariables;
}

const PACKAGED_KEEPALIVED: Instance = {
  unit: 'keepalived',
  unitFile: undefined,
  configFile: '/etc/keepalived/keepalived.conf',
};

function ownKeepalived(name: ServiceName): Instance {
  return ownInstance(name, 'keepalived', `/etc/keepalived/provision/${name}.conf`);
}

function readBalancers(
  { name, proxy, endpoint, variables }: Wanted,
  { balancers: hosts, addresses, shared, reader }: ServiceSource,
): readonly Balancer[] {
  const authPass = shared.value('keepalived_auth_pass');
  const place = variables.place(shared);
  const mayHaveBeen = variables.mayHaveBeen;
  const own = ownKeepalived(name);
  const other = place === 'beside' ? PACKAGED_KEEPALIVED : own;
  const virtual = {
    ...(place === 'beside' ? own : PACKAGED_KEEPALIVED),
    former: mayHaveBeen === 'packaged' ? [pickInstance(other)] : [],
    virtualRouterId: shared.value(variables.virtualRouterId) ?? virtualRouterId(endpoint?.ip ?? ''),
    unicast: shared.valueOr('keepalived_unicast'),
    vrrpVersion: endpoint !== undefined && isIPv6(endpoint.ip) ? 3 : shared.valueOr('keepalived_vrrp_version'),
    advertIntervalS: shared.valueOr('keepalived_advert_int'),
    authPass: authPass === undefined ? undefined : new Secret(authPass),
    preempt: shared.valueOr('keepalived_preempt'),
  };
  const priorities = assignPriorities(hosts.map((host) => reader.read(host, variables.priority)));
  return hosts.map((host, index) => ({
    host: host.name,
    address: addresses.get(host) ?? '',
    ...proxyOn(
      host,
      {
        ...{ service: name, proxy, place, mayHaveBeen, address: addresses.get(host) ?? '' },
        settings: variables.settings(host, shared, reader),
      },
      reader,
    ),
    replaceFiles: reader.readOr(host, 'provision_replace_files'),
    keepalived: {
      ...virtual,
      interface: reader.read(host, 'keepalived_interface'),
      priority: priorities[index] ?? 1,
      mail: readMail(host, reader),
    },
  }));
}
