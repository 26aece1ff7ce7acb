import { ALL_ADDRESSES, hostAddresses } from '../facts/host-addresses.js';
import { sourceAddress } from '../facts/source-address.js';
import { unlessLost } from '../facts/unless-lost.js';
import type { Cluster } from '../model/cluster.js';
import { RemoteError } from '../model/errors.js';
import { hearingTimeS } from '../model/firewall-trial.js';
import { aboutService, type Gate, type GateAnswer } from '../model/gate.js';
import type { Probe } from '../model/remote.js';
import type { VirtualService } from '../model/virtual-service.js';
import { journalByHand } from '../shell/by-hand.js';

/** VRRP elects within four advert intervals; a check script that must rise first takes some seconds more. */
const DEADLINE_MS = 60_000;

/** Where adverts are rare, an election takes the most of it, and nearly as long again where the first to hold it gives it up. */
function deadlineMs({ balancers }: VirtualService): number {
  const rarest = Math.max(...balancers.map(({ keepalived }) => keepalived.advertIntervalS));
  return Math.max(DEADLINE_MS, 2 * hearingTimeS(rarest) * 1000);
}

/** Exactly one balancer holds the virtual IP, and does not talk to its peers from it. */
export function keepalivedOneHolder(service: VirtualService, cluster: Cluster): Gate {
  return {
    name: aboutService('keepalived-one-holder', service.name),
    deadlineMs: deadlineMs(service),
    async check({ probe }) {
      const { ip: vip } = service.endpoint;
      const looks = await Promise.all(
        service.balancers.map(async ({ host }) => unlessLost(lookForHolder(probe(host), host, { vip, cluster }))),
      );
      const seen = looks.flatMap((look) => (look instanceof RemoteError ? [] : [look]));
      const away = looks.flatMap((look) => (look instanceof RemoteError ? [look] : []));
      return withAway(judgeHolders(seen, service), away);
    },
  };
}

/** A balancer that can't be asked decides nothing, unless none of the others holds the address. */
function withAway(answer: GateAnswer, away: readonly RemoteError[]): GateAnswer {
  if (away.length === 0) return answer;
  const unseen = away.map(({ host }) => `${host} can't be asked`);
  if (answer.open) {
    const notes = [answer.note, ...unseen.map((each) => `${each}, and is left out`)];
    return { open: true, note: notes.filter(Boolean).join('; ') };
  }
  return { ...answer, reason: [answer.reason, ...unseen].join('; '), isAway: true };
}

/** What one balancer shows of the virtual IP. */
export interface HolderLook {
  readonly host: string;
  readonly isHolder: boolean;
  /** etcd members that this host would talk to from the virtual IP. */
  readonly spoofed: readonly string[];
}

/** Looks whether a host holds the virtual IP, and what it would use it for. */
export async function lookForHolder(
  probe: Probe,
  host: string,
  { vip, cluster }: { readonly vip: string; readonly cluster: Cluster },
): Promise<HolderLook> {
  const far = cluster.members.filter((member) => member.host !== host);
  const [addresses, sources] = await Promise.all([
    probe.ask(hostAddresses, ALL_ADDRESSES),
    Promise.all(far.map(async (member) => [member.host, await probe.ask(sourceAddress, member.address)] as const)),
  ]);
  return {
    host,
    isHolder: addresses.some(({ address }) => address === vip),
    spoofed: sources.filter(([, source]) => source === vip).map(([member]) => member),
  };
}

/** Open when exactly one of these holds it, and uses it rightly. */
export function judgeHolders(looks: readonly HolderLook[], { endpoint, balancers }: VirtualService): GateAnswer {
  const { ip: vip } = endpoint;
  const holders = looks.filter((look) => look.isHolder);
  const [holder] = holders;
  const suspect = balancers.find(({ host }) => host === holders.at(-1)?.host) ?? balancers[0];
  const next = suspect === undefined ? '' : journalByHand(suspect.host, suspect.keepalived.unit);
  if (holder === undefined) return { open: false, reason: `no balancer holds ${vip}`, next };
  if (holders.length > 1)
    return { open: false, reason: `${vip} is held by ${holders.map((look) => look.host).join(' and ')} at once`, next };
  // Peers check the certificate against the source address: the virtual IP there breaks peering (kubeadm#2614).
  if (holder.spoofed.length > 0)
    return { open: false, reason: `${holder.host} would talk to ${holder.spoofed.join(', ')} from ${vip}`, next };
  return { open: true, note: `${holder.host} holds ${vip}` };
}
