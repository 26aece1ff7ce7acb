import type { Resource } from '../../model/change.js';
import type { Cluster } from '../../model/cluster.js';
import { ProvisionError } from '../../model/errors.js';
import type { KubernetesNode } from '../../model/kubernetes.js';
import { heldPackages } from '../../resources/held-packages.js';
import { hostsEntries, type HostsEntry } from '../../resources/hosts-entries.js';
import { loadedModules } from '../../resources/loaded-modules.js';
import { nodePreflight } from '../../resources/node-preflight.js';
import { swapOff } from '../../resources/swap-off.js';
import { sysctl } from '../../resources/sysctl.js';
import { nodeOn, type Role } from '../role.js';

/** What the network of pods needs: bridged packets seen by iptables, and layers of images. */
const MODULES = ['overlay', 'br_netfilter'];

/** Setting → the end of the name of its file. */
const SETTINGS: Readonly<Record<string, string>> = {
  'net.ipv4.ip_forward': 'ip-forward',
  'net.bridge.bridge-nf-call-iptables': 'bridge-iptables',
  'net.bridge.bridge-nf-call-ip6tables': 'bridge-ip6tables',
};

/** Whose upgrade restarts pods, or makes a kubelet that is newer than its API server. */
const HELD = ['kubelet', 'kubeadm', 'kubectl', 'containerd', 'containerd.io'];

/** A host that a kubelet can run on: what kubeadm checks, and what it takes for granted. */
export function nodePrepareRole(): Role {
  return {
    name: 'node-prepare',
    summary: 'is ready for a kubelet: no swap, kernel modules and settings, names, held packages',
    resources(host, _, cluster) {
      const node = nodeOn(cluster, host);
      return [
        nodePreflight(node, cluster.kubernetes.nodes, MODULES),
        ...(cluster.kubernetes.settings.kubeletConfig['failSwapOn'] === false ? [] : [swapOff()]),
        loadedModules({ modules: MODULES, file: '/etc/modules-load.d/60-provision-kubernetes.conf' }),
        ...Object.entries(SETTINGS).map(([key, end]) =>
          sysctl({ key, value: '1', file: `/etc/sysctl.d/60-provision-kubernetes-${end}.conf` }),
        ),
        ...names(node, cluster),
        heldPackages(HELD),
      ];
    },
  };
}

function names({ wantsHostsEntries }: KubernetesNode, { kubernetes }: Cluster): readonly Resource[] {
  if (!wantsHostsEntries) return [];
  const entries = kubernetes.nodes.map(({ host, address }): HostsEntry => {
    if (address === undefined) throw noAddress(host);
    return { address, names: [host] };
  });
  return [hostsEntries({ entries })];
}

function noAddress(host: string): ProvisionError {
  return new ProvisionError({
    code: 'node-unfit',
    message: `${host} has no IP address in the inventory, and /etc/hosts should name it`,
    hint: `set \`ip\` of ${host} to the address by which the other nodes reach it`,
  });
}
