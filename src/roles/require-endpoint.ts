import type { Cluster, LoadBalancedEndpoint } from '../model/cluster.js';
import { ProvisionError } from '../model/errors.js';

/** The endpoint that clients use. @throws ProvisionError `no-load-balancer` */
export function requireEndpoint(cluster: Cluster): LoadBalancedEndpoint {
  if (cluster.endpoint !== undefined) return cluster.endpoint;
  throw new ProvisionError({
    code: 'no-load-balancer',
    message:
      'the inventory describes no load balancer (etcd_lb_ip is not set, or etcd_lb_enabled is false), and a play needs one',
    hint: "set etcd_lb_ip to a free address of the nodes' network, or run the playbook `etcd` alone",
  });
}
