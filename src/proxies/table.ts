import type { ProxyName, VirtualService } from '../model/virtual-service.js';
import { haproxy } from './haproxy/haproxy.js';
import type { Proxy } from './proxy.js';

const PROXIES: Readonly<Record<ProxyName, Proxy>> = { haproxy };

/** The proxy of a service. */
export function proxyOf({ proxy }: Pick<VirtualService, 'proxy'>): Proxy {
  return PROXIES[proxy];
}
