import { selectHosts } from '../ansible/host-patterns.js';
import type { Resource } from '../model/change.js';
import { didYouMean } from '../model/did-you-mean.js';
import { InputError, type Problem } from '../model/errors.js';
import type { Host, Inventory } from '../model/inventory.js';
import { refuseAnotherCluster } from './one-cluster.js';
import type { Play } from './play.js';
import { batchSize, hostsOf, isAllowed } from './play-hosts.js';
import type { RawRole } from './playbook-schema.js';
import type { Playbook, ReadPlay } from './read-playbook.js';
import type { RoleSource } from './role-source.js';
import { holds, taskResources } from './task-resources.js';
import { unreadVariables } from './unread-variables.js';
import { atPlace, refuseProblems } from './yaml-source.js';

/** What plays are built from. */
export interface BuildRequest {
  readonly playbook: Playbook;
  readonly inventory: Inventory;
  /** A host pattern (`--limit`). */
  readonly limit: string | undefined;
  readonly roleSource: RoleSource;
  /** The gates and orders that there are, by name. */
  readonly gates: ReadonlyMap<string, unknown>;
  readonly orders: ReadonlyMap<string, unknown>;
}

/**
 * A playbook for this inventory: every play with its hosts and their resources. Nothing is asked of any host.
 * @throws InputError with all that is wrong in the playbook, each with its place
 */
export function buildPlays(request: BuildRequest): readonly Play[] {
  const { playbook, inventory, limit } = request;
  const allowed = limit === undefined ? undefined : new Set(selectHosts(inventory, limit));
  const problems: Problem[] = playbook.plays.flatMap((read) => unreadVariables(read, inventory));
  const plays = playbook.plays.flatMap((read) =>
    orProblems(problems, () => {
      const play = buildPlay(read, request, allowed);
      // What its `when` holds for nobody is not part of this plan.
      return read.play.when !== undefined && play.hosts.length === 0 ? [] : [play];
    }),
  );
  refuseProblems(problems);
  return plays;
}

/** What is made, or nothing, and what is wrong with it beside the problems of others. */
function orProblems<Made>(problems: Problem[], make: () => readonly Made[]): readonly Made[] {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    problems.push(...error.problems);
    return [];
  }
}

/** One play on one host, while its resources are gathered. */
interface Site {
  readonly read: ReadPlay;
  /** Without the variables of the play. */
  readonly base: Inventory;
  readonly inventory: Inventory;
  readonly host: string;
  readonly roleSource: RoleSource;
  readonly isWorkedOn: (host: string) => boolean;
}

function buildPlay(
  read: ReadPlay,
  { inventory: base, roleSource, gates, orders }: BuildRequest,
  allowed: ReadonlySet<string> | undefined,
): Play {
  const { play, index, source } = read;
  refuseProblems([
    ...unknownNames(read, ['order'], play.order === undefined ? [] : [play.order], orders),
    ...unknownNames(read, ['gates', 'before'], play.gates?.before ?? [], gates),
    ...unknownNames(read, ['gates', 'after'], play.gates?.after ?? [], gates),
  ]);
  const inventory = play.vars === undefined ? base : base.withVariables(play.vars);
  const all = hostsOf(play.hosts, inventory).filter((host) =>
    atPlace(source, [index, 'when'], () => holds(inventory, host, play.when)),
  );
  const isWorkedOn = (host: string): boolean => isAllowed(host, inventory, allowed);
  const hosts = all.filter(isWorkedOn);
  const site = { read, base, inventory, roleSource, isWorkedOn };
  return {
    name: play.name ?? `${source.file} play ${index + 1}`,
    hosts,
    limitedOut: all.filter((host) => !hosts.includes(host)),
    batchSize: batchSize(play.serial, hosts.length),
    order: play.order ?? 'inventory',
    gatesBefore: play.gates?.before ?? [],
    gatesAfter: play.gates?.after ?? [],
    resources: new Map(hosts.map((host) => [host, resourcesOf({ ...site, host })])),
  };
}

/** Names that only apply would stumble over, in the middle of its work. */
function unknownNames(
  { source, index }: ReadPlay,
  path: readonly string[],
  names: readonly string[],
  known: ReadonlyMap<string, unknown>,
): readonly Problem[] {
  return names
    .filter((name) => !known.has(name))
    .map((name): Problem => {
      const message = `there is no ${path[0] === 'order' ? 'order' : 'gate'} ${name}${didYouMean(name, known.keys())}`;
      return { severity: 'error', at: source.at([index, ...path]), subject: path.join('.'), message };
    });
}

function resourcesOf(site: Site): readonly Resource[] {
  const { play, index } = site.read;
  const resources: Resource[] = [];
  const problems: Problem[] = [];
  for (const [at, role] of (play.roles ?? []).entries())
    resources.push(...orProblems(problems, () => roleResources(site, [index, 'roles', at], role)));
  for (const [at, task] of (play.tasks ?? []).entries()) {
    const path = [index, 'tasks', at];
    // A copy: what comes after a task is none of what its service runs with.
    const before = [...resources];
    resources.push(...orProblems(problems, () => newOnes(site, path, taskResources(site, path, task, before), before)));
  }
  refuseProblems(problems);
  return resources;
}

/** A plan names each thing of a host once: two tasks for one would undo each other's work at every run. */
function newOnes(
  { read }: Site,
  path: readonly PropertyKey[],
  made: readonly Resource[],
  before: readonly Resource[],
): readonly Resource[] {
  const earlier = new Set(before.map(({ address }) => address));
  const ofItems = new Set<string>();
  const twin = made.find(({ address }) => earlier.has(address) || ofItems.size === ofItems.add(address).size);
  if (twin === undefined) return made;
  const message = earlier.has(twin.address)
    ? `${twin.address} is what an earlier task of this play is about, too; put both into one, or name them apart`
    : `${twin.address} is what two items of this loop are about; leave one out (\`| unique\`), or put both into one`;
  throw new InputError([{ severity: 'error', at: read.source.at(path), subject: 'task', message }]);
}

function roleResources(site: Site, path: readonly PropertyKey[], raw: RawRole): readonly Resource[] {
  const { role: name, when, vars } = { when: undefined, vars: undefined, ...raw };
  const { roles, cluster } = site.roleSource;
  const role = roles.get(name);
  if (role === undefined) {
    const message = `there is no role ${name}${didYouMean(name, roles.keys())}`;
    throw new InputError([{ severity: 'error', at: site.read.source.at(path), subject: 'roles', message }]);
  }
  const view = vars === undefined ? site.inventory : site.inventory.withVariables(vars);
  const host = view.hosts.get(site.host) ?? controlMachine(site.host);
  if (!atPlace(site.read.source, [...path, 'when'], () => holds(view, site.host, when))) return [];
  refuseAnotherCluster({ ...site, vars: { ...site.read.play.vars, ...vars }, at: site.read.source.at(path) });
  return role.resources(host, view, cluster, { isWorkedOn: site.isWorkedOn });
}

/** The control machine where the inventory does not list it: no variables, and never connected to. */
function controlMachine(name: string): Host {
  const none = (): undefined => undefined;
  const variables = { names: () => [], get: none, marked: none, secretOf: none, at: none };
  return { name, connection: { address: name }, variables, groups: [] };
}
