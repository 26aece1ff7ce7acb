import { etcdStatus, etcdStatusKey, type EtcdStatus } from '../facts/etcd-status.js';
import {
  RESTORE_TOOL,
  restores,
  RESTORES_KEY,
  restoreTool,
  type RestoreOnHost,
  type RestoreTool,
} from '../facts/restores.js';
import { httpsUrl } from '../model/endpoint.js';
import type { Cluster, Member } from '../model/cluster.js';
import { ProvisionError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import { asStdin, type CheckedSnapshot } from './check-snapshot.js';
import { lookAtWorkers, type WorkersSeen } from './restart-plays.js';
import type { Restore } from './restore-plays.js';
import { isOfOtherMembers, requireOwnSnapshot } from './whose-snapshot.js';

/** How the id of a recovery ends; that of a restore ends with the digest of its snapshot. */
export const RECOVERY = '-recover';

/** What all hosts of a restore said before it. */
export interface RestoreLook {
  /** By host, of the members. */
  readonly statuses: ReadonlyMap<string, EtcdStatus>;
  readonly tools: ReadonlyMap<string, RestoreTool>;
  /** By host, of members and control planes. */
  readonly restores: ReadonlyMap<string, readonly RestoreOnHost[]>;
  readonly workers: WorkersSeen;
}

/** Asks every member and control plane, which must answer: what is restored on some is no cluster; and the workers. @throws RemoteError */
export async function lookBeforeRestore(cluster: Cluster, probe: (host: string) => Probe): Promise<RestoreLook> {
  const ofMembers = async <V>(ask: (member: Member) => Promise<V>): Promise<ReadonlyMap<string, V>> =>
    new Map(await Promise.all(cluster.members.map(async (member) => [member.host, await ask(member)] as const)));
  const hosts = [...new Set([...cluster.members, ...cluster.controlPlanes].map(({ host }) => host))];
  const [statuses, tools, notes, workers] = await Promise.all([
    ofMembers((member) => probe(member.host).ask(etcdStatus, etcdStatusKey(member))),
    ofMembers(({ host }) => probe(host).ask(restoreTool, RESTORE_TOOL)),
    Promise.all(hosts.map(async (host) => [host, await probe(host).ask(restores, RESTORES_KEY)] as const)),
    lookAtWorkers(cluster, probe),
  ]);
  return { statuses, tools, restores: new Map(notes), workers };
}

/** A restore that was begun and has not come to its end on every host. */
export interface UnfinishedRestore {
  readonly id: string;
  /** Host → what it has noted. */
  readonly stages: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

/** @throws ProvisionError `several-restores` when hosts tell of more than one */
export function findUnfinished(look: Pick<RestoreLook, 'restores'>): UnfinishedRestore | undefined {
  const notes = [...look.restores].flatMap(([host, all]) => all.map((each) => ({ host, ...each })));
  const open = [...new Set(notes.filter(({ stages }) => !stages.has('done')).map(({ id }) => id))];
  const [id, ...others] = open;
  if (id === undefined) return undefined;
  if (others.length > 0)
    throw new ProvisionError({
      code: 'several-restores',
      message: `the hosts have more than one unfinished restore: ${open.join(', ')}`,
      hint: notes
        .map(({ host, id: of }) => `look at it: ssh ${host} sudo ls -l /var/lib/provision/restore/${of}`)
        .join('\n'),
    });
  return { id, stages: new Map(notes.filter((each) => each.id === id).map(({ host, stages }) => [host, stages])) };
}

/** Whether any host has noted a stage. */
export function hasStage({ stages }: UnfinishedRestore, stage: string): boolean {
  return [...stages.values()].some((noted) => noted.has(stage));
}

/** Any of these says that a restore is being taken back. */
const WAY_BACK = ['back-stopped', 'back-exchanged', 'back-started', 'back-apiserver'];

/** What a restore is decided by. */
export interface RestoreRequest {
  readonly cluster: Cluster;
  readonly look: RestoreLook;
  readonly snapshot: CheckedSnapshot;
  /** The snapshot may be of another cluster than the one that runs. */
  readonly from: 'this-cluster' | 'any-cluster';
  readonly now: Date;
}

/**
 * Decides how a snapshot is restored, or that it is not.
 * @throws ProvisionError `other-cluster`, `other-restore`, `newer-snapshot`, `membership-differs`, `no-etcd-tool`
 */
export function decideRestore(request: RestoreRequest): Restore {
  const { cluster, look, snapshot, from, now } = request;
  const short = snapshot.sha256.slice(0, 8);
  const unfinished = findUnfinished(look);
  if (unfinished !== undefined && !unfinished.id.endsWith(`-${short}`)) throw otherRestore(unfinished);
  if (unfinished !== undefined && WAY_BACK.some((stage) => hasStage(unfinished, stage))) throw wayBack(unfinished);
  requireTools(look);
  // Once it has begun, what it is made of was decided; the cluster that runs by then is another one.
  if (unfinished === undefined && from === 'this-cluster')
    requireOwnSnapshot(snapshot, cluster, [...new Set(answering(look).map(({ clusterId }) => clusterId))]);
  requireVersions(request);
  const noted = notedParameters(unfinished);
  const peerUrls = peerUrlsOf(request);
  const initialCluster = noted?.initialCluster ?? initialClusterOf(peerUrls);
  const canBump = [...look.tools.values()].every((tool) => tool.canBump);
  return {
    id: unfinished?.id ?? `${timeOfId(now)}-${short}`,
    cluster,
    snapshot: asStdin(snapshot),
    label: describeSnapshot(snapshot),
    peerUrls: noted === undefined ? peerUrls : peerUrlsIn(noted.initialCluster),
    initialCluster,
    bump: noted?.bump ?? (canBump ? 'revisions' : 'none'),
    workers: look.workers,
  };
}

/** What an id begins with. */
export function timeOfId(now: Date): string {
  return now.toISOString().replaceAll(/[-:]|\.\d+/g, '');
}

function describeSnapshot({ path, manifest }: CheckedSnapshot): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return manifest === undefined ? name : `${name} (revision ${manifest.revision}, of ${manifest.savedAt})`;
}

/** Something else was begun. */
export function otherRestore({ id }: Pick<UnfinishedRestore, 'id'>): ProvisionError {
  return new ProvisionError({
    code: 'other-restore',
    message: `the restore ${id} is another one, and is not finished`,
    hint: id.endsWith(RECOVERY)
      ? 'finish it: provision recover INVENTORY'
      : 'finish it with its snapshot, or put everything back: provision snapshot restore INVENTORY --take-back',
  });
}

function wayBack({ id }: UnfinishedRestore): ProvisionError {
  return new ProvisionError({
    code: 'being-taken-back',
    message: `the restore ${id} is being taken back`,
    hint: 'finish that first: provision snapshot restore INVENTORY --take-back',
  });
}

function requireTools({ tools }: RestoreLook): void {
  const without = [...tools].filter(([, { name }]) => name === undefined).map(([host]) => host);
  if (without.length === 0) return;
  throw new ProvisionError({
    code: 'no-etcd-tool',
    message: `there is no etcdutl and no etcdctl on ${without.join(', ')}`,
    hint: 'install it there: apt-get install etcd-client',
  });
}

function answering({ statuses }: RestoreLook): readonly (EtcdStatus & { readonly kind: 'answers' })[] {
  return [...statuses.values()].flatMap((status) => (status.kind === 'answers' ? [status] : []));
}

/** etcd reads the data of the minor version before it, not of a later one (etcd docs, "upgrading"). */
function requireVersions({ look, snapshot: { manifest } }: RestoreRequest): void {
  if (manifest === undefined) return;
  const older = [...look.tools].filter(([, { version }]) => version !== '' && isOlder(version, manifest.etcdVersion));
  const [first] = older;
  if (first === undefined) return;
  throw new ProvisionError({
    code: 'newer-snapshot',
    message: `the snapshot is of etcd ${manifest.etcdVersion}; ${first[0]} has ${first[1].version}, which can't read it`,
    hint: 'restore it where etcd has the same minor version',
  });
}

function isOlder(version: string, than: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [thanMajor = 0, thanMinor = 0] = than.split('.').map(Number);
  return major < thanMajor || (major === thanMajor && minor < thanMinor);
}

/**
 * Name → peer URLs: of what runs; else as this program configures members, and of an existing cluster by the manifest. A member may
 * have another address since the snapshot, or the snapshot be of another cluster.
 */
function peerUrlsOf({ cluster, look, snapshot }: RestoreRequest): ReadonlyMap<string, readonly string[]> {
  const lists = answering(look).map(({ members }) => new Map(members.map(({ name, peerUrls }) => [name, peerUrls])));
  const [first] = lists;
  if (first !== undefined && lists.some((list) => initialClusterOf(list) !== initialClusterOf(first)))
    throw differs('members do not agree on who they are');
  if (first !== undefined && hasNamesOf(first, cluster)) return first;
  if (first !== undefined)
    throw differs(
      `the cluster has ${[...first.keys()].join(', ')}; the inventory ${cluster.members.map(({ name }) => name).join(', ')}`,
    );
  if (cluster.isManaged)
    return new Map(cluster.members.map(({ name, address, peerPort }) => [name, [httpsUrl(address, peerPort)]]));
  const { manifest } = snapshot;
  const saved = new Map((manifest?.members ?? []).map(({ name, peerUrls }) => [name, peerUrls]));
  if (manifest !== undefined && !isOfOtherMembers(manifest, cluster.members) && hasNamesOf(saved, cluster))
    return saved;
  throw differs('no member answers, and the snapshot has no manifest of theirs that says where members listen');
}

function hasNamesOf(list: ReadonlyMap<string, readonly string[]>, { members }: Cluster): boolean {
  return list.size === members.length && members.every(({ name }) => (list.get(name) ?? []).length > 0);
}

function differs(why: string): ProvisionError {
  return new ProvisionError({
    code: 'membership-differs',
    message: `the members to restore can't be determined: ${why}`,
    hint: 'see what is there: provision verify INVENTORY',
  });
}

/** etcd's own form; sorted, so that it is the same on every host and in every run. */
function initialClusterOf(members: ReadonlyMap<string, readonly string[]>): string {
  return [...members]
    .flatMap(([name, urls]) => urls.map((url) => `${name}=${url}`))
    .sort()
    .join(',');
}

function peerUrlsIn(initialCluster: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const [, name = '', url = ''] of initialCluster.matchAll(/([^,=]+)=([^,]+)/g))
    found.set(name, [...(found.get(name) ?? []), url]);
  return found;
}

/** What the first host that unpacked it was given: the others are given the same. */
function notedParameters(
  unfinished: UnfinishedRestore | undefined,
): Pick<Restore, 'bump' | 'initialCluster'> | undefined {
  const notes = [...(unfinished?.stages.values() ?? [])].flatMap((stages) => stages.get('unpacked') ?? []);
  const [note] = notes;
  if (note === undefined) return undefined;
  if (notes.some((each) => each !== note)) throw differs('hosts were given different instructions');
  const [, bump, initialCluster] = /^(revisions|none) (\S+)$/.exec(note) ?? [];
  if (initialCluster === undefined) throw differs("the note of a host can't be read");
  return { bump: bump === 'revisions' ? 'revisions' : 'none', initialCluster };
}
