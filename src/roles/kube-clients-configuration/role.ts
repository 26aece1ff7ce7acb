import { KUBE_PROXY_PODS } from '../../facts/kube-proxy-processes.js';
import { aboutService } from '../../model/gate.js';
import { configMapServer } from '../../resources/config-map-server.js';
import { kubeadmControlPlaneEndpoint } from '../../resources/kubeadm-config.js';
import { requireService } from '../require-service.js';
import type { Role } from '../role.js';

/** ConfigMaps from which clients know where the API servers are: objects of the cluster, planned with the first control plane. */
export function kubeClientsConfigurationRole(): Role {
  return {
    name: 'kube-clients-configuration',
    summary: 'has a cluster whose ConfigMaps name the virtual IP of the API servers',
    resources(host, _, cluster) {
      if (host.name !== cluster.controlPlanes[0]?.host) return [];
      const { name, endpoint } = requireService(cluster, 'kube-apiserver');
      const gate = aboutService('vip-answers-kubeconfigs', name);
      const before = { kind: 'await', gate, parameters: { from: 'every-node' } } as const;
      const settled = { kind: 'await', gate: 'kube-proxy-settled', parameters: {} } as const;
      return [
        kubeadmControlPlaneEndpoint(endpoint, before),
        configMapServer({
          at: { namespace: 'kube-public', name: 'cluster-info', key: 'kubeconfig' },
          why: 'which hosts that join read first',
          ...{ endpoint, before },
        }),
        configMapServer({
          at: { ...KUBE_PROXY_PODS, key: 'kubeconfig.conf' },
          why: 'which kube-proxy reads at its start',
          ...{ endpoint, before, readers: { ...KUBE_PROXY_PODS, nodes: cluster.nodes, settled } },
        }),
      ];
    },
  };
}
