import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { selectHosts } from '../ansible/host-patterns.js';
import { planCluster, type ClusterPlan } from '../engine/plan-cluster.js';
import type { World } from '../engine/world.js';
import type { Look } from '../facts/batched-probe.js';
import { gateTable } from '../gates/table.js';
import { orderTable } from '../gates/orders.js';
import { clusterWarnings, describeCluster } from '../cluster/describe-cluster.js';
import { noCluster } from '../cluster/no-cluster.js';
import type { Cluster } from '../model/cluster.js';
import type { EventSink } from '../model/events.js';
import type { Inventory } from '../model/inventory.js';
import { formatProblem } from '../model/errors.js';
import type { Secret } from '../model/secret.js';
import { VERSION } from '../model/version.js';
import { passphraseSource, type PassphraseSource } from '../pki/passphrase.js';
import { openStore, type WritableStore } from '../pki/store.js';
import { buildPlays } from '../playbook/build-plays.js';
import type { Play } from '../playbook/play.js';
import { digestPlaybook } from '../playbook/playbook-digest.js';
import { readPlaybook, type Playbook } from '../playbook/read-playbook.js';
import type { CertificateRules } from '../resources/judge-certificate.js';
import { certificateRules } from '../roles/role.js';
import { roleTable } from '../roles/table.js';
import { createConnector } from './connection-options.js';
import type { Context } from './context.js';
import { openInventory } from './inventory-options.js';
import { lookThrough } from './look-through.js';
import { checkReleases } from './named-releases.js';
import { refuseSharedStore } from './refuse-shared-store.js';
import type { RunOptions } from './run-options.js';
import { releasesOf, snapshotsOf } from './run-supplies.js';
import { playbookFile, readNamedBytes, readNamedFile, shippedTemplate } from './shipped-playbooks.js';
import { typeWithout } from './type-again.js';

/** Plays of a verb that has no playbook. */
export interface OwnPlays {
  /** What the plan calls them. */
  readonly name: string;
  readonly plays: readonly Play[];
}

/** Everything of one run, put together: what is wanted, and the ways to look and to act. */
export interface Session {
  readonly cluster: Cluster;
  /** The hosts of the etcd members, also where the playbook says nothing about etcd: who changes one of them locks more than half. */
  readonly memberHosts: readonly string[];
  /** How its certificates are judged, by the authority in the store. */
  readonly certificates: CertificateRules;
  /** The PKI store of the cluster. */
  readonly pki: WritableStore;
  readonly plays: readonly Play[];
  /** Whether `--limit` lets a host in; plays of a verb's own ask this themselves. */
  readonly isWithinLimit: (host: string) => boolean;
  /** The command that was typed, without these hosts. */
  readonly without: (hosts: readonly string[]) => string;
  readonly world: World;
  /** A look without events: beside the run, for its report. */
  quietLook(): Look;
  /** Looks at all hosts and decides. @param own in place of the playbook's plays @throws RunError */
  plan(own?: OwnPlays): Promise<ClusterPlan>;
  close(): Promise<void>;
}

/** Where a session begins. */
export interface SessionEdges {
  readonly context: Context;
  /** Where the run's events go. */
  readonly emit: EventSink;
  readonly interrupted: () => boolean;
  /** The verb signs certificates. */
  readonly signs?: boolean | undefined;
  /** `own`: the verb needs nothing of the playbook's plays, so that a cluster that they don't fit has it too. */
  readonly plays?: 'of-playbook' | 'own' | undefined;
}

/**
 * Loads inventory and playbook, and prepares the connections; none is opened yet.
 * @throws InputError, ProvisionError
 */
export async function openSession(
  inventoryFile: string,
  options: RunOptions,
  { context, emit, interrupted, signs = false, plays: whose }: SessionEdges,
): Promise<Session> {
  const inventory = await openInventory(inventoryFile, options, context);
  const playbookName = options.playbook ?? usualPlaybook(describeCluster(inventory));
  const playbook = await readPlaybook(playbookFile(playbookName));
  const isAboutCluster = needsCluster(playbook);
  const cluster = isAboutCluster ? describeCluster(inventory) : noCluster(inventory);
  if (signs) await refuseSharedStore({ file: inventoryFile, inventory, cluster }, options, context);
  for (const warning of isAboutCluster ? clusterWarnings(inventory) : inventory.warnings)
    emit({ type: 'notice', message: formatProblem(warning) });
  const { pki, passphrase } = await storeOf(cluster, options, context);
  const tools = { template: shippedTemplate, readFile: readNamedFile, readBytes: readNamedBytes, pki, now: new Date() };
  const roleSource = { roles: roleTable(tools), cluster, describe: describeCluster };
  const [gates, orders] = [gateTable(cluster, () => new Date()), orderTable(cluster)];
  const { limit } = options;
  const plays = whose === 'own' ? [] : buildPlays({ playbook, inventory, limit, roleSource, gates, orders });
  const without = (hosts: readonly string[]): string => typeWithout(context.argv, limit, hosts);
  const connector = await createConnector(withPlayBecome(options, playbook), inventory, {
    env: context.env,
    ask: context.ask.secret,
    timing: context.timing,
    onNotice: (host, message) => {
      emit({ type: 'notice', host, message });
    },
  });
  const asking = new Set([...cluster.members, ...cluster.formerMembers].map(({ host }) => host));
  // Only hosts that ask etcd as its own clients get it.
  const credentialFor = (host: string): Secret | undefined =>
    asking.has(host) ? pki.signer.runCredential?.() : undefined;
  const world: World = {
    connector,
    newLook: () => lookThrough(connector, emit, credentialFor),
    signer: pki.signer,
    ...snapshotsOf(inventoryFile, { cluster, passphrase, world: () => world }),
    openRelease: releasesOf(inventory.directory, emit),
    gates,
    gateDeadlineMs: options.gateTimeout === undefined ? undefined : options.gateTimeout * 1000,
    ...{ orders, randomHex, emit, interrupted },
    hosts: [...inventory.hosts.keys()],
    forks: options.forks,
    now: () => Date.now(),
    sleep: (ms) => sleep(ms),
  };
  const request = {
    ...{ plays, orders, tool: VERSION, inventoryDigest: inventory.digest, limit },
    ...{ playbook: playbookName, playbookDigest: await digestPlaybook(playbook), without },
    members: cluster.members.map(({ host }) => host),
  };
  return {
    ...{ cluster, without, pki, plays, world, isWithinLimit: withinLimit(inventory, limit) },
    memberHosts: inventory.groups.get('etcd') ?? [],
    certificates: certificateRules(tools, cluster),
    quietLook: () => lookThrough(connector, () => undefined, credentialFor),
    plan: planningOf(request, world, inventory),
    close: () => connector.close(),
  };
}

/** Plans what was asked for, or plays of a verb's own. */
function planningOf(request: Parameters<typeof planCluster>[0], world: World, inventory: Inventory): Session['plan'] {
  return async (own) => {
    const wanted = own === undefined ? request : { ...request, plays: own.plays, playbook: own.name };
    const found = await planCluster(wanted, world);
    await checkReleases(found.plan, inventory, world.openRelease);
    return found;
  };
}

function withinLimit(inventory: Inventory, limit: string | undefined): (host: string) => boolean {
  if (limit === undefined) return () => true;
  const hosts = new Set(selectHosts(inventory, limit));
  return (host) => hosts.has(host);
}

/**
 * The store, and where its passphrase comes from: once it is right, it is not asked for again.
 * @throws ProvisionError `passphrase-file-unusable`, `passphrase-too-short`, `store-broken`
 */
async function storeOf(
  cluster: Cluster,
  options: RunOptions,
  context: Context,
): Promise<{ readonly pki: WritableStore; readonly passphrase: PassphraseSource }> {
  const passphrase = passphraseSource({ file: options.passphraseFile, env: context.env, ask: context.ask.passphrase });
  const pki = await openStore({
    directory: cluster.certificates.store,
    passphrase,
    now: () => new Date(),
    random: (count) => randomBytes(count),
    renewBeforeDays: cluster.certificates.renewBeforeDays,
  });
  await passphrase.checkFile(pki.authority.trustBundle() === undefined ? cluster.certificates.store : undefined);
  return { pki, passphrase };
}

/** All of it, in the order that is safe for this cluster. */
function usualPlaybook({ isManaged }: Cluster): string {
  return isManaged ? 'site' : 'migrate';
}

/** A playbook of tasks says nothing about etcd: its inventory needs no group of that name. */
function needsCluster({ plays }: Playbook): boolean {
  return plays.some(({ play }) => play.roles !== undefined || play.gates !== undefined || play.order !== undefined);
}

/** `become: true` of any play holds for the whole run: a host has one connection, and one user on it. */
function withPlayBecome(options: RunOptions, playbook: Playbook): RunOptions {
  return playbook.plays.some(({ play }) => play.become === true) ? { ...options, become: true } : options;
}

function randomHex(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}
