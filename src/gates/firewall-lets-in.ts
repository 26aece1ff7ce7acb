import { answersSoon } from '../facts/answers-soon.js';
import { ALL_ADDRESSES, hostAddresses } from '../facts/host-addresses.js';
import { letIn } from '../facts/let-in.js';
import { listeners } from '../facts/listeners.js';
import { openPorts, portKey } from '../facts/open-ports.js';
import { sourceAddress } from '../facts/source-address.js';
import { unitState } from '../facts/unit-state.js';
import { unlessLost } from '../facts/unless-lost.js';
import { vrrpInstance } from '../facts/vrrp-instance.js';
import type { Cluster } from '../model/cluster.js';
import { RemoteError } from '../model/errors.js';
import { advertSources, FIREWALL_TABLE, isLetIn, neededWays } from '../model/firewall.js';
import { hearingTimeS, PROOF_S } from '../model/firewall-trial.js';
import type { Gate, GateInput } from '../model/gate.js';
import type { Probe } from '../model/remote.js';
import type { Balancer, VirtualService } from '../model/virtual-service.js';
import { keepalivedOneHolder } from './keepalived-one-holder.js';

/** A host that hangs is left out well before new rules are taken back; a port that does not answer takes three seconds of it. */
const ANSWER_MS = 10_000;

/**
 * What the host's new firewall must let in comes in: connections from each host of the cluster that needs it open, and it
 * hears the balancer that holds a virtual IP which it shares. Who can't be asked is left out.
 */
export function firewallLetsIn(cluster: Cluster): Gate {
  return {
    name: 'firewall-lets-in',
    deadlineMs: PROOF_S * 1000,
    async check(asked) {
      const { batch } = asked;
      const others = answersSoon(asked.probe, ANSWER_MS);
      const input = {
        ...asked,
        probe: (host: string): Probe => (batch.includes(host) ? asked.probe(host) : others(host)),
      };
      const [closed, deaf] = await Promise.all([
        Promise.all(batch.map(async (host) => closedTo(cluster, host, input))),
        Promise.all(batch.map(async (host) => deafTo(cluster, host, input))),
      ]);
      const problems = [...closed.flat(), ...deaf.flat().map(({ reason }) => reason)];
      if (problems.length === 0) return { open: true };
      const next = `ssh ${batch[0] ?? ''} sudo nft list table ${FIREWALL_TABLE}`;
      const patienceS = closed.flat().length > 0 ? 0 : Math.max(...deaf.flat().map((each) => each.patienceS));
      return {
        open: false,
        reason: problems.join('; '),
        next,
        ...(patienceS > 0 ? { patienceMs: patienceS * 1000 } : {}),
      };
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
        if (isOpen !== false || (await isLetInUnheard({ from, to, port, host }, probe))) return [];
        const place = isMember(to) ? host : `${to} on ${host}`;
        return [`${from} can't connect to ${place} on port ${port}`];
      }),
    );
  return (await Promise.all(asked)).flat();
}

interface Way {
  readonly from: string;
  readonly to: string;
  readonly port: number;
  /** Whose firewall it is. */
  readonly host: string;
}

/** Where nobody listens (its etcd is down), no connection opens; the kernel has noted that it was let in. */
async function isLetInUnheard({ from, to, port, host }: Way, probe: GateInput['probe']): Promise<boolean> {
  const [listening, came, source] = await Promise.all([
    probe(host).ask(listeners, String(port)),
    probe(host).ask(letIn, `knock ${port}`),
    unlessLost(probe(from).ask(sourceAddress, to)),
  ]);
  const isHeard = listening.some(({ address }) => ['0.0.0.0', '*', '::', to].includes(address));
  return !isHeard && typeof source === 'string' && came.some((address) => isLetIn(address, [source]));
}

/** Why a balancer would take an address that another one holds, and how much longer than usual that may be so. */
interface Deaf {
  readonly reason: string;
  readonly patienceS: number;
}

/** A host that hears nobody would take the address too, some seconds later; one without keepalived takes none, as before a service is set up. */
async function deafTo(cluster: Cluster, host: string, input: GateInput): Promise<readonly Deaf[]> {
  const shared = cluster.services.flatMap((service) => {
    const own = service.balancers.find((each) => each.host === host);
    return own === undefined || service.balancers.length === 1 ? [] : [{ service, own }];
  });
  const problems = shared.map(async ({ service, own }): Promise<readonly Deaf[]> => {
    if (!(await input.probe(host).ask(unitState, own.keepalived.unit)).active) return [];
    const oneHolder = await keepalivedOneHolder(service, cluster).check(input);
    if (!oneHolder.open) return [{ reason: oneHolder.reason, patienceS: 0 }];
    const holder = await holderOf(service, input);
    return holder === undefined || holder.host === host ? [] : hears({ cluster, service, own, holder }, input);
  });
  return (await Promise.all(problems)).flat();
}

async function holderOf({ endpoint, balancers }: VirtualService, { probe }: GateInput): Promise<Balancer | undefined> {
  const looks = await Promise.all(
    balancers.map(async ({ host }) => unlessLost(probe(host).ask(hostAddresses, ALL_ADDRESSES))),
  );
  return balancers.find((_, index) => {
    const look = looks[index];
    return !(look instanceof RemoteError) && look?.some(({ address }) => address === endpoint.ip) === true;
  });
}

interface Pair {
  readonly cluster: Cluster;
  readonly service: VirtualService;
  readonly own: Balancer;
  readonly holder: Balancer;
}

/** By the adverts of this very virtual router id from this very host: another service's say nothing of it. */
async function hears({ cluster, service, own, holder }: Pair, { probe }: GateInput): Promise<readonly Deaf[]> {
  const { keepalived, host } = own;
  // The file of the host says what it runs with: what the inventory wants may come later in the run.
  const found = await probe(host).ask(vrrpInstance, keepalived.configFile);
  const { routerId, advertIntervalS } = found ?? { ...keepalived, routerId: keepalived.virtualRouterId };
  const sources = advertSources(cluster, service, holder);
  const came = await probe(host).ask(letIn, `advert ${routerId}`);
  if (came.some((address) => isLetIn(address, sources))) return [];
  const what = `the virtual IP of ${service.name} (virtual router id ${routerId})`;
  return [
    {
      reason: `${host} hears no advert of ${holder.host}, which holds ${what}`,
      patienceS: hearingTimeS(advertIntervalS) - PROOF_S,
    },
  ];
}
