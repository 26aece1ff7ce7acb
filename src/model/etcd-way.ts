import { httpsUrl } from './endpoint.js';
import { serviceNamed, type Balancer, type ServicePlaces, type VirtualService } from './virtual-service.js';

/** Who runs the balancer of etcd: this program, on hosts of the inventory; or others, anywhere. */
export const LB_PROVIDERS = ['own', 'external'] as const;

/** A balancer of etcd that others run: no host of the inventory has a part in it. */
export interface ExternalBalancer {
  /** At least one of the two is there. */
  readonly ip: string | undefined;
  /** May have several addresses. */
  readonly name: string | undefined;
  readonly port: number;
  /** Hosts that were balancers of ours, and that the inventory names as such: what is left of it there is removed. */
  readonly former: FormerService;
}

/** What a balancer of ours may have left on hosts that are none any more. */
export interface FormerService {
  readonly proxy: VirtualService['proxy'];
  readonly formerBalancers: readonly Balancer[];
  readonly backends: VirtualService['backends'];
  readonly places: ServicePlaces;
  /** Where keepalived may run for it, on any host. */
  readonly keepalived: readonly { readonly unit: string; readonly configFile: string }[];
}

/** Where clients reach etcd, other than at its members. */
export interface EtcdWay {
  readonly provider: (typeof LB_PROVIDERS)[number];
  /** What kube-apiservers are given. */
  readonly url: string;
  /** Names and addresses that members must show: clients may use any of them. */
  readonly names: readonly string[];
  readonly port: number;
}

interface Described {
  readonly services: readonly VirtualService[];
  readonly external: ExternalBalancer | undefined;
}

/** The way to etcd that an inventory describes; none without a balancer. */
export function etcdWay({ services, external }: Described): EtcdWay | undefined {
  const endpoint = external ?? serviceNamed({ services }, 'etcd')?.endpoint;
  if (endpoint === undefined) return undefined;
  const { ip, name, port } = endpoint;
  const names = [ip, name].filter((each) => each !== undefined);
  // The address, where there is one: a control plane must not need a DNS server to find its etcd (docs/adr/).
  return { provider: external === undefined ? 'own' : 'external', url: httpsUrl(names[0] ?? '', port), names, port };
}
