import { nameAddresses } from '../../facts/name-addresses.js';
import type { Cluster, ControlPlane } from '../../model/cluster.js';
import { ProvisionError } from '../../model/errors.js';
import type { Probe } from '../../model/remote.js';
import { serviceNamed } from '../../model/virtual-service.js';

/**
 * Refuses to repoint an apiserver that uses another etcd than this inventory's: it would find an empty cluster, or a
 * stranger's, where its data was.
 * @param servers the value of its `--etcd-servers`
 * @throws ProvisionError `foreign-etcd`
 */
export async function refuseForeignServers(
  servers: string,
  {
    cluster,
    controlPlane,
    probe,
  }: { readonly cluster: Cluster; readonly controlPlane: ControlPlane; readonly probe: Probe },
): Promise<void> {
  const hosts = servers.split(',').map(hostOf);
  const known = knownHosts(cluster, controlPlane);
  const strange = hosts.filter((host) => !known.has(host));
  const resolved = await Promise.all(
    strange.map(async (host) => ({ host, addresses: await probe.ask(nameAddresses, host) })),
  );
  const foreign = resolved.filter(
    ({ addresses }) => addresses.length === 0 || addresses.some((each) => !known.has(each)),
  );
  if (foreign.length === 0) return;
  throw new ProvisionError({
    code: 'foreign-etcd',
    message:
      `kube-apiserver on ${controlPlane.host} uses ${servers}, and ${foreign.map(({ host }) => host).join(', ')} is no member ` +
      "of this inventory's cluster: repointed, it would lose sight of all its data",
    hint: 'move its data to this cluster first (etcdctl snapshot save, restore), or correct the group etcd',
  });
}

function hostOf(url: string): string {
  const text = url.trim();
  return URL.canParse(text) ? new URL(text).hostname.replace(/^\[|\]$/g, '') : text;
}

function knownHosts(cluster: Cluster, controlPlane: ControlPlane): ReadonlySet<string> {
  const { members } = cluster;
  const endpoint = serviceNamed(cluster, 'etcd')?.endpoint;
  const isMember = members.some((member) => member.host === controlPlane.host);
  return new Set([
    ...members.flatMap((member) => [member.address, member.host, member.name]),
    ...(endpoint === undefined ? [] : [endpoint.ip]),
    ...(endpoint?.name === undefined ? [] : [endpoint.name]),
    ...(isMember ? ['localhost', '127.0.0.1', '::1'] : []),
  ]);
}
