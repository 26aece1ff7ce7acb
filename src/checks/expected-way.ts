import { argumentOf, readStaticPodManifest } from '../facts/static-pod-manifest.js';
import { CONTAINER } from '../facts/apiserver-manifest.js';
import { askText } from '../facts/file-content.js';
import { KUBEADM_CONFIG, kubeadmConfig } from '../facts/kubeadm-config.js';
import type { Cluster, ControlPlane } from '../model/cluster.js';
import { ProvisionError } from '../model/errors.js';
import { etcdWay } from '../model/etcd-way.js';
import type { Probe } from '../model/remote.js';
import { externalEndpoints } from '../resources/cluster-configuration.js';

/** Where API servers should find etcd. */
export interface ExpectedWay {
  /** `undefined`: there is no load balancer, or they are to move to it on demand, and none has. */
  readonly url: string | undefined;
  /** Hosts that are to move on demand, where it was done. */
  readonly leftOver: readonly string[];
}

/**
 * Where API servers should find etcd. Those that move on demand may stay where they are as long as none uses the load balancer, and
 * kubeadm does not name it; from then on one that does not is missing there.
 */
export async function expectedWay(cluster: Cluster, probe: (host: string) => Probe): Promise<ExpectedWay> {
  const { controlPlanes } = cluster;
  const url = etcdWay(cluster)?.url;
  const onDemand = controlPlanes.filter(({ repoint }) => repoint === 'on-demand').map(({ host }) => host);
  if (url === undefined || onDemand.length === 0) return { url, leftOver: [] };
  const named = await Promise.all(controlPlanes.map(async (each) => namesWay(each, url, probe(each.host))));
  const hasMoved = named.includes(true) || onDemand.length < controlPlanes.length;
  return hasMoved ? { url, leftOver: named.includes(true) ? onDemand : [] } : { url: undefined, leftOver: [] };
}

/** What can't be asked, or read, says nothing. */
async function namesWay({ manifest: path }: ControlPlane, url: string, probe: Probe): Promise<boolean> {
  try {
    const [text, stored] = await Promise.all([askText(probe, path), probe.ask(kubeadmConfig, KUBEADM_CONFIG)]);
    const stores = stored.kind === 'found' && externalEndpoints(stored.configuration)?.join() === url;
    if (stores || text === undefined) return stores;
    return argumentOf(readStaticPodManifest(path, text, CONTAINER), 'etcd-servers') === url;
  } catch (error) {
    if (error instanceof ProvisionError) return false;
    throw error;
  }
}
