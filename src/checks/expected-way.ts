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
  /** Hosts whose API server uses the load balancer by its manifest. */
  readonly moved: readonly string[];
  /** What kubeadm names: the load balancer, once an API server has been moved to it; something else before; nothing that can be read. */
  readonly kubeadm: 'load-balancer' | 'another' | 'unknown';
}

/**
 * Where API servers should find etcd. Those that move on demand may stay where they are as long as none uses the load balancer, and
 * kubeadm does not name it; from then on one that does not is missing there.
 */
export async function expectedWay(cluster: Cluster, probe: (host: string) => Probe): Promise<ExpectedWay> {
  const { controlPlanes } = cluster;
  const url = etcdWay(cluster)?.url;
  const onDemand = controlPlanes.filter(({ repoint }) => repoint === 'on-demand').map(({ host }) => host);
  if (url === undefined) return { url, leftOver: [], used: [], moved: [], kubeadm: 'unknown' };
  const seen = await Promise.all(controlPlanes.map(async (each) => lookAt(each, probe(each.host))));
  const moved = controlPlanes.flatMap(({ host }, index) => (seen[index]?.servers.join() === url ? [host] : []));
  const how = { moved, kubeadm: namedByKubeadm(seen, url) };
  if (onDemand.length === 0) return { url, leftOver: [], used: [], ...how };
  const used = [...new Set(seen.flatMap(({ servers }) => servers))];
  const isUsed = moved.length > 0 || seen.some((each) => each.stored.join() === url);
  // Not while some are still to move.
  const haveMoved = onDemand.every((host) => moved.includes(host));
  if (isUsed) return { url, leftOver: haveMoved ? onDemand : [], used, ...how };
  return { url: onDemand.length < controlPlanes.length ? url : undefined, leftOver: [], used, ...how };
}

/** Of what most control planes read there: all serve one object, and one host's word decides nothing. */
function namedByKubeadm(seen: readonly Seen[], url: string): ExpectedWay['kubeadm'] {
  const named = seen.map(({ stored }) => stored.join()).filter((each) => each !== '');
  const most = (count: number): boolean => count * 2 > named.length;
  if (most(named.filter((each) => each === url).length)) return 'load-balancer';
  return most(named.filter((each) => each !== url).length) ? 'another' : 'unknown';
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
