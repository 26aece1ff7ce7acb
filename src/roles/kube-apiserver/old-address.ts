import { askText } from '../../facts/file-content.js';
import { clientServersOf } from '../../facts/apiserver-manifest.js';
import { ALL_ADDRESSES, hostAddresses, type HostAddress } from '../../facts/host-addresses.js';
import { unlessLost } from '../../facts/unless-lost.js';
import { UNCHANGED, type Resource } from '../../model/change.js';
import type { ControlPlane } from '../../model/cluster.js';
import { hostPrefix, httpsUrl } from '../../model/endpoint.js';
import { RemoteError } from '../../model/errors.js';
import type { Probe } from '../../model/remote.js';
import type { VirtualService } from '../../model/virtual-service.js';
import { hostOf } from './known-servers.js';

/**
 * A resource that is needed only while a kube-apiserver uses a virtual IP, or a port of it, that the balancers are about to
 * give up: they hold it, and the inventory names another one.
 * @param moved what moves the kube-apiserver away from it
 */
export function beforeAddressGoes(
  service: VirtualService,
  { manifest: path }: ControlPlane,
  moved: Resource,
): Resource {
  const { endpoint } = service;
  return {
    ...moved,
    async plan(probe) {
      const text = await askText(probe, path);
      const servers = text === undefined ? [] : clientServersOf(path, text);
      const others = servers.filter((url) => url !== httpsUrl(endpoint.ip, endpoint.port));
      // Bare hosts and converged ones need no more questions.
      if (others.length === 0) return UNCHANGED;
      const held = await heldAddresses(service, probe);
      return others.some((url) => held.has(hostOf(url) ?? '')) ? moved.plan(probe) : UNCHANGED;
    },
  };
}

/** Addresses that keepalived put on a balancer. One that can't be asked is about to give nothing up in this run. */
async function heldAddresses({ balancers }: VirtualService, probe: Probe): Promise<ReadonlySet<string>> {
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
