import type { Cluster } from '../model/cluster.js';
import { ProvisionError } from '../model/errors.js';
import { etcdWay, type EtcdWay } from '../model/etcd-way.js';
import { SERVICE_GROUPS, serviceNamed, type ServiceName, type VirtualService } from '../model/virtual-service.js';

/** The service that clients reach at a virtual IP. @throws ProvisionError `no-load-balancer` */
export function requireService(cluster: Cluster, name: ServiceName): VirtualService {
  const service = serviceNamed(cluster, name);
  if (service !== undefined) return service;
  throw name === 'etcd' && cluster.external !== undefined ? othersRunIt() : noBalancer(name);
}

/** Where clients reach etcd, whoever runs its balancer. @throws ProvisionError `no-load-balancer` */
export function requireEtcdWay(cluster: Cluster): EtcdWay {
  const way = etcdWay(cluster);
  if (way === undefined) throw noBalancer('etcd');
  return way;
}

/** Roles of our own balancers have no place there. */
function othersRunIt(): ProvisionError {
  return new ProvisionError({
    code: 'no-load-balancer',
    message: '`etcd_lb_provider` is external: others run the load balancer, and a play needs one of ours',
    hint: 'use `--playbook site`, which leaves such plays out; in a play of your own: `when: etcd_lb_provider | default("own") == "own"`',
  });
}

function noBalancer(name: ServiceName): ProvisionError {
  const group = SERVICE_GROUPS[name];
  return new ProvisionError({
    code: 'no-load-balancer',
    message: `no \`${group}_ip\`, or \`${group}_enabled\` is false: the inventory describes no load balancer, and a play needs one`,
    hint: `for etcd alone, use \`--playbook etcd\`; else set ${group}_ip to a free address of the nodes' network`,
  });
}
