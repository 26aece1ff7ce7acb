import type { Balancer, ProxyName, ServiceWords, VirtualService } from '../model/virtual-service.js';
import { placeOf, type CheckContext } from './check-context.js';
import { SERVICE_VARIABLES } from './service-variables.js';

/** The hosts in front of a service, and what their proxy can do less than another. */
export function checkBalancers(service: VirtualService, context: CheckContext): void {
  checkPriorities(service, context);
  checkProxy(service, context);
  checkTermination(service, context);
}

function checkPriorities({ name, group, balancers }: VirtualService, context: CheckContext): void {
  const { reader } = context;
  const variable = SERVICE_VARIABLES[name].priority;
  const owners = new Map<number, Balancer>();
  for (const balancer of balancers) {
    const { priority } = balancer.keepalived;
    const owner = owners.get(priority);
    owners.set(priority, balancer);
    if (owner !== undefined) {
      reader.report(
        'error',
        placeOf(context, balancer.host, variable),
        variable,
        `${priority} is that of both ${owner.host} and ${balancer.host}: with equal priorities the virtual IP does not move; give each its own, or none`,
      );
    }
  }
  if (balancers.length === 1) {
    reader.report(
      'warning',
      context.inventory.hosts.get(balancers[0]?.host ?? '')?.at,
      `group ${group}`,
      'has one host: when it is down, the virtual IP is too',
    );
  }
}

/** What a proxy that was chosen can do less than HAProxy; said in every plan. */
const WEAKER: Readonly<Record<ProxyName, ((words: ServiceWords) => string) | undefined>> = {
  haproxy: undefined,
  nginx: ({ backend, fault }) =>
    `nginx notices a ${backend} that is down only by connections that fail, and not at all one that hangs or ${fault}: clients meet it; haproxy asks each ${backend}`,
};

function checkProxy({ name, proxy, words }: VirtualService, { shared, reader }: CheckContext): void {
  const weaker = WEAKER[proxy];
  const variable = SERVICE_VARIABLES[name].proxy;
  if (weaker !== undefined) reader.report('warning', shared.at(variable), variable, weaker(words));
}

/** What is lost where a proxy ends TLS; said in every plan. */
function checkTermination({ proxy, termination }: VirtualService, { shared, reader }: CheckContext): void {
  if (termination === undefined) return;
  const at = shared.at('etcd_lb_mode');
  if (proxy === 'haproxy')
    reader.report(
      'warning',
      at,
      'etcd_lb_mode',
      'terminate: members see all clients of the load balancer as one, HAProxy; its hosts see what clients read and write, and a key there opens etcd',
    );
  else
    reader.report(
      'error',
      at,
      'etcd_lb_mode',
      `terminate: ${proxy} only passes TLS through here; set etcd_lb_proxy to haproxy, or etcd_lb_mode to passthrough`,
    );
}
