import type { CheckResult } from './check-result.js';
import type { Started } from './ask-start.js';
import type { HostLook } from './host-look.js';
import type { Ask } from './interview.js';
import type { NamedHost } from './inventory-answers.js';

/** Where clients of both are served: etcd's documentation, and kubernetes.io, "Ports and Protocols". */
const PORTS = { etcd: 2379, 'kube-apiserver': 6443 } as const;

/** What is known of the hosts before they get a role. */
export interface SeenHosts {
  readonly hosts: readonly NamedHost[];
  readonly looks: ReadonlyMap<string, HostLook> | undefined;
  readonly started: Started;
}

/** The hosts where something listens on the port of a program; none where they were not looked at. */
export function listening(
  program: keyof typeof PORTS,
  { hosts, looks }: Omit<SeenHosts, 'started'>,
): readonly NamedHost[] {
  return hosts.filter(({ name }) => {
    const look = looks?.get(name);
    return look?.kind === 'seen' && look.host.listeners.some((each) => each.port === PORTS[program]);
  });
}

/** The first list with a host in it; where none has one, an empty list. */
export function firstOf(...candidates: readonly (readonly NamedHost[])[]): readonly NamedHost[] {
  return candidates.find((each) => each.length > 0) ?? [];
}

/** Asks which hosts run etcd. */
export async function askMembers(ask: Ask, seen: SeenHosts): Promise<readonly NamedHost[]> {
  const { hosts, started, looks } = seen;
  const known = hosts.filter(({ name }) => started.known?.members.includes(name));
  const stacked = hosts.filter(({ name }) => isStacked(looks?.get(name)));
  const free = (some: readonly NamedHost[]): readonly NamedHost[] => some.filter((host) => !stacked.includes(host));
  return pickMembers(ask, hosts, {
    message: 'Hosts that run etcd',
    default: firstOf(...[known, listening('etcd', seen), hosts.filter(isNamedEtcd), hosts].map(free)),
    check(picked) {
      const [taken] = picked.filter((host) => stacked.includes(host));
      if (taken !== undefined) return `${taken.name} runs a stacked etcd, whose ports another one can't have`;
      return picked.length > 0 || 'at least one member is needed';
    },
  });
}

/** Asks which hosts a stacked etcd moves to. @param rest those that are no control planes */
export function askNewMembers(
  ask: Ask,
  { started }: SeenHosts,
  rest: readonly NamedHost[],
): Promise<readonly NamedHost[]> {
  const balancers = started.known?.balancers ?? [];
  return pickMembers(ask, rest, {
    message: 'Hosts that etcd moves to',
    default: firstOf(
      rest.filter(isNamedEtcd),
      rest.filter(({ name }) => !balancers.includes(name)),
    ),
    check: (picked) => picked.length > 0 || 'at least one new member is needed',
  });
}

async function pickMembers(
  ask: Ask,
  hosts: readonly NamedHost[],
  what: Omit<PickedHosts, 'key'>,
): Promise<readonly NamedHost[]> {
  const members = await pickHosts(ask, hosts, { key: 'etcd', ...what });
  if (members.length % 2 === 0) ask.note(evenMembers(members.length));
  return members;
}

function isNamedEtcd({ name }: NamedHost): boolean {
  return /etcd/i.test(name);
}

function isStacked(look: HostLook | undefined): boolean {
  return look?.kind === 'seen' && look.host.stacked !== undefined;
}

/** Asks which hosts are control planes. @param about what is asked instead, where their etcd moves */
export function askControlPlanes(
  ask: Ask,
  seen: SeenHosts,
  about?: Omit<PickedHosts, 'key'>,
): Promise<readonly NamedHost[]> {
  const { hosts, started, looks } = seen;
  const known = hosts.filter(({ name }) => started.known?.controlPlanes.includes(name));
  const likely = [
    known,
    listening('kube-apiserver', seen),
    hosts.filter(({ name }) => /^(?:cp|master|control)|control-?plane/i.test(name)),
  ];
  // Whose stacked etcd stays, uses that.
  const isOwn = ({ name }: NamedHost): boolean => isStacked(looks?.get(name));
  const others = likely.map((some) => some.filter((host) => !isOwn(host)));
  return pickHosts(ask, hosts, {
    key: 'controlPlanes',
    message: about?.message ?? 'Control planes whose kube-apiserver uses it',
    default: about === undefined ? firstOf(...others) : firstOf(about.default, ...likely),
    check: about?.check ?? checkUsers,
  });

  function checkUsers(picked: readonly NamedHost[]): CheckResult {
    const own = picked.find(isOwn);
    if (own !== undefined) return `the API server of ${own.name} uses the stacked etcd beside it, which stays`;
    return picked.length > 0 || started.start !== 'kubernetes' || 'a running Kubernetes has at least one control plane';
  }
}

/** What hosts are chosen for. */
interface PickedHosts {
  readonly key: 'etcd' | 'controlPlanes' | 'balancers';
  readonly message: string;
  readonly default: readonly NamedHost[];
  readonly check: (picked: readonly NamedHost[]) => CheckResult;
}

/** Lets hosts be chosen. @returns those, in the order of the list */
export async function pickHosts(
  ask: Ask,
  hosts: readonly NamedHost[],
  what: PickedHosts,
): Promise<readonly NamedHost[]> {
  // In the order of the list of hosts, whatever the order of the answer.
  const named = (names: readonly string[]): readonly NamedHost[] => hosts.filter(({ name }) => names.includes(name));
  const picked = await ask.pick({
    key: what.key,
    message: what.message,
    choices: hosts.map(({ name, address }) => ({ value: name, name: `${name} (${address})` })),
    default: what.default.map(({ name }) => name),
    check: (names) => what.check(named(names)),
  });
  return named(picked);
}

function evenMembers(count: number): string {
  return `${count} members tolerate the loss of ${count / 2 - 1}, no more than ${count - 1} would: an odd number is better.`;
}
