import { ProvisionError, RemoteError } from '../model/errors.js';
import { serviceNamed, type Endpoint } from '../model/virtual-service.js';
import { LOCAL_SINCE, lookAtKubelet, staysLocal } from '../resources/seen-kubelet.js';
import { usesEndpoint, wantedServer } from '../resources/with-server.js';
import { quote } from '../shell/quote.js';
import { itemsOfHosts } from './ask-hosts.js';
import type { Check, CheckItem } from './check.js';

/** Each kubelet: whether it uses the API servers through their virtual IP, or would be lost with one of them. */
export const checkApiClients: Check = async ({ cluster, probe, inventory }) => {
  const service = serviceNamed(cluster, 'kube-apiserver');
  if (service === undefined) return [];
  const { endpoint } = service;
  const next = `provision plan ${quote(inventory)} --playbook apiserver-clients`;
  return itemsOfHosts(cluster.nodes, async (host) => {
    const controlPlane = cluster.controlPlanes.find((each) => each.host === host);
    try {
      const kubelet = await lookAtKubelet(controlPlane, probe(host));
      if (kubelet.kind === 'none') return [];
      const item = { check: 'api-client', host, subject: kubelet.path };
      if (staysLocal(controlPlane, kubelet)) {
        const evidence = `uses the API server of its own host, as kubeadm has it since v1.${LOCAL_SINCE}`;
        return [{ ...item, verdict: 'ok', evidence }];
      }
      return [{ ...item, ...judge(kubelet.kubeconfig, endpoint, next) }];
    } catch (error) {
      if (!(error instanceof ProvisionError) || error instanceof RemoteError) throw error;
      return [{ check: 'api-client', host, verdict: 'warn', evidence: error.message, next: error.hint ?? next }];
    }
  });
};

function judge(
  kubeconfig: { readonly server: URL },
  endpoint: Endpoint,
  next: string,
): Pick<CheckItem, 'verdict' | 'evidence' | 'next'> {
  const { origin } = kubeconfig.server;
  if (usesEndpoint(kubeconfig, endpoint)) return { verdict: 'ok', evidence: `uses ${origin}` };
  const evidence = `uses ${origin}, not ${wantedServer(endpoint)}: the node is lost with that API server`;
  return { verdict: 'warn', evidence, next };
}
