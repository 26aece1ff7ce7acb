import { ADMINISTRATORS } from '../../facts/kubeconfig.js';
import { aboutService } from '../../model/gate.js';
import { kubeconfigServer } from '../../resources/kubeconfig-server.js';
import { kubeletServer } from '../../resources/kubelet-server.js';
import { requireService } from '../require-service.js';
import type { Role } from '../role.js';

/** A host of Kubernetes whose kubeconfigs use the virtual IP: the kubelet's, and on a control plane those of its administrators. */
export function kubeClientsRole(): Role {
  return {
    name: 'kube-clients',
    summary: 'has a kubelet, and administrators, that use the API servers through their virtual IP',
    resources(host, _, cluster) {
      const { name, endpoint } = requireService(cluster, 'kube-apiserver');
      const controlPlane = cluster.controlPlanes.find((each) => each.host === host.name);
      const way = aboutService('vip-answers-kubeconfigs', name);
      const after = { kind: 'await', gate: 'kubelet-ready', parameters: {} } as const;
      const persons = controlPlane === undefined ? [] : ADMINISTRATORS;
      return [
        ...persons.map((path) => kubeconfigServer({ path, endpoint, way })),
        kubeletServer({ endpoint, way, after, controlPlane }),
      ];
    },
  };
}
