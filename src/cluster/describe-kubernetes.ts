import { resolve } from 'node:path';
import type { Host } from '../model/inventory.js';
import type { FormerNode, Kubernetes, KubernetesNode } from '../model/kubernetes.js';
import { FORMER_NODES } from '../model/former-groups.js';
import { readNodeReleases, readPullProxies } from './read-container-runtime.js';
import { readKubernetesPackages } from './read-kubernetes-packages.js';
import { nodeAddress } from './node-address.js';
import { sharedValues } from './shared-values.js';
import type { VariableReader } from './variable-reader.js';

/** The hosts of Kubernetes. */
interface KubernetesHosts {
  readonly controlPlanes: readonly Host[];
  readonly nodes: readonly Host[];
  /** Those that are to leave. */
  readonly formerNodes: readonly Host[];
}

/** The part of an inventory that is Kubernetes. */
export function describeKubernetes(
  { controlPlanes, nodes, formerNodes }: KubernetesHosts,
  { directory, reader }: { readonly directory: string; readonly reader: VariableReader },
): Kubernetes {
  const hosts = [...new Set([...controlPlanes, ...nodes])];
  const shared = sharedValues(hosts, reader);
  const manifest = shared.value('kube_cluster_cni_manifest');
  return {
    nodes: hosts.map((host) => readNode(host, controlPlanes.includes(host) ? 'control-plane' : 'worker', reader)),
    formerNodes: formerNodes.map((host) => readFormerNode(host, hosts, reader)),
    settings: {
      imageRepository: shared.valueOr('kube_cluster_image_repository'),
      cgroupDriver: shared.valueOr('kube_cluster_cgroup_driver'),
      sandboxImage: shared.value('kube_cluster_sandbox_image'),
      cniBinDir: shared.valueOr('kube_cluster_cni_bin_dir'),
      registryMirrors: shared.valueOr('kube_cluster_registry_mirrors'),
      releases: readNodeReleases(shared, directory, reader),
      pullProxies: readPullProxies(shared, reader),
      serviceSubnet: shared.valueOr('kube_cluster_service_subnet'),
      podSubnet: shared.value('kube_cluster_pod_subnet'),
      dnsDomain: shared.valueOr('kube_cluster_dns_domain'),
      apiserverShutdownDelayS: shared.valueOr('kube_cluster_apiserver_shutdown_delay'),
      kubeletConfig: shared.valueOr('kube_cluster_kubelet_config'),
      proxyConfig: shared.valueOr('kube_cluster_proxy_config'),
      cniManifest: manifest === undefined ? undefined : resolve(directory, manifest),
      otherNodes: shared.valueOr('kube_cluster_other_nodes'),
      drainTimeoutS: shared.valueOr('kube_cluster_drain_timeout'),
      smokeTest: {
        image: shared.valueOr('kube_cluster_smoke_test_image'),
        command: shared.valueOr('kube_cluster_smoke_test_command'),
      },
      packages: readKubernetesPackages({ shared, directory, reader }),
    },
  };
}

function readNode(host: Host, kind: KubernetesNode['kind'], reader: VariableReader): KubernetesNode {
  return {
    host: host.name,
    address: addressOf(host, reader),
    kind,
    wantsHostsEntries: reader.readOr(host, 'kube_cluster_hosts_entries'),
    ignoredChecks: reader.readOr(host, 'kube_cluster_ignore_preflight_errors'),
    replaceFiles: reader.readOr(host, 'provision_replace_files'),
  };
}

/** Nobody is to be a node and to leave, nor to leave with the address of one that stays: its node is found by that. */
function readFormerNode(host: Host, staying: readonly Host[], reader: VariableReader): FormerNode {
  const address = addressOf(host, reader);
  for (const other of staying.filter((each) => each === host || (address ?? '') === addressOf(each, reader))) {
    const found = other === host ? 'is in kube_node or kube_control_plane, too' : `has the address of ${other.name}`;
    reader.report('error', host.at, host.name, `${found}, and is in ${FORMER_NODES}: it can't stay and leave`);
  }
  if (address === undefined)
    reader.report('error', host.at, host.name, `has no IP address, by which its node is found: set \`ip\` of it`);
  return { host: host.name, address };
}

function addressOf(host: Host, reader: VariableReader): string | undefined {
  return reader.attempt(undefined, host.name, () => nodeAddress(host))?.address;
}
