import type { Secret } from './secret.js';

/** How keys are made; see `etcd_key_type`. */
export type KeyType = 'ecdsa-p256' | 'rsa-2048' | 'rsa-3072' | 'rsa-4096';

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
  /** The environment file that the unit reads. */
  readonly configFile: string;
  /** Directory of its certificates. */
  readonly pkiDir: string;
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
