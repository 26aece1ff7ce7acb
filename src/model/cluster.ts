import type { ClientFiles, KeyType } from './certificate.js';
import type { Secret } from './secret.js';

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
  readonly extraEnv: Readonly<Record<string, string>>;
}

/** HAProxy on one host. */
export interface HaproxySettings {
  readonly configFile: string;
  readonly maxConnections: number;
  /** HAProxy time texts: `5s`, `5m`. */
  readonly timeoutConnect: string;
  readonly timeoutClient: string;
  readonly timeoutServer: string;
  readonly checkInter: string;
  readonly checkRise: number;
  readonly checkFall: number;
  /** A stats page on 127.0.0.1; none by default. */
  readonly statsPort: number | undefined;
  /** The user's own block at the end of the file. */
  readonly extraConfig: string | undefined;
}

/** keepalived on one host. */
export interface KeepalivedSettings {
  /** Absent: the interface that holds the node's address. */
  readonly interface: string | undefined;
  readonly virtualRouterId: number;
  /** 1–254, its own on each node. */
  readonly priority: number;
  readonly unicast: boolean;
  readonly advertIntervalS: number;
  /** Absent: the generated one of the PKI store. */
  readonly authPass: Secret | undefined;
  readonly preempt: boolean;
}

/** One load-balancer host. */
export interface Balancer {
  readonly host: string;
  readonly address: string;
  readonly haproxy: HaproxySettings;
  readonly keepalived: KeepalivedSettings;
}

/** One control-plane host. */
export interface ControlPlane {
  readonly host: string;
  readonly address: string;
  /** The kube-apiserver static pod manifest. */
  readonly manifest: string;
  readonly readyTimeoutMs: number;
}

/** What certificates are made like. */
export interface CertificateSettings {
  readonly keyType: KeyType;
  readonly caDays: number;
  readonly leafDays: number;
  readonly renewBeforeDays: number;
  /** Absolute directory on the control machine. */
  readonly store: string;
  /** The user's extra names and addresses for server certificates. */
  readonly altNames: readonly string[];
  readonly altIps: readonly string[];
}

/** The one address that clients use. */
export interface LoadBalancedEndpoint {
  /** The virtual IP. */
  readonly ip: string;
  /** Its DNS name, when there is one. */
  readonly name: string | undefined;
  readonly port: number;
}

/** The cluster that an inventory describes: validated, with every default filled in. */
export interface Cluster {
  /**
   * False: others made this etcd (`provision adopt`). Its packages, units, configuration, data and trust are left alone;
   * only the names that the load balancer needs are added to each member's server certificate.
   */
  readonly isManaged: boolean;
  readonly token: string;
  /** In the order of the `etcd` group. */
  readonly members: readonly Member[];
  /** In the order of the `etcd_lb` group (default: the etcd hosts); empty without a load balancer. */
  readonly balancers: readonly Balancer[];
  readonly controlPlanes: readonly ControlPlane[];
  readonly endpoint: LoadBalancedEndpoint | undefined;
  readonly certificates: CertificateSettings;
}

/** Where HAProxy's health check finds its client certificate with its key, and the authority. */
export const HAPROXY_TLS = { bundle: '/etc/haproxy/etcd-client.pem', ca: '/etc/haproxy/etcd-ca.crt' } as const;
