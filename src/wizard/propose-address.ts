import type { NamedHost } from './inventory-answers.js';
import { freeCandidates, networkOf, type HostLook, type Login, type SeenRouterId } from './host-look.js';
import type { Ask } from './interview.js';
import type { LookEdges } from './look-around.js';
import { idsNear, pickVirtualIp, whatWasHeard } from './router-id.js';

/** A free address in the balancers' network, and what VRRP was seen there. */
export interface ProposedAddress {
  /** Empty where it is not known. */
  readonly network: string;
  /** Empty where none is known to be free. */
  readonly ip: string;
  /** Those that the balancers' networks have. */
  readonly usedIds: readonly SeenRouterId[];
  /** What was heard anywhere. */
  readonly heard: readonly SeenRouterId[];
}

const NO_PROPOSAL: ProposedAddress = { network: '', ip: '', usedIds: [], heard: [] };

/** What is known before. */
interface Looked {
  readonly login: Omit<Login, 'sudoPassword' | 'trusted'>;
  readonly looks: ReadonlyMap<string, HostLook> | undefined;
  readonly balancers: readonly NamedHost[];
  /** Other hosts that may hear who uses a router id: members, and control planes, which may have a virtual IP of their own. */
  readonly others: readonly NamedHost[];
}

/** A virtual IP in the balancers' network that nobody has, where they could be looked at. Asked for once for the same hosts. */
export async function proposeAddress(
  ask: Ask,
  { login, looks, balancers, others }: Looked,
  look: LookEdges | undefined,
): Promise<ProposedAddress> {
  const network = looks === undefined ? undefined : networkOf(balancers, looks);
  if (looks === undefined || network === undefined || look === undefined) return NO_PROPOSAL;
  // A balancer first: that one is asked who has an address.
  const hosts = [...new Set([...balancers, ...others])].filter(({ name }) => looks.get(name)?.kind === 'seen');
  const taken = login.hosts.map(({ address }) => address);
  const { memory } = look;
  const key = JSON.stringify([network, taken, hosts]);
  const seen =
    memory.networks.get(key) ??
    (await ask.watch(
      'Looking for a free virtual IP and router id',
      hosts.map(({ name }) => name),
      (tell) =>
        look.lookAtNetwork(
          { ...login, hosts, trusted: new Map(), sudoPassword: memory.sudoPassword },
          freeCandidates(network, taken),
          tell,
        ),
    ));
  memory.networks.set(key, seen);
  for (const line of whatWasHeard(seen)) ask.note(line);
  const heard = seen.usedIds;
  const usedIds = idsNear(balancers, { hosts: login.hosts, looks }, heard);
  const ip = pickVirtualIp({ free: seen.free, usedIds });
  if (ip === undefined) return { network, ip: '', usedIds, heard };
  ask.note(`${ip} is proposed as virtual IP: it is in ${network}, the balancers' network, and nobody answers there`);
  return { network, ip, usedIds, heard };
}
