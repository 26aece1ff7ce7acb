import type { NamedHost } from './inventory-answers.js';
import { freeCandidates, networkOf, type HostLook, type Login, type SeenRouterId } from './host-look.js';
import type { Ask } from './interview.js';
import type { LookEdges } from './look-around.js';
import { pickVirtualIp, whatWasHeard } from './router-id.js';

/** A free address in the members' network, and what VRRP was seen there. */
export interface ProposedAddress {
  /** Empty where it is not known. */
  readonly network: string;
  /** Empty where none is known to be free. */
  readonly ip: string;
  readonly usedIds: readonly SeenRouterId[];
}

const NO_PROPOSAL: ProposedAddress = { network: '', ip: '', usedIds: [] };

/** What is known before. */
interface Looked {
  readonly login: Omit<Login, 'sudoPassword' | 'trusted'>;
  readonly looks: ReadonlyMap<string, HostLook> | undefined;
  readonly members: readonly NamedHost[];
}

/** A virtual IP in the members' network that nobody has, where they could be looked at. Asked for once for the same hosts. */
export async function proposeAddress(
  ask: Ask,
  { login, looks, members }: Looked,
  look: LookEdges | undefined,
): Promise<ProposedAddress> {
  const network = looks === undefined ? undefined : networkOf(members, looks);
  if (network === undefined || look === undefined) return NO_PROPOSAL;
  const hosts = members.filter(({ name }) => looks?.get(name)?.kind === 'seen');
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
  const ip = pickVirtualIp(seen);
  const { usedIds } = seen;
  if (ip === undefined) return { network, ip: '', usedIds };
  ask.note(`${ip} is proposed as virtual IP: it is in ${network}, the members' network, and nobody answers there`);
  return { network, ip, usedIds };
}
