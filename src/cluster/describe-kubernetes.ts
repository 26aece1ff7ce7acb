import type { Host } from '../model/inventory.js';
import type { Kubernetes, KubernetesNode } from '../model/kubernetes.js';
import { nodeAddress } from './node-address.js';
import { sharedValues } from './shared-values.js';
import type { VariableReader } from './variable-reader.js';

/** The hosts of Kubernetes. */
interface KubernetesHosts {
  readonly controlPlanes: readonly Host[];
  readonly nodes: readonly Host[];
}

/** The part of an inventory that is Kubernetes. */
export function describeKubernetes({ controlPlanes, nodes }: KubernetesHosts, reader: VariableReader): Kubernetes {
  const hosts = [...new Set([...controlPlanes, ...nodes])];
  const shared = sharedValues(hosts, reader);
  return {
    nodes: hosts.map((host) => readNode(host, controlPlanes.includes(host) ? 'control-plane' : 'worker', reader)),
    settings: {
      imageRepository: shared.valueOr('kube_cluster_image_repository'),
      cgroupDriver: shared.valueOr('kube_cluster_cgroup_driver'),
      sandboxImage: shared.value('kube_cluster_sandbox_image'),
      cniBinDir: shared.valueOr('kube_cluster_cni_bin_dir'),
      registryMirrors: shared.valueOr('kube_cluster_registry_mirrors'),
      serviceSubnet: shared.valueOr('kube_cluster_service_subnet'),
      podSubnet: shared.value('kube_cluster_pod_subnet'),
      dnsDomain: shared.valueOr('kube_cluster_dns_domain'),
      kubeletConfig: shared.valueOr('kube_cluster_kubelet_config'),
      proxyConfig: shared.valueOr('kube_cluster_proxy_config'),
    },
  };
}

function readNode(host: Host, kind: KubernetesNode['kind'], reader: VariableReader): KubernetesNode {
  return {
    host: host.name,
    address: reader.attempt(undefined, host.name, () => nodeAddress(host))?.address,
    kind,
    wantsHostsEntries: reader.readOr(host, 'kube_cluster_hosts_entries'),
    ignoredChecks: reader.readOr(host, 'kube_cluster_ignore_preflight_errors'),
    replaceFiles: reader.readOr(host, 'provision_replace_files'),
  };
}
