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

/** What VRRP hosts hear, as far as they were seen. Nothing is shown: it is asked for while an answer is checked, and once. */
export async function hearRouterIds(
  { login, looks, hosts }: Pick<Looked, 'login' | 'looks'> & { readonly hosts: readonly NamedHost[] },
  look: LookEdges | undefined,
): Promise<readonly SeenRouterId[]> {
  const seen = hosts.filter(({ name }) => looks?.get(name)?.kind === 'seen');
  if (look === undefined || seen.length === 0) return [];
  const { memory } = look;
  const key = JSON.stringify(['', [], seen]);
  const asked = { ...login, hosts: seen, trusted: new Map(), sudoPassword: memory.sudoPassword };
  const heard = memory.networks.get(key) ?? (await look.lookAtNetwork(asked, [], () => undefined));
  memory.networks.set(key, heard);
  return heard.usedIds;
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
