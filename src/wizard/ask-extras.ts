import { virtualRouterId } from '../cluster/keepalived-defaults.js';
import { canonicalIp } from '../model/ip.js';
import { EXTRAS, type Authority, type Extra, type Repoint } from './answers.js';
import type { CheckResult } from './check-result.js';
import { checkNetwork, checkVirtualIp, typedVirtualIp } from './checks.js';
import type { SeenRouterId } from './host-look.js';
import type { InventoryAnswers, NamedHost } from './inventory-answers.js';
import type { Ask } from './interview.js';
import { checkRouterId, idOfGroup } from './router-id.js';

/** What was answered before. */
type Before = Pick<InventoryAnswers, 'balancer' | 'controlPlanes' | 'next'> & {
  readonly hosts: readonly NamedHost[];
  /** In the control planes' networks. */
  readonly usedIds: () => Promise<readonly SeenRouterId[]>;
  /** That of the control planes, where it was seen. */
  readonly network: string | undefined;
};

const NAMES: Readonly<Record<Extra, string>> = {
  firewall: 'a firewall: only this cluster reaches etcd',
  snapshots: 'a snapshot of each member every night, kept on its host for a week',
  fastFailover:
    'a virtual IP that moves within about a second also when a host loses power: VRRP 3, for an address that nobody holds yet',
};

const AUTHORITIES: readonly { readonly value: Authority; readonly name: string }[] = [
  { value: 'new', name: 'a new one, made with the first apply' },
  { value: 'imported', name: 'one that you have: you import it before the first plan' },
];

/** Asks for what a cluster may have besides. None of it is needed. */
export async function askExtras(
  ask: Ask,
  before: Before,
): Promise<Pick<InventoryAnswers, 'repoint' | 'apiserverIp' | 'apiserverRouterId' | 'extras' | 'next'>> {
  const repoint = await askRepoint(ask, before);
  // One thing after the other: a cluster that moves gets that address later.
  const asksIp = before.controlPlanes.length > 0 && before.next !== 'unstack';
  const apiserverIp = asksIp ? await askApiserverIp(ask, before) : undefined;
  const extras = await ask.pick({
    key: 'extras',
    message: 'What else?',
    choices: offeredExtras({ ...before, apiserverIp }).map((value) => ({ value, name: NAMES[value] })),
    default: [],
    check: () => true,
  });
  // An etcd that runs has its authority already.
  const authority =
    before.next !== 'plan'
      ? 'new'
      : await ask.choose({
          ...{ key: 'authority', message: 'Who signs the certificates of etcd?' },
          ...{ choices: AUTHORITIES, default: 'new' },
        });
  const id = apiserverIp === undefined ? undefined : idOfGroup(apiserverIp, await before.usedIds());
  return {
    repoint,
    apiserverIp,
    apiserverRouterId: apiserverIp === undefined || id === virtualRouterId(apiserverIp) ? undefined : id,
    extras: EXTRAS.filter((extra) => extras.includes(extra)),
    next: authority === 'imported' ? 'import' : before.next,
  };
}

const REPOINTS: readonly { readonly value: Repoint; readonly name: string }[] = [
  { value: 'apply', name: 'with the first apply: one at a time, each once the load balancer has answered it' },
  { value: 'later', name: 'later: they stay as they are until you apply the playbook repoint' },
];

/**
 * Each is restarted once. Where there is nothing to move to, or their etcd goes, there is no choice.
 * @returns nothing where it is not asked
 */
async function askRepoint(ask: Ask, { balancer, controlPlanes, next }: Before): Promise<Repoint | undefined> {
  if (controlPlanes.length === 0 || balancer === undefined || next === 'unstack') return undefined;
  const message = 'The API servers use etcd through the load balancer, which restarts each of them once. When?';
  return ask.choose<Repoint>({ key: 'repoint', message, choices: REPOINTS, default: 'apply' });
}

/**
 * What goes with the answers before: who reaches an existing etcd, or comes by a load balancer of others, this program does not know;
 * and only a virtual IP of its own can move.
 */
export function offeredExtras({
  balancer,
  apiserverIp,
  next,
}: Pick<InventoryAnswers, 'balancer' | 'apiserverIp' | 'next'>): readonly Extra[] {
  const isExternal = balancer?.way === 'external';
  const offered: Readonly<Record<Extra, boolean>> = {
    firewall: next !== 'adopt' && next !== 'unstack' && !isExternal,
    snapshots: true,
    fastFailover: (balancer !== undefined && !isExternal) || apiserverIp !== undefined,
  };
  return EXTRAS.filter((extra) => offered[extra]);
}

async function askApiserverIp(
  ask: Ask,
  { balancer, controlPlanes, hosts, usedIds, ...seen }: Before,
): Promise<string | undefined> {
  const checkAddress = (answer: string): CheckResult =>
    balancer?.ip !== undefined && canonicalIp(answer) === canonicalIp(balancer.ip)
      ? `${answer} is the address of etcd's load balancer; the API servers need one of their own`
      : checkVirtualIp(answer, hosts);
  const check = async (answer: string): Promise<CheckResult> => {
    if (answer === '' || answer === 'none') return true;
    const result = checkAddress(answer);
    return result === true ? checkIdOf(answer, balancer, await usedIds()) : result;
  };
  const ip = await ask.text({
    ...{ key: 'apiserverIp', message: 'Virtual IP of the API servers, on the control planes (or: none)' },
    ...{ default: 'none', check, whileTyping: typedVirtualIp(checkAddress) },
  });
  if (ip === '' || ip === 'none') return undefined;
  const network = seen.network ?? balancer?.network;
  const problem = network === undefined ? true : checkNetwork(network, ip, controlPlanes);
  if (problem !== true) ask.note(`! ${problem}: the control planes must be able to hold that address`);
  return ip;
}

/** It keeps the router id of its group, where one was seen; else it has that which goes with its last byte. */
function checkIdOf(ip: string, balancer: Before['balancer'], used: readonly SeenRouterId[]): CheckResult {
  const id = idOfGroup(ip, used);
  const other = balancer === undefined || balancer.way === 'external' ? undefined : balancer.ip;
  if (other !== undefined && id === (balancer?.routerId ?? virtualRouterId(other)))
    return `${ip} and ${other} would have the same virtual router id, ${id}: ${OTHER_BYTE}`;
  const result = checkRouterId(String(id), ip, used);
  return result === true ? true : `virtual router id ${result}: ${OTHER_BYTE}`;
}

const OTHER_BYTE = 'choose an address with another last byte';
