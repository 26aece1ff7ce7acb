import { certificateFiles, certificateFilesKey } from '../../facts/certificate-files.js';
import { askText } from '../../facts/file-content.js';
import { clientServersOf } from '../../facts/apiserver-manifest.js';
import { ALL_ADDRESSES, hostAddresses, type HostAddress } from '../../facts/host-addresses.js';
import { unlessLost } from '../../facts/unless-lost.js';
import { UNCHANGED, type Resource } from '../../model/change.js';
import type { CertificateProfile } from '../../model/certificate.js';
import type { Cluster, ControlPlane } from '../../model/cluster.js';
import { hostPrefix } from '../../model/endpoint.js';
import { RemoteError } from '../../model/errors.js';
import { etcdWay } from '../../model/etcd-way.js';
import type { Probe } from '../../model/remote.js';
import { serviceNamed, type Balancer, type VirtualService } from '../../model/virtual-service.js';
import { memberCertificates } from '../../pki/certificate-list.js';
import { namesOf, readCertificates } from '../../pki/inspect.js';
import { hostOf } from '../../model/known-servers.js';

/**
 * A resource that is needed only while a kube-apiserver uses an address that is about to go: a virtual IP, or a port of it, that
 * balancers, or former ones, hold, and the inventory names another one; or a name, such as that of a balancer which others
 * ran, that the members' certificates are about to lose.
 * @param moved what moves the kube-apiserver away from it
 */
export function beforeAddressGoes(cluster: Cluster, controlPlane: ControlPlane, moved: Resource): Resource {
  const current = etcdWay(cluster)?.url;
  const { balancers, formerBalancers } = serviceNamed(cluster, 'etcd') ?? {
    balancers: [],
    formerBalancers: cluster.external?.former.formerBalancers ?? [],
  };
  return onlyWhile({ moved, controlPlane }, async (probe) => {
    const others = (await usedServers(controlPlane, probe)).filter((url) => url !== current);
    if (await usesAny(others, [...balancers, ...formerBalancers], probe)) return true;
    return usesLostName(others, cluster, probe);
  });
}

/** Whether one of the URLs has a name that a member shows, and will not with its next certificate; adopted ones keep theirs. */
async function usesLostName(urls: readonly string[], cluster: Cluster, probe: Probe): Promise<boolean> {
  if (!cluster.isManaged) return false;
  const kept = new Set(cluster.members.flatMap((member) => namesIn(memberCertificates(cluster, member)[0]?.profile)));
  const others = urls.flatMap((url) => hostOf(url) ?? []).filter((name) => !kept.has(name));
  if (others.length === 0) return false;
  const shown = await Promise.all(
    cluster.members.map(async ({ host, server }) => {
      const asked = probe.on(host).ask(certificateFiles, certificateFilesKey(server.certificate, server.key));
      const files = await unlessLost(asked);
      const leaf = files instanceof RemoteError ? undefined : readCertificates(files.pem)[0];
      return leaf === undefined ? [] : namesIn(namesOf(leaf));
    }),
  );
  return shown.flat().some((name) => others.includes(name));
}

function namesIn(names: Pick<CertificateProfile, 'dnsNames' | 'ipAddresses'> | undefined): readonly string[] {
  return names === undefined ? [] : [...names.dnsNames, ...names.ipAddresses].map((name) => name.toLowerCase());
}

/**
 * A resource that is needed only while a kube-apiserver uses the virtual IP, and a former balancer holds it: that is freed of
 * it before a new one takes it.
 * @param moved what moves the kube-apiserver away from it
 */
export function beforeBalancersGo(
  service: Pick<VirtualService, 'formerBalancers'>,
  controlPlane: ControlPlane,
  moved: Resource,
): Resource {
  return onlyWhile({ moved, controlPlane }, async (probe) =>
    usesAny(await usedServers(controlPlane, probe), service.formerBalancers, probe),
  );
}

/**
 * The resource that moves a kube-apiserver to the virtual IP. One that uses it already, at a former balancer, leaves it and
 * comes back in the same run.
 * @param moved what moves the kube-apiserver to it
 */
export function afterBalancersWent(service: VirtualService, controlPlane: ControlPlane, moved: Resource): Resource {
  return {
    ...moved,
    async plan(probe) {
      const outcome = await moved.plan(probe);
      if (outcome.kind !== 'unchanged' || service.formerBalancers.length === 0) return outcome;
      const servers = await usedServers(controlPlane, probe);
      if (!(await usesAny(servers, service.formerBalancers, probe))) return outcome;
      const because = `it uses the members while former load balancers give ${service.endpoint.ip} up, and comes back to it after that`;
      return { kind: 'unknown', because };
    },
  };
}

/** Nothing of the same run moves it on, as it does others. */
const STAYS =
  'kube_apiserver_repoint is false: the API server leaves the old address for the members, and stays with them until the playbook `repoint` moves it to the load balancer';

function onlyWhile(
  { moved, controlPlane: { repoint } }: { readonly moved: Resource; readonly controlPlane: ControlPlane },
  isNeeded: (probe: Probe) => Promise<boolean>,
): Resource {
  return {
    ...moved,
    plan: async (probe) => ((await isNeeded(probe)) ? moved.plan(probe) : UNCHANGED),
    async doubt(probe) {
      const found = await moved.doubt?.(probe);
      if (repoint !== 'on-demand' || !(await isNeeded(probe))) return found;
      return found === undefined ? STAYS : `${found}; ${STAYS}`;
    },
  };
}

/** The etcd servers that a kube-apiserver uses; none without a manifest. */
async function usedServers({ manifest: path }: ControlPlane, probe: Probe): Promise<readonly string[]> {
  const text = await askText(probe, path);
  return text === undefined ? [] : clientServersOf(path, text);
}

/** Whether one of the URLs is at an address that keepalived put on one of these. Bare and converged hosts need no questions. */
async function usesAny(urls: readonly string[], balancers: readonly Balancer[], probe: Probe): Promise<boolean> {
  if (urls.length === 0) return false;
  const held = await heldAddresses(balancers, probe);
  return urls.some((url) => held.has(hostOf(url) ?? ''));
}

/** Addresses that keepalived put on a balancer. One that can't be asked is about to give nothing up in this run. */
async function heldAddresses(balancers: readonly Balancer[], probe: Probe): Promise<ReadonlySet<string>> {
  const found = await Promise.all(
    balancers.map(async ({ host, address: own }) => {
      const addresses = await unlessLost(probe.on(host).ask(hostAddresses, ALL_ADDRESSES));
      return addresses instanceof RemoteError ? [] : addresses.filter((each) => standsAlone(each, own));
    }),
  );
  return new Set(found.flat().map(({ address }) => address));
}

/** As keepalived puts addresses on an interface; the host's own one is none. */
function standsAlone({ address, prefixLength, interface: name }: HostAddress, own: string): boolean {
  return address !== own && prefixLength === hostPrefix(address) && name !== 'lo';
}
