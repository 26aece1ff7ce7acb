import type { Cluster, Firewall } from '../model/cluster.js';
import type { Host } from '../model/inventory.js';
import { knownAddresses, nodeAddress } from './node-address.js';
import type { SharedValues } from './shared-values.js';
import type { VariableReader } from './variable-reader.js';

/** What the inventory says of the firewall. @param hosts all that have a part in the cluster */
export function describeFirewall(
  hosts: readonly Host[],
  shared: SharedValues,
  reader: VariableReader,
): Firewall | undefined {
  const allow = shared.valueOr('etcd_firewall_allow');
  if (!shared.valueOr('etcd_firewall')) return undefined;
  const addresses = hosts.map((host) => [host.name, addressesOf(host, reader)] as const);
  return { allow, addresses: new Map(addresses) };
}

/** By whichever of them it talks to the others: a variable that names another one than that of the node is no mistake. */
function addressesOf(host: Host, reader: VariableReader): readonly string[] {
  // What can't be read is reported where the node's own address is.
  const found =
    reader.attempt(undefined, host.name, () => [nodeAddress(host) ?? [], knownAddresses(host)].flat()) ?? [];
  return [...new Set(found.map(({ address }) => address))];
}

/** What a firewall would cut off, and the inventory can't name; and a cluster that is not configured here. */
export function checkFirewall(
  { firewall, isManaged, external }: Cluster,
  { shared, reader }: { readonly shared: SharedValues; readonly reader: VariableReader },
): void {
  if (firewall === undefined) return;
  const at = shared.at('etcd_firewall');
  if (!isManaged)
    reader.report(
      'error',
      at,
      'etcd_firewall',
      'true, and etcd_managed is false: who the clients of an adopted etcd are is not known here; leave it out',
    );
  if (external !== undefined && firewall.allow.length === 0)
    reader.report(
      'error',
      at,
      'etcd_firewall',
      'true, and etcd_lb_provider is external: the inventory does not say from where that load balancer connects; name its networks in etcd_firewall_allow',
    );
}
