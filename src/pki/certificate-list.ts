import type { AuthorityProfile, CertificateDestination, CertificateProfile, Usage } from '../model/certificate.js';
import type { Ownership } from '../model/action.js';
import { peerFiles, type Cluster, type Member } from '../model/cluster.js';
import { etcdWay } from '../model/etcd-way.js';
import type { Termination, VirtualService } from '../model/virtual-service.js';
import { splitNames } from './ip.js';

/** One kind of leaf, as a literal; the way of kubeadm's certlist.go. `Site` is what one certificate is made for. */
interface Entry<Site> {
  readonly name: (site: Site) => string;
  readonly commonName: (site: Site) => string;
  readonly usages: readonly Usage[];
  /** SANs, DNS names and addresses mixed. */
  readonly names: (cluster: Cluster, site: Site) => readonly string[];
  readonly destination: (site: Site) => CertificateDestination;
  /** Owner, group and mode of the key. */
  readonly key: Ownership;
}

/** Where a kube-apiserver reads its etcd client certificate: `--etcd-certfile` and `--etcd-keyfile` of its manifest. */
export interface ApiserverFiles {
  readonly certificatePath: string;
  readonly keyPath: string;
}

/** One certificate that a host should have. */
export interface WantedCertificate {
  /** Name in the list: `etcd-server`, `etcd-peer`, `etcdctl-client`, `haproxy-healthcheck-client`, `haproxy-server`, `haproxy-client` (after the proxy), `apiserver-etcd-client`. */
  readonly name: string;
  readonly profile: CertificateProfile;
  readonly destination: CertificateDestination;
  /** Of the key, or of the bundle; a certificate in a file of its own is 0644. */
  readonly ownership: Ownership;
  readonly policy: Policy;
}

/**
 * How a file is judged. `exact`: it is as the list says. `at-least`: another tool made it, and what is there stays (subject,
 * further names and usages, key, owner, mode); only what is missing is added.
 */
export type Policy = 'exact' | 'at-least';

const NO_NAMES = (): readonly string[] => [];
const ROOT_ONLY: Ownership = { owner: 'root', group: 'root', mode: '0600' };
/** The user that Debian's and Ubuntu's etcd package makes, and its unit runs as. */
const ETCD_ONLY: Ownership = { owner: 'etcd', group: 'etcd', mode: '0600' };

/** The authority that signs all of them; the name is kubeadm's. */
const AUTHORITY = { name: 'etcd-ca', commonName: 'etcd-ca' } as const;

const SERVER: Entry<Member> = {
  name: () => 'etcd-server',
  commonName: (member) => member.name,
  // The gRPC gateway dials its own server with this certificate (etcd issue 9785).
  usages: ['server', 'client'],
  // Direct and load-balanced connections must both verify, so that the move to the virtual IP needs no outage.
  names: (cluster, member) => [
    ...namesOf(member),
    'localhost',
    '127.0.0.1',
    '::1',
    ...(etcdWay(cluster)?.names ?? []),
    ...cluster.certificates.altNames,
    ...cluster.certificates.altIps,
  ],
  destination: ({ server }) => ({ layout: 'pair', certificatePath: server.certificate, keyPath: server.key }),
  key: ETCD_ONLY,
};

const MEMBER: readonly Entry<Member>[] = [
  SERVER,
  {
    name: () => 'etcd-peer',
    commonName: (member) => member.name,
    usages: ['server', 'client'],
    // Peers never talk through the load balancer.
    names: (_, member) => namesOf(member),
    destination: (member) => ({
      layout: 'pair',
      certificatePath: peerFiles(member).certificate,
      keyPath: peerFiles(member).key,
    }),
    key: ETCD_ONLY,
  },
  {
    name: () => 'etcdctl-client',
    commonName: () => 'etcdctl',
    usages: ['client'],
    names: NO_NAMES,
    destination: ({ client }) => ({ layout: 'pair', certificatePath: client.certificate, keyPath: client.key }),
    key: ROOT_ONLY,
  },
];

/** A service whose backends want to see a certificate, and the file of it. */
interface HealthSite extends Pick<VirtualService, 'proxy'> {
  readonly bundle: string;
}

const BALANCER: readonly Entry<HealthSite>[] = [
  {
    name: ({ proxy }) => `${proxy}-healthcheck-client`,
    commonName: ({ proxy }) => `${proxy}-healthcheck`,
    usages: ['client'],
    names: NO_NAMES,
    destination: ({ bundle }) => ({ layout: 'bundle', path: bundle }),
    // A proxy loads it as root, before it drops its privileges.
    key: ROOT_ONLY,
  },
];

/** A proxy that ends its clients' TLS. */
interface TerminationSite extends Pick<VirtualService, 'proxy' | 'endpoint'> {
  readonly termination: Termination;
}

const TERMINATION: readonly Entry<TerminationSite>[] = [
  {
    name: ({ proxy }) => `${proxy}-server`,
    commonName: ({ endpoint }) => endpoint.name ?? endpoint.ip,
    usages: ['server'],
    // What clients may call it; whoever holds the virtual IP shows the same.
    names: ({ certificates }, { endpoint: { ip, name } }) => [
      ...[ip, name].filter((each) => each !== undefined),
      ...certificates.altNames,
      ...certificates.altIps,
    ],
    destination: ({ termination }) => ({ layout: 'bundle', path: termination.server }),
    key: ROOT_ONLY,
  },
  {
    name: ({ proxy }) => `${proxy}-client`,
    commonName: ({ proxy }) => proxy,
    usages: ['client'],
    names: NO_NAMES,
    destination: ({ termination }) => ({ layout: 'bundle', path: termination.client }),
    key: ROOT_ONLY,
  },
];

const CONTROL_PLANE: readonly Entry<ApiserverFiles>[] = [
  {
    name: () => 'apiserver-etcd-client',
    // As kubeadm's, which gives no organization any more: etcd reads only the common name.
    commonName: () => 'kube-apiserver-etcd-client',
    usages: ['client'],
    names: NO_NAMES,
    destination: (files) => ({ layout: 'pair', ...files }),
    key: ROOT_ONLY,
  },
];

/** The trust bundle is public: every client on the host may read it. */
const PUBLIC: Ownership = { owner: 'root', group: 'root', mode: '0644' };

/** The authority's certificate as a file on a host. */
export interface WantedTrust {
  readonly path: string;
  readonly ownership: Ownership;
  readonly policy: Policy;
  /** A server verifies its clients by it, also those that nobody here knows: one that loses an authority refuses them. */
  readonly verifiesClients?: true;
}

/** What the authority is made like, when there is none. */
export function authorityProfile(cluster: Cluster): AuthorityProfile {
  const { caDays, keyType } = cluster.certificates;
  return { commonName: AUTHORITY.commonName, days: caDays, keyType };
}

/** The server, peer and etcdctl certificates of one member; of an adopted one the server certificate alone. */
export function memberCertificates(cluster: Cluster, member: Member): readonly WantedCertificate[] {
  if (cluster.isManaged) return MEMBER.map((entry) => wanted(entry, cluster, member));
  return [{ ...wanted(SERVER, cluster, member), policy: 'at-least' }];
}

/**
 * The client certificate that every balancer's health check shows to the service, none where nothing has to be shown; and
 * what a proxy that ends TLS shows on both of its sides.
 */
export function balancerCertificates(
  cluster: Cluster,
  { proxy, endpoint, termination, health: { bundle } }: VirtualService,
): readonly WantedCertificate[] {
  return [
    ...(bundle === undefined ? [] : BALANCER.map((entry) => wanted(entry, cluster, { proxy, bundle }))),
    ...(termination === undefined
      ? []
      : TERMINATION.map((entry) => wanted(entry, cluster, { proxy, endpoint, termination }))),
  ];
}

/** The client certificate of one kube-apiserver. @param files from that host's manifest */
export function apiserverCertificates(cluster: Cluster, files: ApiserverFiles): readonly WantedCertificate[] {
  return CONTROL_PLANE.map((entry) => ({ ...wanted(entry, cluster, files), policy: policyOf(cluster) }));
}

/** Where a member's etcd, its peers' checks and etcdctl find the authority. */
export function memberTrust(cluster: Cluster, member: Member): WantedTrust {
  return { path: member.client.ca, ownership: PUBLIC, policy: policyOf(cluster), verifiesClients: true };
}

/** Where every balancer's health check finds the authority; of a service whose backends others sign for: nothing. */
export function balancerTrust({ health: { trust } }: VirtualService): WantedTrust | undefined {
  return trust.from === 'store' ? { path: trust.path, ownership: PUBLIC, policy: 'exact' } : undefined;
}

/** @param path `--etcd-cafile` of the host's manifest */
export function apiserverTrust(cluster: Cluster, path: string): WantedTrust {
  return { path, ownership: PUBLIC, policy: policyOf(cluster) };
}

/** The apiservers of an adopted etcd have their own files for it. */
function policyOf({ isManaged }: Cluster): Policy {
  return isManaged ? 'exact' : 'at-least';
}

function namesOf(member: Member): readonly string[] {
  return [member.address, member.host, member.name];
}

function wanted<Site>(entry: Entry<Site>, cluster: Cluster, site: Site): WantedCertificate {
  return {
    name: entry.name(site),
    profile: {
      // 64 characters are the most that X.520 allows (ub-common-name); who verifies reads the SANs.
      commonName: entry.commonName(site).slice(0, 64),
      organizations: [],
      ...splitNames(entry.names(cluster, site)),
      usages: entry.usages,
      days: cluster.certificates.leafDays,
      keyType: cluster.certificates.keyType,
      keepPublicKey: null,
    },
    destination: entry.destination(site),
    ownership: entry.key,
    policy: 'exact',
  };
}
