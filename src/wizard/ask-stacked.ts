import { shortList } from '../model/short-list.js';
import type { StackedWay } from './answers.js';
import { askControlPlanes, askMembers, askNewMembers, type SeenHosts } from './ask-roles.js';
import type { CheckResult } from './check-result.js';
import type { Ask } from './interview.js';
import type { InventoryAnswers, NamedHost } from './inventory-answers.js';

/** What hosts are for. */
type Roles = Pick<InventoryAnswers, 'members' | 'controlPlanes' | 'leaving'>;

const WAYS: readonly { readonly value: StackedWay; readonly name: string }[] = [
  { value: 'move', name: 'it moves to hosts of its own, without an outage' },
  { value: 'stay', name: 'it stays as it is: this inventory is for another etcd' },
];

/** Asks which hosts run etcd, and which are control planes; of a stacked etcd, where it moves to. */
export async function askRoles(ask: Ask, seen: SeenHosts): Promise<Roles> {
  if ((await askWay(ask, seen)) === 'move') return askMove(ask, seen);
  const members = await askMembers(ask, seen);
  return { members, controlPlanes: await askControlPlanes(ask, seen), leaving: [] };
}

/** Whether a stacked etcd moves: said by the start, else asked where one was seen. */
async function askWay(ask: Ask, seen: SeenHosts): Promise<StackedWay> {
  if (seen.started.start === 'stacked') return 'move';
  const found = hostsThat(seen, 'run');
  if (found.length === 0) return 'stay';
  const message = `A stacked etcd of kubeadm runs on ${named(found)}. What is to become of it?`;
  return ask.choose({ key: 'stacked', message, choices: WAYS, default: 'move' });
}

/** Those that leave are on the control planes, and those that join on none of them. */
async function askMove(ask: Ask, seen: SeenHosts): Promise<Roles> {
  const [running, without] = [hostsThat(seen, 'run'), hostsThat(seen, 'do not run')];
  const controlPlanes = await askControlPlanes(ask, seen, {
    message: 'Control planes with the stacked etcd, all of them',
    default: running,
    check: (picked) => checkStacked(picked, { hosts: seen.hosts, running, without }),
  });
  const leaving = controlPlanes.filter((host) => !without.includes(host));
  const idle = controlPlanes.filter((host) => without.includes(host));
  if (idle.length > 0) ask.note(`! no stacked etcd was seen on ${named(idle)}: no member leaves from there`);
  const rest = seen.hosts.filter((host) => !controlPlanes.includes(host));
  return { members: await askNewMembers(ask, seen, rest), controlPlanes, leaving };
}

/** What `adopt` would refuse. */
function checkStacked(
  picked: readonly NamedHost[],
  { hosts, running, without }: Readonly<Record<'hosts' | 'running' | 'without', readonly NamedHost[]>>,
): CheckResult {
  if (picked.length === 0) return 'a stacked etcd has at least one control plane';
  const left = running.filter((host) => !picked.includes(host));
  if (left.length > 0) return `${named(left)} runs a stacked etcd, too: all of its members have to be named`;
  if (picked.every((host) => without.includes(host)))
    return `no stacked etcd was seen on ${named(picked)}; its members have to run`;
  return picked.length < hosts.length || 'no host is left that etcd could move to: go back, and add some to the hosts';
}

/** Of the hosts that were looked at: those on which a stacked member was seen, or those on which none was. */
function hostsThat({ hosts, looks }: Omit<SeenHosts, 'started'>, what: 'run' | 'do not run'): readonly NamedHost[] {
  return hosts.filter(({ name }) => {
    const look = looks?.get(name);
    return look?.kind === 'seen' && (look.host.stacked !== undefined) === (what === 'run');
  });
}

function named(hosts: readonly NamedHost[]): string {
  return shortList(hosts.map(({ name }) => name));
}
