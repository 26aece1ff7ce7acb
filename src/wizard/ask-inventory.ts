import { askBalancer } from './ask-balancer.js';
import { askExtras } from './ask-extras.js';
import { askStart, type ReadKnown, type Started } from './ask-start.js';
import { listening, type SeenHosts } from './ask-roles.js';
import { askRoles } from './ask-stacked.js';
import type { CheckResult } from './check-result.js';
import { checkUser } from './checks.js';
import { checkHosts, checkTypedHosts, readHosts, splitHosts, type Resolve } from './host-list.js';
import { networkOf, type SeenRouterId } from './host-look.js';
import type { Ask } from './interview.js';
import { onceFinished } from './problem-line.js';
import { lookAround, type LookEdges } from './look-around.js';
import type { InventoryAnswers, NamedHost } from './inventory-answers.js';
import { hearRouterIds, proposeAddress, type ProposedAddress } from './propose-address.js';
import { idsNear } from './router-id.js';

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
    whileTyping: checkTypedHosts,
  });
  const hosts = withConnections((await readHosts(entries, resolve)).hosts, known);
  const sshUser = await ask.text({
    key: 'user',
    message: 'User to log in as',
    default: known?.user ?? 'root',
    check: checkUser,
    whileTyping: onceFinished(checkUser),
  });
  const privateKeyFile = await ask.text({
    key: 'privateKey',
    message: "Private key file (empty: agent or ssh's defaults)",
    default: known?.privateKeyFile ?? '',
    check: (answer) => checkKeyFile(answer, fileExists),
    whileTyping: onceFinished(checkKeyPath),
  });
  const login = { hosts, user: sshUser, privateKeyFile: noneIfEmpty(privateKeyFile) };
  const looks = edges.look === undefined ? undefined : await lookAround(ask, login, edges.look);
  const seen = { hosts, looks, started };
  const { members, controlPlanes, leaving } = await askRoles(ask, seen);
  let heard: readonly SeenRouterId[] | undefined;
  const propose = async (balancers: readonly NamedHost[]): Promise<ProposedAddress> => {
    const others = [...members, ...controlPlanes];
    const proposal = await proposeAddress(ask, { login, looks, balancers, others }, edges.look);
    if (proposal.network !== '') ({ heard } = proposal);
    return proposal;
  };
  const need = leaving.length > 0 ? 'needed' : 'optional';
  const balancer = await askBalancer(ask, { hosts, members, known: known?.balancers ?? [], propose, need });
  const used = new Set([...members, ...controlPlanes, ...(balancer?.hosts ?? [])]);
  const unused = hosts.filter((host) => !used.has(host)).map(({ name }) => name);
  if (unused.length > 0) ask.note(`left out, without a role: ${unused.join(', ')}`);
  const next = leaving.length > 0 ? 'unstack' : isExisting(started, members, looks) ? 'adopt' : 'plan';
  // Without a load balancer of etcd's own, nobody has listened yet.
  const usedIds = async (): Promise<readonly SeenRouterId[]> =>
    idsNear(controlPlanes, seen, heard ?? (await hearRouterIds({ login, looks, hosts: controlPlanes }, edges.look)));
  const network = looks === undefined ? undefined : networkOf(controlPlanes, looks);
  const extras = await askExtras(ask, { hosts, balancer, controlPlanes, next, usedIds, network });
  return { members, leaving, balancer, controlPlanes, sshUser, privateKeyFile: login.privateKeyFile, ...extras };
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
  const ofPath = checkKeyPath(answer);
  return ofPath === true ? (await fileExists(answer)) || `there is no file ${answer}` : ofPath;
}

function checkKeyPath(path: string): CheckResult {
  return path.endsWith('.pub') ? `${path} is the public key; name the private one beside it` : true;
}

function noneIfEmpty(answer: string): string | undefined {
  return answer === '' ? undefined : answer;
}
