import { ALL_ADDRESSES, hostAddresses } from '../facts/host-addresses.js';
import { openPorts, portKey } from '../facts/open-ports.js';
import { unitState } from '../facts/unit-state.js';
import { unlessLost } from '../facts/unless-lost.js';
import { vrrpHeard } from '../facts/vrrp-heard.js';
import type { Cluster } from '../model/cluster.js';
import { FIREWALL_TABLE, neededWays } from '../model/firewall.js';
import type { Gate, GateInput } from '../model/gate.js';
import type { VirtualService } from '../model/virtual-service.js';
import { keepalivedOneHolder } from './keepalived-one-holder.js';

/** Some adverts of VRRP and a connection that is tried again; well before the host's own timer takes the rules back. */
const DEADLINE_MS = 15_000;

/**
 * What the host's new firewall must let in comes in: connections from each host of the cluster that needs it open, and it
 * hears the balancers that it shares a virtual IP with. Who can't be asked is left out.
 */
export function firewallLetsIn(cluster: Cluster): Gate {
  return {
    name: 'firewall-lets-in',
    deadlineMs: DEADLINE_MS,
    async check(input) {
      const { batch } = input;
      const asked = batch.flatMap((host) => [closedTo(cluster, host, input), deafTo(cluster, host, input)]);
      const problems = (await Promise.all(asked)).flat();
      if (problems.length === 0) return { open: true };
      const next = `ssh ${batch[0] ?? ''} sudo nft list table ${FIREWALL_TABLE}`;
      return { open: false, reason: problems.join('; '), next };
    },
  };
}

async function closedTo(cluster: Cluster, host: string, { probe }: GateInput): Promise<readonly string[]> {
  const ways = neededWays(cluster, host);
  if (ways.length === 0) return [];
  const own = (await probe(host).ask(hostAddresses, ALL_ADDRESSES)).map(({ address }) => address);
  const isMember = (to: string): boolean =>
    cluster.members.some((member) => member.host === host && member.address === to);
  const asked = ways
    // Another one may hold the virtual IP.
    .filter(({ to }) => isMember(to) || own.includes(to))
    .flatMap(({ from, to, ports }) =>
      ports.map(async (port) => {
        const isOpen = await unlessLost(probe(from).ask(openPorts, portKey(to, port)));
        const place = isMember(to) ? host : `${to} on ${host}`;
        return isOpen === false ? [`${from} can't connect to ${place} on port ${port}`] : [];
      }),
    );
  return (await Promise.all(asked)).flat();
}

/** A host that hears nobody would take the address too, some seconds later; one without keepalived takes none, as before a service is set up. */
async function deafTo(cluster: Cluster, host: string, input: GateInput): Promise<readonly string[]> {
  const shared = cluster.services.flatMap((service) => {
    const own = service.balancers.find((each) => each.host === host);
    return own === undefined || service.balancers.length === 1 ? [] : [{ service, unit: own.keepalived.unit }];
  });
  const problems = shared.map(async ({ service, unit }) => {
    if (!(await input.probe(host).ask(unitState, unit)).active) return [];
    const oneHolder = await keepalivedOneHolder(service, cluster).check(input);
    if (!oneHolder.open) return [oneHolder.reason];
    const hears = (await holds(service, host, input)) || (await input.probe(host).ask(vrrpHeard, 'ours')) > 0;
    return hears ? [] : [`${host} hears no other load balancer of ${service.name}`];
  });
  return (await Promise.all(problems)).flat();
}

async function holds({ endpoint }: VirtualService, host: string, { probe }: GateInput): Promise<boolean> {
  return (await probe(host).ask(hostAddresses, ALL_ADDRESSES)).some(({ address }) => address === endpoint.ip);
}
