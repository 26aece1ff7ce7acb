import type { MetricsPlace, StatsPage } from './metrics.js';
import type { MarkedText } from './marked-text.js';
import type { QuestionFiles } from './certificate.js';
import type { Secret } from './secret.js';

/** The services that can stand behind a virtual IP: each is one entry here, its variables and where its backends come from. */
export const SERVICE_NAMES = ['etcd', 'kube-apiserver'] as const;

/** Name of a service behind a virtual IP. */
export type ServiceName = (typeof SERVICE_NAMES)[number];

/** Service → the inventory's group of its balancers, which its variables are named after too: `etcd_lb_ip`. */
export const SERVICE_GROUPS: Readonly<Record<ServiceName, string>> = {
  etcd: 'etcd_lb',
  'kube-apiserver': 'kube_apiserver_lb',
};

/** The inventory's group of hosts that were its balancers, and are freed of that. */
export function formerGroupOf(group: string): string {
  return `${group}_former`;
}

/** The programs that can pass connections on: the values of `etcd_lb_proxy`; each has a room in src/proxies/. */
export const PROXY_NAMES = ['haproxy', 'nginx'] as const;

/** What a proxy does with its clients' TLS: the values of `etcd_lb_mode`. */
export const LB_MODES = ['passthrough', 'terminate'] as const;

/** Name of a proxy. */
export type ProxyName = (typeof PROXY_NAMES)[number];

/** The one address that clients of a service use. */
export interface Endpoint {
  /** The virtual IP. */
  readonly ip: string;
  /** Its DNS name, when there is one. */
  readonly name: string | undefined;
  readonly port: number;
}

/** How the proxy of one host passes connections on; from the variables that are named after the proxy. */
export interface ProxySettings {
  /** Its systemd unit, without `.service`. */
  readonly unit: string;
  /** The unit's file where it is an instance of our own; absent: the package's unit. */
  readonly unitFile: string | undefined;
  readonly configFile: string;
  readonly maxConnections: number;
  /** Times as the variables have them: `5s`, `5m`. */
  readonly timeoutConnect: string;
  readonly timeoutClient: string;
  readonly timeoutServer: string;
  /** For connections that have carried data both ways; absent: the other two hold. */
  readonly timeoutTunnel: string | undefined;
  readonly checkInter: string;
  readonly checkRise: number;
  readonly checkFall: number;
  /** A page of statistics; none by default. */
  readonly statsPort: number | undefined;
  /** Where that page is; absent: on 127.0.0.1, for everybody. */
  readonly stats?: StatsPage | undefined;
  /** Absent: it shows no metrics. */
  readonly metrics?: MetricsPlace | undefined;
  /** The user's own block at the end of the file. */
  readonly extraConfig: MarkedText | undefined;
  /** The variable that holds it. */
  readonly extraVariable: string;
}

/** A proxy as another inventory would have it on the same host. */
export interface FormerProxy {
  readonly name: ProxyName;
  readonly unit: string;
  readonly configFile: string;
}

/** How keepalived tells people of a change. */
export interface MailSettings {
  readonly to: readonly string[];
  readonly from: string;
  /** The SMTP server: address or name. */
  readonly server: string;
  readonly port: number;
}

/** keepalived on one host. */
export interface KeepalivedSettings {
  /** Where else it may run on the host, from an earlier inventory: two would both hold the address. */
  readonly former: readonly { readonly unit: string; readonly configFile: string }[];
  /** Its systemd unit, without `.service`. */
  readonly unit: string;
  /** The unit's file where it is an instance of our own; absent: the package's unit. */
  readonly unitFile: string | undefined;
  readonly configFile: string;
  /** Absent: the interface that holds the node's address. */
  readonly interface: string | undefined;
  readonly virtualRouterId: number;
  /** 1–254, its own on each node. */
  readonly priority: number;
  readonly unicast: boolean;
  /** 2 or 3; 3 for an IPv6 address. */
  readonly vrrpVersion: number;
  /** Below 1 only with version 3. */
  readonly advertIntervalS: number;
  /** Absent: the generated one of the PKI store. */
  readonly authPass: Secret | undefined;
  readonly preempt: boolean;
  /** Absent: it tells nobody. */
  readonly mail?: MailSettings | undefined;
}

/** One load-balancer host of a service. */
export interface Balancer {
  readonly host: string;
  readonly address: string;
  readonly proxy: ProxySettings;
  readonly keepalived: KeepalivedSettings;
  /** Where else a proxy of the service may run on the host, from an earlier inventory: it hands over, and is stopped. */
  readonly formerProxies: readonly FormerProxy[];
  /** Files of others that the inventory gives up. */
  readonly replaceFiles: readonly string[];
}

/** One server that connections are passed on to. */
export interface Backend {
  /** Inventory name of its host. */
  readonly host: string;
  /** What the proxy calls it. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** The name that its certificate is verified by; absent: by its authority alone. */
  readonly verifyName: string | undefined;
}

/** What a balancer asks a backend, over HTTPS, to know whether it serves. */
export interface HealthQuestion {
  /** Where the proxy answers for itself, on 127.0.0.1 only. */
  readonly ownPort: number;
  /** With its query. */
  readonly path: string;
  /** The HTTP statuses that say yes. */
  readonly alive: readonly number[];
  /** What an answer holds of a backend that is about to end, and serves until then; absent: none says so. */
  readonly leaving?: string | undefined;
  readonly trust: HealthTrust;
  /** What every balancer shows: certificate and key in one file; absent: nothing has to be shown. */
  readonly bundle: string | undefined;
}

/** What every balancer verifies backends by. */
export interface HealthTrust {
  /** The authority's certificate on the balancer. */
  readonly path: string;
  /** The authority in the store; or that of others, as these files of hosts hold it. */
  readonly from: 'store' | readonly HostFile[];
}

/** A file of a host. */
export interface HostFile {
  readonly host: string;
  readonly path: string;
}

/** What every balancer asks with. */
export function healthFiles({ trust, bundle }: Pick<HealthQuestion, 'trust' | 'bundle'>): QuestionFiles {
  return { ca: trust.path, certificate: bundle, key: bundle };
}

/** A proxy that ends its clients' TLS, and begins one of its own to the backends: what it shows on each side, certificate and key in one file. */
export interface Termination {
  /** To clients. */
  readonly server: string;
  /** To backends, for whom all clients are this one. */
  readonly client: string;
}

/** How people speak of a service's backends. */
export interface ServiceWords {
  /** One of them: `member`. */
  readonly backend: string;
  /** The same where nothing else says whose it is: `etcd member`. */
  readonly backendOfService: string;
  /** What one may be that answers all the same: `has lost its quorum`. */
  readonly fault: string;
  /** What to do where what it shows does not name the virtual IP; absent: it is the proxy that is looked at. */
  readonly unnamed: string | undefined;
}

/** A service that clients reach at one address, whoever of its balancers holds it. */
export interface VirtualService {
  readonly name: ServiceName;
  /** The inventory's group of its balancers. */
  readonly group: string;
  readonly endpoint: Endpoint;
  readonly proxy: ProxyName;
  /** In the order of their group; at least one. */
  readonly balancers: readonly Balancer[];
  /** Hosts that were its balancers, and that the inventory names as such: what is left of it there is removed. */
  readonly formerBalancers: readonly Balancer[];
  readonly backends: readonly Backend[];
  readonly health: HealthQuestion;
  /** Absent: TLS goes through untouched. */
  readonly termination: Termination | undefined;
  /** From where the way through the virtual IP is proved, and with which files of that host. */
  readonly clients: readonly ServiceClient[];
  /** Hosts that can measure how the virtual IP answers, beside its balancers: the best first. */
  readonly observers: readonly ServiceObserver[];
  readonly words: ServiceWords;
  readonly places: ServicePlaces;
}

/** Files that every balancer of a service has, and no other service. */
export interface ServicePlaces {
  /** keepalived's check script, without the proxy that it asks: `…/check` for `…/check-haproxy`. */
  readonly checkScript: string;
  /** Of sysctl.d: that programs may listen on an address which another host holds. */
  readonly nonlocalBind: string;
  /** What an earlier inventory's proxy ended TLS with; none where it never does. */
  readonly termination: readonly string[];
  /** What the health question is asked with: authority and client certificate, for any proxy that an inventory may have had. */
  readonly certificates: readonly string[];
}

/** A host that asks a service through its virtual IP. */
export interface ServiceClient {
  readonly host: string;
  readonly files: QuestionFiles;
}

/** A host that can measure: with files of its own, or with those that its kube-apiserver's manifest names. */
export type ServiceObserver = ServiceClient | { readonly host: string; readonly manifest: string };

/** The service of a name, where the inventory describes it. */
export function serviceNamed(
  { services }: { readonly services: readonly VirtualService[] },
  name: ServiceName,
): VirtualService | undefined {
  return new Map(services.map((service) => [service.name, service])).get(name);
}

/** The names of all hosts that balance any service, each once. */
export function balancerHosts({ services }: { readonly services: readonly VirtualService[] }): readonly string[] {
  return [...new Set(services.flatMap(({ balancers }) => balancers.map(({ host }) => host)))];
}
