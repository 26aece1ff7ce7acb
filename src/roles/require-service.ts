import type { Cluster } from '../model/cluster.js';
import { ProvisionError } from '../model/errors.js';
import { SERVICE_GROUPS, serviceNamed, type ServiceName, type VirtualService } from '../model/virtual-service.js';

/** The service that clients reach at a virtual IP. @throws ProvisionError `no-load-balancer` */
export function requireService(cluster: Cluster, name: ServiceName): VirtualService {
  const service = serviceNamed(cluster, name);
  if (service !== undefined) return service;
  const group = SERVICE_GROUPS[name];
  throw new ProvisionError({
    code: 'no-load-balancer',
    message: `no \`${group}_ip\`, or \`${group}_enabled\` is false: the inventory describes no load balancer, and a play needs one`,
    hint: `for etcd alone, use \`--playbook etcd\`; else set ${group}_ip to a free address of the nodes' network`,
  });
}
