import type { MarkedText } from './marked-text.js';
import type { ClientFiles, KeyType } from './certificate.js';
import type { ExternalBalancer } from './etcd-way.js';
import type { Kubernetes } from './kubernetes.js';
import type { Secret } from './secret.js';
import type { MetricsPlace } from './metrics.js';
import type { VirtualService } from './virtual-service.js';

/** The release of etcd that a member should run, in place of the host's package. */
export interface EtcdRelease {
  /** `3.5.16`. */
  readonly version: string;
  /** SHA-256 of the tarball, 64 hex digits, lower case. */
  readonly sha256: string;
  /** Where the tarball is: an http or https URL without its query, or an absolute path on the control machine. */
  readonly source: string;
  /** What follows in the URL, `?token=…`: it may be what lets one in, and is shown nowhere. */
  readonly query?: Secret | undefined;
  /** Who reads {@link source}: this machine, which sends it over SSH, or the host itself. */
  readonly fetch: 'control' | 'host';
}

/** Snapshots that a host saves of its own member, whatever becomes of the control machine. */
export interface SnapshotSchedule {
  /** When: a calendar expression of systemd. */
  readonly onCalendar: string;
  /** Where they are kept, on the host. */
  readonly directory: string;
  /** How many stay. */
  readonly keep: number;
  /** A program of the host, and its first words; the path of a snapshot is its last one. */
  readonly upload?: readonly string[] | undefined;
}

/** One etcd member, as the `etcd` group and its variables describe it. */
export interface Member {
  /** Inventory name of the host. */
  readonly host: string;
  /** Member name; `etcd_member_name`. */
  readonly name: string;
  /** The node's IP address. */
  readonly address: string;
  readonly clientPort: number;
  readonly peerPort: number;
  readonly dataDir: string;
  /** The environment file that the unit reads; an adopted member is configured by others, somehow. */
  readonly configFile: string | undefined;
  /** Where the kubelet runs it, the manifest of its static pod: a stacked member, which can only leave. Absent: a unit runs it. */
  readonly manifest?: string | undefined;
  /** Directory of the certificates that are made for it; an adopted member's are where {@link server} and {@link client} say. */
  readonly pkiDir: string;
  /** Its systemd unit, without `.service`. */
  readonly unit: string;
  /** How it is asked by its own host. */
  readonly clientUrl: string;
  /** The certificate that it shows to clients. */
  readonly server: { readonly certificate: string; readonly key: string };
  /** What its host shows to it, and verifies it by. */
  readonly client: ClientFiles;
  readonly heartbeatIntervalMs: number;
  readonly electionTimeoutMs: number;
  readonly quotaBackendBytes: number;
  readonly snapshotCount: number;
  /** As etcd's flag: `8h`, `1000`. */
  readonly autoCompactionRetention: string;
  /** Further ETCD_* variables, by name. */
  readonly extraEnv: Readonly<Record<string, MarkedText>>;
  /** Files of others that the inventory gives up. */
  readonly replaceFiles: readonly string[];
  /** Absent: it runs the host's package. */
  readonly release?: EtcdRelease | undefined;
  /** Where it shows its metrics without a client certificate; absent: nowhere. */
  readonly metrics?: MetricsPlace | undefined;
  /** Absent: none on a schedule. */
  readonly snapshots?: SnapshotSchedule | undefined;
}

/** What a member that is managed here shows to the other members. */
export function peerFiles({ pkiDir }: Pick<Member, 'pkiDir'>): { readonly certificate: string; readonly key: string } {
  return { certificate: `${pkiDir}/peer.crt`, key: `${pkiDir}/peer.key` };
}

/** One control-plane host. */
export interface ControlPlane {
  readonly host: string;
  readonly address: string;
  /** The kube-apiserver static pod manifest. */
  readonly manifest: string;
  /** Whether its kube-apiserver moves to the load balancer of etcd with the rest, or when a person asks for just that. */
  readonly repoint: 'with-the-rest' | 'on-demand';
  readonly readyTimeoutMs: number;
  /** Files of others that the inventory gives up. */
  readonly replaceFiles: readonly string[];
}

/** What certificates are made like. */
export interface CertificateSettings {
  readonly keyType: KeyType;
  readonly caDays: number;
  readonly leafDays: number;
  readonly renewBeforeDays: number;
  /** Absolute directory on the control machine. */
  readonly store: string;
  /** The same as the inventory names it, seen from its directory: as plans have it, which are taken to other control machines. */
  readonly namedStore: string;
  /** The user's extra names and addresses for server certificates. */
  readonly altNames: readonly string[];
  readonly altIps: readonly string[];
  /** What adopted certificates may say beyond the list, whoever signed them. */
  readonly grants: readonly string[];
}

/** What the inventory says of the firewall, where it wants one. */
export interface Firewall {
  /** Further networks, or addresses, whose clients are let in. */
  readonly allow: readonly string[];
  /** Every address that the inventory names of each host with a part in the cluster. */
  readonly addresses: ReadonlyMap<string, readonly string[]>;
}

/** Where a host tells of itself. */
export interface HostMetrics extends MetricsPlace {
  readonly host: string;
}

/** `etcd_cluster_token` where the inventory sets none: the name of most clusters. */
export const DEFAULT_CLUSTER_TOKEN = 'etcd-cluster';

/** The cluster that an inventory describes: validated, with every default filled in. */
export interface Cluster {
  /**
   * False: this is an existing etcd cluster (`provision adopt`). Its packages, units, configuration, data and trust are left alone;
   * only the names that the load balancer needs are added to each member's server certificate.
   */
  readonly isManaged: boolean;
  /** `allow_unsupported_distribution_setup`: roles go on where they were not tried, if it is made from Debian. */
  readonly allowsUntriedSystems: boolean;
  readonly token: string;
  /** In the order of the `etcd` group. */
  readonly members: readonly Member[];
  /** Those of the group `etcd_former`: they are to leave, or have left. None of {@link members}. */
  readonly formerMembers: readonly Member[];
  /** Where a person adds lines, and the hosts that need no address there. */
  readonly inventory: { readonly file: string; readonly hosts: readonly string[] };
  /** What clients reach at a virtual IP; empty without a load balancer. */
  readonly services: readonly VirtualService[];
  /** The balancer of etcd, where others run it; etcd is then none of {@link services}. */
  readonly external: ExternalBalancer | undefined;
  readonly controlPlanes: readonly ControlPlane[];
  /** Every host of Kubernetes, each once: those of `kube_control_plane` and of `kube_node`. */
  readonly nodes: readonly string[];
  readonly kubernetes: Kubernetes;
  readonly certificates: CertificateSettings;
  /** Absent: the inventory wants none. */
  readonly firewall: Firewall | undefined;
  /** Members and balancers that tell who holds the virtual IPs, and when certificates end. */
  readonly hostMetrics: readonly HostMetrics[];
}

/** etcd answers after a linearizable read; a full disk (alarm NOSPACE) does not close it, for reads go on. */
export const ETCD_HEALTH_PATH = '/health?exclude=NOSPACE';
