import { KUBEADM_CONFIG, kubeadmConfig, type KubeadmConfig } from '../facts/kubeadm-config.js';
import { changed, UNCHANGED, type Outcome, type Resource } from '../model/change.js';
import { replaceClusterConfiguration, restoreClusterConfiguration } from '../shell/kubeadm-config.js';
import { externalEndpoints, withExternalEndpoint } from './cluster-configuration.js';
import { unifiedDiff } from './unified-diff.js';

/** What diffs and summaries call it. */
const NAME = 'kube-system/kubeadm-config';

/**
 * kubeadm's own idea of etcd's endpoints, which its next upgrade writes into manifests. Where there is none, where it is
 * about a stacked etcd, or where nobody on the host may read it, nothing is to be done here.
 * @param url the one endpoint
 */
export function kubeadmConfigResource(url: string): Resource {
  return {
    address: `config-map:${NAME}`,
    paths: [],
    plan: async (probe) => decide(await probe.ask(kubeadmConfig, KUBEADM_CONFIG), url),
  };
}

function decide(found: KubeadmConfig, url: string): Outcome {
  if (found.kind === 'silent') return { kind: 'unknown', because: `${NAME} can't be read yet: ${found.reason}` };
  if (found.kind !== 'found') return UNCHANGED;
  const before = found.configuration;
  const endpoints = externalEndpoints(before);
  if (endpoints === undefined || endpoints.join() === url) return UNCHANGED;
  const after = withExternalEndpoint(before, url);
  const summary = `set etcd.external.endpoints of ${NAME}, which the next kubeadm upgrade writes into manifests`;
  return changed({
    summary,
    diff: unifiedDiff(`${NAME} ClusterConfiguration`, before, after),
    actions: [
      {
        kind: 'run',
        command: replaceClusterConfiguration(`set etcd.external.endpoints of ${NAME}`, before, after),
        undo: restoreClusterConfiguration(`restore etcd.external.endpoints of ${NAME}`, after, before),
      },
    ],
    disruptive: false,
  });
}
