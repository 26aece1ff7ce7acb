import { kubeadmConfigResource } from '../../resources/kubeadm-config.js';
import { requireEtcdWay } from '../require-service.js';
import type { Role } from '../role.js';

/** kubeadm's stored configuration follows the virtual IP: one object of the cluster, planned with the first control plane. */
export function kubeadmConfigRole(): Role {
  return {
    name: 'kubeadm-config',
    summary: 'has a kubeadm that knows etcd by its load balancer',
    resources(host, _, cluster) {
      const [first] = cluster.controlPlanes;
      if (first === undefined || host.name !== first.host) return [];
      return [kubeadmConfigResource(requireEtcdWay(cluster).url, first.manifest)];
    },
  };
}
