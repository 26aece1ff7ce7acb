import { askStart, type ReadKnown, type Started } from './ask-start.js';
import { askControlPlanes, askMembers, firstOf, listening, pickHosts, type SeenHosts } from './ask-roles.js';
import type { CheckResult } from './check-result.js';
import { checkDnsName, checkNetwork, checkNetworkForm, checkPort, checkUser, checkVirtualIp } from './checks.js';
import { checkHosts, readHosts, splitHosts, type Resolve } from './host-list.js';
import { freeCandidates, networkOf, type HostLook, type Login } from './host-look.js';
import type { Ask } from './interview.js';
import { lookAround, type LookEdges } from './look-around.js';
import type { BalancerAnswers, InventoryAnswers, NamedHost } from './inventory-answers.js';

/** What the questions need of the control machine. */
export interface WizardEdges {
  /** Is there a file at this path? `~` is the home directory. */
  readonly fileExists: (path: string) => Promise<boolean>;
  readonly resolve: Resolve;
  /** Absent: what there is already is not asked, and taken for bare hosts. */
  readonly readKnown?: ReadKnown;
  /** Absent: hosts are not connected to. */
  readonly look?: LookEdges;
}

/** Asks everything that an inventory needs. Each answer is checked at once, against the earlier ones too. */
export async function askInventory(ask: Ask, edges: WizardEdges): Promise<InventoryAnswers> {
  const { fileExists, resolve, readKnown } = edges;
  const started: Started = readKnown === undefined ? { start: 'bare' } : await askStart(ask, readKnown);
  const { known } = started;
  const entries = await ask.list({
    key: 'hosts',
    message: 'Hosts, as etcd-1=10.0.0.1, etcd-[1:3] or a pasted list',
    ...(known === undefined ? {} : { default: known.hosts.map(entryOf) }),
    split: splitHosts,
    check: (answer) => checkHosts(answer, resolve),
  });
  const hosts = withConnections((await readHosts(entries, resolve)).hosts, known);
  const sshUser = await ask.text({
    key: 'user',
    message: 'User to log in as',
    default: known?.user ?? 'root',
    check: checkUser,
  });
  const privateKeyFile = await ask.text({
    key: 'privateKey',
    message: "Private key file (empty: agent or ssh's defaults)",
    default: known?.privateKeyFile ?? '',
    check: (answer) => checkKeyFile(answer, fileExists),
  });
  const login = { hosts, user: sshUser, privateKeyFile: noneIfEmpty(privateKeyFile) };
  const looks = edges.look === undefined ? undefined : await lookAround(ask, login, edges.look);
  const seen = { hosts, looks, started };
  const members = await askMembers(ask, seen);
  const controlPlanes = await askControlPlanes(ask, seen);
  const balancer = await askBalancer(ask, {
    hosts,
    members,
    known: known?.balancers ?? [],
    proposal: await proposeAddress(ask, { login, looks, members }, edges.look),
  });
  const used = new Set([...members, ...controlPlanes, ...(balancer?.hosts ?? [])]);
  const unused = hosts.filter((host) => !used.has(host)).map(({ name }) => name);
  if (unused.length > 0) ask.note(`left out, without a role: ${unused.join(', ')}`);
  const next = isExisting(started, members, looks) ? 'adopt' : 'plan';
  return { members, balancer, controlPlanes, sshUser, privateKeyFile: noneIfEmpty(privateKeyFile), next };
}

function entryOf({ name, address }: NamedHost): string {
  return address === '' ? name : `${name}=${address}`;
}

/** The ways that an earlier inventory has to them, where a host is the same still. */
function withConnections(hosts: readonly NamedHost[], known: Started['known']): readonly NamedHost[] {
  return hosts.map((host) => {
    const before = known?.hosts.find(({ name, address }) => name === host.name && [host.address, ''].includes(address));
    return before?.connection === undefined ? host : { ...host, connection: before.connection };
  });
}

function isExisting({ start }: Started, members: readonly NamedHost[], looks: SeenHosts['looks']): boolean {
  return start === 'etcd' || start === 'kubernetes' || listening('etcd', { hosts: members, looks }).length > 0;
}

async function checkKeyFile(answer: string, fileExists: WizardEdges['fileExists']): Promise<CheckResult> {
  if (answer === '') return true;
  if (answer.endsWith('.pub')) return `${answer} is the public key; name the private one beside it`;
  return (await fileExists(answer)) || `there is no file ${answer}`;
}

interface ClusterHosts {
  readonly hosts: readonly NamedHost[];
  readonly members: readonly NamedHost[];
  /** Names of the load balancers of an earlier inventory. */
  readonly known: readonly string[];
  readonly proposal: ProposedAddress;
}

interface ProposedAddress {
  readonly network: string;
  readonly ip: string;
}

const NO_PROPOSAL: ProposedAddress = { network: '', ip: '' };

interface Looked {
  readonly login: Omit<Login, 'sudoPassword' | 'trusted'>;
  readonly looks: ReadonlyMap<string, HostLook> | undefined;
  readonly members: readonly NamedHost[];
}

/** A virtual IP in the members' network that nobody has, where they could be looked at. Asked for once for the same hosts. */
async function proposeAddress(
  ask: Ask,
  { login, looks, members }: Looked,
  look: WizardEdges['look'],
): Promise<ProposedAddress> {
  const network = looks === undefined ? undefined : networkOf(members, looks);
  if (network === undefined || look === undefined) return NO_PROPOSAL;
  const seen = members.filter(({ name }) => looks?.get(name)?.kind === 'seen');
  const taken = login.hosts.map(({ address }) => address);
  const { memory } = look;
  const key = JSON.stringify([network, taken]);
  const free =
    memory.free.get(key) ??
    (await look.askForFree(
      { ...login, hosts: seen.slice(0, 1), trusted: new Map(), sudoPassword: memory.sudoPassword },
      freeCandidates(network, taken),
    ));
  memory.free.set(key, free);
  const [ip] = free;
  if (ip === undefined) return { network, ip: '' };
  ask.note(`${ip} is proposed as virtual IP: it is in ${network}, the members' network, and nobody answers there`);
  return { network, ip };
}

async function askBalancer(
  ask: Ask,
  { hosts, members, known, proposal }: ClusterHosts,
): Promise<BalancerAnswers | undefined> {
  const ip = await ask.text({
    key: 'virtualIp',
    message: 'Virtual IP for clients (or: none)',
    default: proposal.ip,
    check: (answer) => (answer === 'none' ? true : checkVirtualIp(answer, hosts)),
  });
  if (ip === '' || ip === 'none') return undefined;
  const network = await ask.text({
    key: 'network',
    message: 'Its network, as 10.0.0.0/24 (empty: not checked)',
    default: proposal.network !== '' && checkNetwork(proposal.network, ip, []) === true ? proposal.network : '',
    check: (answer) => (answer === '' ? true : firstProblem(checkNetworkForm(answer), checkNetwork(answer, ip, []))),
  });
  const name = await ask.text({
    key: 'dnsName',
    message: 'DNS name of the virtual IP (empty: none)',
    default: '',
    check: checkDnsName,
  });
  const port = await ask.text({ key: 'port', message: 'Port on the virtual IP', default: '2379', check: checkPort });
  const balancers = await pickHosts(ask, hosts, {
    key: 'balancers',
    message: 'Hosts that run HAProxy and keepalived',
    default: firstOf(
      hosts.filter((host) => known.includes(host.name)),
      members.filter((member) => checkNetwork(network, ip, [member]) === true),
    ),
    check: (picked) => (picked.length === 0 ? 'at least one host is needed' : checkNetwork(network, ip, picked)),
  });
  const isShared = balancers.length === members.length && balancers.every((host) => members.includes(host));
  return {
    ip,
    name: noneIfEmpty(name),
    port: Number(port),
    network: noneIfEmpty(network),
    hosts: isShared ? undefined : balancers,
  };
}

function firstProblem(...results: readonly CheckResult[]): CheckResult {
  return results.find((result) => result !== true) ?? true;
}

function noneIfEmpty(answer: string): string | undefined {
  return answer === '' ? undefined : answer;
}
