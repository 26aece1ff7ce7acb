import { joinSeen } from '../../gates/join-seen.js';
import { describeStray, strayNodes } from '../../gates/stray-nodes.js';
import type { Resource } from '../../model/change.js';
import type { Cluster } from '../../model/cluster.js';
import { hostPort, memberUrls } from '../../model/endpoint.js';
import { ProvisionError } from '../../model/errors.js';
import { etcdWay } from '../../model/etcd-way.js';
import type { Host } from '../../model/inventory.js';
import type { Probe } from '../../model/remote.js';
import { serviceNamed } from '../../model/virtual-service.js';
import { USUAL_CLIENT_FILES } from '../../facts/apiserver-manifest.js';
import type { KubeadmCluster } from '../../resources/kubeadm-configuration.js';
import type { KubernetesSite } from '../../resources/kubernetes-host.js';
import { kubernetesBegun, kubernetesFinished } from '../../resources/kubernetes-init.js';
import { kubernetesManifest } from '../../resources/kubernetes-manifest.js';
import { kubernetesJoined } from '../../resources/kubernetes-joined.js';
import { readNamed } from '../named-file.js';
import { nodeOn, type Role, type RoleTools } from '../role.js';

/** The first control plane, up to its API server: what the load balancer of the API servers needs. */
export function kubernetesBeginRole(): Role {
  return {
    name: 'kubernetes-begin',
    summary: 'has the first API server of a new cluster',
    resources: (host, _, cluster) => onFirst(host, cluster, (site) => kubernetesBegun(site, cluster.members)),
  };
}

/** What `kubeadm init` makes through its API server, where clients find it. */
export function kubernetesFinishRole(): Role {
  return {
    name: 'kubernetes-finish',
    summary: 'has the objects of a new cluster, which others can join',
    resources: (host, _, cluster) =>
      onFirst(host, cluster, (site) => ({ ...kubernetesFinished(site), doubt: (probe) => strayDoubt(cluster, probe) })),
  };
}

/** A host that was only taken out of its group is still a node: nothing else of a plan would say so. */
async function strayDoubt(cluster: Cluster, probe: Probe): Promise<string | undefined> {
  const stray = await strayNodes(cluster, (host) => (host === probe.host ? probe : probe.on(host)));
  return stray.length === 0 ? undefined : stray.map(describeStray).join('; ');
}

/** The network of pods, where the inventory names its manifests. */
export function kubernetesNetworkRole({ readFile }: Pick<RoleTools, 'readFile'>): Role {
  return {
    name: 'kubernetes-network',
    summary: 'has the network of pods that the inventory names',
    resources(_host, inventory, cluster) {
      const path = cluster.kubernetes.settings.cniManifest;
      if (path === undefined) return [];
      const text = readNamed({ variable: 'kube_cluster_cni_manifest', path }, inventory, readFile);
      const hosts = cluster.controlPlanes.map((controlPlane) => controlPlane.host);
      return [kubernetesManifest({ path, text }, hosts)];
    },
  };
}

/** A host that joins: a control plane, or a worker. */
export function kubernetesJoinRole(): Role {
  return {
    name: 'kubernetes-join',
    summary: 'has joined the cluster, as a control plane or a worker',
    resources: (host, _, cluster) => [kubernetesJoined(siteOf(host, cluster))],
  };
}

/** A cluster is made on the first control plane alone. */
function onFirst(host: Host, cluster: Cluster, make: (site: KubernetesSite) => Resource): readonly Resource[] {
  return host.name === cluster.controlPlanes[0]?.host ? [make(siteOf(host, cluster))] : [];
}

function siteOf(host: Host, cluster: Cluster): KubernetesSite {
  const controlPlanes = cluster.kubernetes.nodes.filter(({ kind }) => kind === 'control-plane');
  return { node: nodeOn(cluster, host), controlPlanes, cluster: kubeadmCluster(cluster), joinSeen };
}

/** Clients find the API servers at their virtual IP, else at the first one alone. */
function kubeadmCluster(cluster: Cluster): Omit<KubeadmCluster, 'version'> {
  const [first] = cluster.controlPlanes;
  if (first === undefined) throw noControlPlane();
  const way = etcdWay(cluster);
  const { ca: caFile, certificate: certFile, key: keyFile } = USUAL_CLIENT_FILES;
  const virtual = serviceNamed(cluster, 'kube-apiserver')?.endpoint;
  const { ip, port } = virtual ?? { ip: first.address, port: 6443 };
  return {
    endpoint: hostPort(ip, port),
    certSans: [ip, virtual?.name].filter((name) => name !== undefined),
    etcd: {
      endpoints: way === undefined ? memberUrls(cluster.members) : [way.url],
      ...{ caFile, certFile, keyFile },
    },
    settings: cluster.kubernetes.settings,
  };
}

function noControlPlane(): ProvisionError {
  return new ProvisionError({
    code: 'not-in-group',
    message: 'the group kube_control_plane has no hosts: a Kubernetes has a control plane at least',
    hint: 'put the hosts of the API servers into a group named kube_control_plane',
  });
}
