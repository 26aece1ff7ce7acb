import { clusterPhase, lookAtMembers } from '../facts/etcd-phase.js';
import { etcdStatus, etcdStatusKey } from '../facts/etcd-status.js';
import { ALL_ADDRESSES, hostAddresses } from '../facts/host-addresses.js';
import type { Cluster } from '../model/cluster.js';
import { aboutService, type Order, type OrderedHosts } from '../model/gate.js';
import { SERVICE_NAMES, serviceNamed, type VirtualService } from '../model/virtual-service.js';

/** Every order that a play can name. */
export function orderTable(cluster: Cluster): ReadonlyMap<string, Order> {
  return new Map<string, Order>([
    ['inventory', inventoryOrder],
    ['leader-last', leaderLast(cluster)],
    ...SERVICE_NAMES.map(
      (name) => [aboutService('vip-holder-last', name), vipHolderLast(serviceNamed(cluster, name))] as const,
    ),
  ]);
}

function inventoryOrder(hosts: readonly string[]): Promise<OrderedHosts> {
  return Promise.resolve({ hosts, together: false });
}

/**
 * Members that are down first, then followers, the leader in the end: it hands over once. Where no quorum runs, all
 * members are started at once, for each waits for the others.
 */
function leaderLast(cluster: Cluster): Order {
  return async (hosts, probe) => {
    const [first] = hosts;
    if (first === undefined) return { hosts, together: false };
    const [states, answers] = await Promise.all([
      lookAtMembers(cluster, probe(first)),
      Promise.all(
        cluster.members.map(
          async (member) => [member.host, await probe(member.host).ask(etcdStatus, etcdStatusKey(member))] as const,
        ),
      ),
    ]);
    if (clusterPhase(states) !== 'serving') return { hosts, together: true };
    const running = new Set(states.filter((state) => state.isRunning).map((state) => state.host));
    const leaders = new Set(
      answers.flatMap(([host, status]) =>
        status.kind === 'answers' && status.memberId === status.leaderId ? [host] : [],
      ),
    );
    const rank = (host: string): number => (leaders.has(host) ? 2 : running.has(host) ? 1 : 0);
    return { hosts: hosts.toSorted((a, b) => rank(a) - rank(b)), together: false };
  };
}

/** The host with the virtual IP in the end, so that the address moves once. */
function vipHolderLast(service: VirtualService | undefined): Order {
  return async (hosts, probe) => {
    const vip = service?.endpoint.ip;
    if (vip === undefined) return { hosts, together: false };
    const found = await Promise.all(
      hosts.map(async (host) => [host, await probe(host).ask(hostAddresses, ALL_ADDRESSES)] as const),
    );
    const holders = new Set(
      found.flatMap(([host, addresses]) => (addresses.some(({ address }) => address === vip) ? [host] : [])),
    );
    const rank = (host: string): number => (holders.has(host) ? 1 : 0);
    return { hosts: hosts.toSorted((a, b) => rank(a) - rank(b)), together: false };
  };
}
