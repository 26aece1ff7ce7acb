import type { ProxyName, VirtualService } from '../model/virtual-service.js';
import { haproxy } from './haproxy/haproxy.js';
import { nginx } from './nginx/nginx.js';
import type { Proxy } from './proxy.js';

const PROXIES: Readonly<Record<ProxyName, Proxy>> = { haproxy, nginx };

/** The proxy of a service. */
export function proxyOf({ proxy }: Pick<VirtualService, 'proxy'>): Proxy {
  return PROXIES[proxy];
}
