import { aboutService } from '../../model/gate.js';
import { apiserverNames } from '../../resources/apiserver-names.js';
import { kubeadmCertSans } from '../../resources/kubeadm-config.js';
import { requireService } from '../require-service.js';
import { controlPlaneOn, type Role } from '../role.js';

/** An API server whose certificate names the virtual IP, beside all that it named before. */
export function kubeApiserverNamesRole(): Role {
  return {
    name: 'kube-apiserver-names',
    summary: 'has a kube-apiserver whose certificate names its virtual IP',
    resources(host, _, cluster) {
      const { name, endpoint, clients } = requireService(cluster, 'kube-apiserver');
      const controlPlane = controlPlaneOn(cluster, host);
      const { ca } = clients.find((client) => client.host === host.name)?.files ?? {};
      if (ca === undefined) return [];
      const wanted = [endpoint.ip, endpoint.name].filter((each) => each !== undefined);
      const after = { kind: 'await', gate: aboutService('backends-named', name), parameters: {} } as const;
      const isFirst = host.name === cluster.controlPlanes[0]?.host;
      return [
        apiserverNames({ controlPlane, authority: ca, wanted, after }),
        // One object of the cluster, planned with the first control plane.
        ...(isFirst ? [kubeadmCertSans(wanted)] : []),
      ];
    },
  };
}
