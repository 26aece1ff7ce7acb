import { APISERVER, apiserverProcesses } from '../facts/apiserver-processes.js';
import { clusterPhase, lookAtMembers } from '../facts/etcd-phase.js';
import { etcdStatus, etcdStatusKey } from '../facts/etcd-status.js';
import { ALL_ADDRESSES, hostAddresses } from '../facts/host-addresses.js';
import { USUAL_KUBELET_CONF } from '../facts/kubelet-processes.js';
import { pathExists } from '../facts/path-exists.js';
import { unitState } from '../facts/unit-state.js';
import { unlessLost } from '../facts/unless-lost.js';
import type { Cluster } from '../model/cluster.js';
import { RemoteError } from '../model/errors.js';
import { aboutService, type Order, type OrderedHosts } from '../model/gate.js';
import type { Probe } from '../model/remote.js';
import { SERVICE_NAMES, serviceNamed, type Balancer, type VirtualService } from '../model/virtual-service.js';
import { isConnected } from './apiserver-ready.js';

/** Every order that a play can name. */
export function orderTable(cluster: Cluster): ReadonlyMap<string, Order> {
  return new Map<string, Order>([
    ['inventory', inventoryOrder],
    ['leader-last', leaderLast(cluster)],
    ['learner-first', learnerFirst(cluster)],
    ['apiserver-ready-last', apiserverReadyLast(cluster)],
    ['joined-last', joinedLast(cluster)],
    ...SERVICE_NAMES.map(
      (name) => [aboutService('vip-holder-last', name), vipHolderLast(serviceNamed(cluster, name))] as const,
    ),
  ]);
}

function inventoryOrder(hosts: readonly string[]): Promise<OrderedHosts> {
  return Promise.resolve({ hosts, together: false });
}

/**
 * Members that are down first, then followers, the leader last: it hands over once. Where no quorum runs, all
 * members are started at once, for each waits for the others. Who can't be asked counts as down.
 */
function leaderLast(cluster: Cluster): Order {
  return async (hosts, probe) => {
    const [first] = hosts;
    if (first === undefined) return { hosts, together: false };
    const [seen, answers] = await Promise.all([
      lookAtMembers(cluster, probe(first)),
      Promise.all(
        [...cluster.members, ...cluster.formerMembers].map(
          async (member) =>
            [member.host, await unlessLost(probe(member.host).ask(etcdStatus, etcdStatusKey(member)))] as const,
        ),
      ),
    ]);
    const phase = clusterPhase(seen);
    // Not known whether a quorum runs: one after the other is never wrong.
    if (phase !== 'serving' && phase !== 'unsure') return { hosts, together: true };
    const running = new Set(seen.states.filter((state) => state.isRunning).map((state) => state.host));
    const leaders = new Set(
      answers.flatMap(([host, status]) =>
        !(status instanceof RemoteError) && status.kind === 'answers' && status.memberId === status.leaderId
          ? [host]
          : [],
      ),
    );
    const rank = (host: string): number => (leaders.has(host) ? 2 : running.has(host) ? 1 : 0);
    return { hosts: hosts.toSorted((a, b) => rank(a) - rank(b)), together: false };
  };
}

/** Who is a learner already first: one membership change is finished before another begins. */
function learnerFirst(cluster: Cluster): Order {
  return async (hosts, probe) => {
    const [first] = hosts;
    if (first === undefined) return { hosts, together: false };
    const { yetToJoin } = await lookAtMembers(cluster, probe(first));
    const rank = (host: string): number => yetToJoin.findIndex((member) => member.host === host);
    return { hosts: hosts.toSorted((a, b) => rank(a) - rank(b)), together: false };
  };
}

/**
 * The host with the virtual IP last, so that the address moves once; but a balancer that joins comes after it where
 * another one can take over, and where none can, all that join but one: the holder sends its adverts only to the peers of
 * its configuration, and one that hears none takes the address, too. Where nothing serves yet, which all balancers of the
 * service must show, nobody can feel it: all are set up at once.
 */
function vipHolderLast(service: VirtualService | undefined): Order {
  return async (hosts, probe) => {
    if (service === undefined) return { hosts, together: false };
    const found = await Promise.all(
      hosts.map(async (host) => ({ host, ...seenPart(await unlessLost(part(service, host, probe(host)))) })),
    );
    const hasSpare = found.some(({ holds, canTakeOver }) => canTakeOver && !holds);
    // It takes over while the holder restarts, which then knows it. A second one would hold the address until then.
    const spare = hasSpare ? undefined : found.find(({ holds }) => !holds)?.host;
    const rank = new Map(
      found.map(({ host, holds, canTakeOver }) => [host, holds ? 1 : canTakeOver || host === spare ? 0 : 2]),
    );
    const isWhole = service.balancers.every(({ host }) => rank.has(host));
    return {
      hosts: hosts.toSorted((a, b) => (rank.get(a) ?? 0) - (rank.get(b) ?? 0)),
      together: isWhole && found.every(({ holds, serves }) => !holds && !serves),
    };
  };
}

/** What a host does for a service right now. */
interface Part {
  /** It has the virtual IP. */
  readonly holds: boolean;
  /** A proxy or keepalived runs. */
  readonly serves: boolean;
  /** keepalived runs. */
  readonly canTakeOver: boolean;
}

/** Who can't be asked may serve, and is not worked on. */
function seenPart(seen: Part | RemoteError): Part {
  return seen instanceof RemoteError ? { holds: false, serves: true, canTakeOver: false } : seen;
}

async function part({ endpoint, balancers }: VirtualService, host: string, probe: Probe): Promise<Part> {
  const balancer = balancers.find((each) => each.host === host);
  const { proxies, keepaliveds } = balancer === undefined ? { proxies: [], keepaliveds: [] } : unitsOf(balancer);
  const [addresses, canServe, canTakeOver] = await Promise.all([
    probe.ask(hostAddresses, ALL_ADDRESSES),
    isAnyActive(proxies, probe),
    isAnyActive(keepaliveds, probe),
  ]);
  return {
    holds: addresses.some(({ address }) => address === endpoint.ip),
    serves: canServe || canTakeOver,
    canTakeOver,
  };
}

async function isAnyActive(units: readonly string[], probe: Probe): Promise<boolean> {
  const states = await Promise.all(units.map(async (unit) => probe.ask(unitState, unit)));
  return states.some(({ active }) => active);
}

/** The units that may serve on a balancer, also as an earlier inventory would have them. */
function unitsOf({
  proxy,
  formerProxies,
  keepalived,
}: Balancer): Readonly<Record<'proxies' | 'keepaliveds', readonly string[]>> {
  return {
    proxies: [proxy.unit, ...formerProxies.map(({ unit }) => unit)],
    keepaliveds: [keepalived.unit, ...keepalived.former.map(({ unit }) => unit)],
  };
}

/**
 * API servers that cannot serve first: without a connection to an etcd nobody gets an answer. Where none of the cluster
 * serves, all are changed at once.
 */
function apiserverReadyLast({ controlPlanes }: Cluster): Order {
  return async (hosts, probe) => {
    const found = await Promise.all(
      hosts.map(async (host) => [host, await unlessLost(probe(host).ask(apiserverProcesses, APISERVER))] as const),
    );
    // One that can't be asked may serve, and is not worked on.
    const serving = new Set(
      found.flatMap(([host, seen]) => (seen instanceof RemoteError || seen.some(isConnected) ? [host] : [])),
    );
    const isWhole = controlPlanes.every(({ host }) => hosts.includes(host));
    const rank = (host: string): number => (serving.has(host) ? 1 : 0);
    return { hosts: hosts.toSorted((a, b) => rank(a) - rank(b)), together: isWhole && serving.size === 0 };
  };
}

/** Hosts that have joined no cluster first: nobody can feel what is done there. Where no node has, all are changed at once. */
function joinedLast({ nodes }: Cluster): Order {
  return async (hosts, probe) => {
    const found = await Promise.all(
      hosts.map(async (host) => [host, await unlessLost(probe(host).ask(pathExists, USUAL_KUBELET_CONF))] as const),
    );
    // One that can't be asked may be a node, and is not worked on.
    const joined = new Set(found.flatMap(([host, seen]) => (seen instanceof RemoteError || seen ? [host] : [])));
    const isWhole = nodes.every((host) => hosts.includes(host));
    const rank = (host: string): number => (joined.has(host) ? 1 : 0);
    return { hosts: hosts.toSorted((a, b) => rank(a) - rank(b)), together: isWhole && joined.size === 0 };
  };
}
