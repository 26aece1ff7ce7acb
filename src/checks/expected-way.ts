import { clientServersOf } from '../facts/apiserver-manifest.js';
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
  /** Hosts that are to move on demand, once all of them have moved. */
  readonly leftOver: readonly string[];
  /** Where some are to move on demand: the etcd servers that the manifests name now, as far as they can be read. */
  readonly used: readonly string[];
}

/**
 * Where API servers should find etcd. Those that move on demand may stay where they are as long as none uses the load balancer, and
 * kubeadm does not name it; from then on one that does not is missing there.
 */
export async function expectedWay(cluster: Cluster, probe: (host: string) => Probe): Promise<ExpectedWay> {
  const { controlPlanes } = cluster;
  const url = etcdWay(cluster)?.url;
  const onDemand = controlPlanes.filter(({ repoint }) => repoint === 'on-demand').map(({ host }) => host);
  if (url === undefined || onDemand.length === 0) return { url, leftOver: [], used: [] };
  const seen = await Promise.all(controlPlanes.map(async (each) => lookAt(each, probe(each.host))));
  const used = [...new Set(seen.flatMap(({ servers }) => servers))];
  const isUsed = seen.some(({ servers, stored }) => servers.join() === url || stored.join() === url);
  // Not while some are still to move.
  const haveMoved = controlPlanes.every(
    ({ repoint }, index) => repoint !== 'on-demand' || seen[index]?.servers.join() === url,
  );
  if (isUsed) return { url, leftOver: haveMoved ? onDemand : [], used };
  return { url: onDemand.length < controlPlanes.length ? url : undefined, leftOver: [], used };
}

interface Seen {
  /** Of the manifest. */
  readonly servers: readonly string[];
  /** Of kubeadm. */
  readonly stored: readonly string[];
}

/** What can't be asked, or read, says nothing. */
async function lookAt({ manifest: path }: ControlPlane, probe: Probe): Promise<Seen> {
  try {
    const [text, stored] = await Promise.all([askText(probe, path), probe.ask(kubeadmConfig, KUBEADM_CONFIG)]);
    return {
      servers: text === undefined ? [] : clientServersOf(path, text),
      stored: stored.kind === 'found' ? (externalEndpoints(stored.configuration) ?? []) : [],
    };
  } catch (error) {
    if (error instanceof ProvisionError) return { servers: [], stored: [] };
    throw error;
  }
}
