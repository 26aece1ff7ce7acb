import type { Resource } from '../model/change.js';
import type { Inventory } from '../model/inventory.js';
import type { JsonObject } from '../model/json.js';
import type { Probe } from '../model/remote.js';
import type { Balancer, ProxyName, VirtualService } from '../model/virtual-service.js';

/** What a proxy's files are rendered with. */
export interface ProxyTools {
  /** The text of `playbooks/templates/<name>`. */
  readonly template: (name: string) => string;
  readonly inventory: Inventory;
}

/** What to do where a program of the host already serves another application. */
export const BESIDE =
  'let it run beside what is there, as units and files of its own, in the inventory: etcd_lb_own_instance: true';

/** What one proxy shows of the backends of a service. */
export type BackendView =
  | { readonly kind: 'silent' }
  /** @property problems what is wrong with backends, for a sentence: `finds etcd-2 DOWN: L4CON`; none: it finds all up */
  | { readonly kind: 'answers'; readonly problems: readonly string[] };

/** What keepalived runs to know whether the proxy of its own host serves: a template with its values. */
export interface AliveScript {
  readonly template: string;
  readonly values: JsonObject;
}

/** A program that passes connections on to the backends of a service: all that the others know of it. */
export interface Proxy {
  readonly name: ProxyName;
  /** As people write it. */
  readonly title: string;
  /** What is installed; the first one's unit is kept from starting before its configuration is there. */
  readonly packages: readonly string[];
  /** Name of the process that listens. */
  readonly process: string;
  /** Template of a unit that runs an instance of its own, beside the package's. */
  readonly unitTemplate: string;
  /** The configuration files that it reads when it is started so. @param argv the program first */
  reads(argv: readonly string[]): readonly string[];
  /** Its configuration for the service, accepted by the program itself before it lands. */
  configuration(service: VirtualService, balancer: Balancer, tools: ProxyTools): Resource;
  /** How it finds the backends right now. */
  view(service: VirtualService, probe: Probe): Promise<BackendView>;
  alive(service: VirtualService): AliveScript;
}
