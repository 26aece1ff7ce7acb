import { clientFilesOf, CONTAINER } from '../facts/apiserver-manifest.js';
import { etcdIdentity, etcdIdentityKey, type EtcdIdentity } from '../facts/etcd-identity.js';
import { hex } from '../facts/etcd-membership.js';
import { etcdStatus, etcdStatusKey, type EtcdStatus } from '../facts/etcd-status.js';
import { askText } from '../facts/file-content.js';
import { httpsAnswer, httpsKey } from '../facts/https-answer.js';
import { nameAddresses } from '../facts/name-addresses.js';
import { pathExists } from '../facts/path-exists.js';
import { readStaticPodManifest } from '../facts/static-pod-manifest.js';
import { unlessLost } from '../facts/unless-lost.js';
import type { ClientFiles } from '../model/certificate.js';
import { ETCD_HEALTH_PATH, type Cluster } from '../model/cluster.js';
import { RemoteError } from '../model/errors.js';
import { etcdWay, type ExternalBalancer } from '../model/etcd-way.js';
import { aboutService, type Gate, type GateAnswer, type GateInput } from '../model/gate.js';
import type { JsonObject } from '../model/json.js';
import type { Probe } from '../model/remote.js';
import { gateHosts } from './gate-hosts.js';
import { described, isSameStore } from './same-store.js';
import { exchangeProblem, VIP_DEADLINE_MS } from './vip-answers.js';

/** Where the balancer of others is, for a question. */
interface Way {
  readonly cluster: Cluster;
  readonly external: ExternalBalancer;
  readonly url: string;
}

/** What was found on the way from one host; `isForeign`: waiting does not change it. */
interface Fault {
  readonly text: string;
  readonly isForeign: boolean;
}

/**
 * This very etcd answers through the balancer that others run: at each address of its name, verified by what the host's
 * client verifies by, and known by the cluster id that most members report. In the middle of a change it is asked from the host
 * of the change with the files that its kube-apiserver will use; else from every control plane with those of its manifest.
 */
export function externalAnswers(name: string, external: ExternalBalancer, cluster: Cluster): Gate {
  const way: Way = { cluster, external, url: etcdWay(cluster)?.url ?? '' };
  return {
    name: aboutService(name, 'etcd'),
    deadlineMs: VIP_DEADLINE_MS,
    async check(input) {
      const asked = askersOf(cluster, input);
      const members = await askMembers(cluster, input);
      const own = filesIn(input.arguments);
      const faults = await Promise.all(
        asked.map(async ({ host, files }) => faultFrom(input.probe(host), own ?? files, { way, members })),
      );
      return judge(
        faults.flatMap((fault) => fault ?? []),
        asked.map(({ host }) => host),
        way,
      );
    },
  };
}

/** A host that asks: with files of its own, or with those that its kube-apiserver's manifest names. */
interface Asker {
  readonly host: string;
  readonly files: ClientFiles | { readonly manifest: string };
}

/** Before a batch, all hosts of the play: who was left out by `--limit` is not moved. Without control planes, the members. */
function askersOf({ controlPlanes, members }: Cluster, { when, play, batch }: GateInput): readonly Asker[] {
  const all: readonly Asker[] =
    controlPlanes.length === 0
      ? members.map(({ host, client }) => ({ host, files: client }))
      : controlPlanes.map(({ host, manifest }) => ({ host, files: { manifest } }));
  const hosts = new Set(gateHosts(when === 'before' ? play : batch, all));
  return all.filter(({ host }) => hosts.has(host));
}

function filesIn({ ca, certificate, key }: JsonObject): ClientFiles | undefined {
  if (typeof ca !== 'string' || typeof certificate !== 'string' || typeof key !== 'string') return undefined;
  return { ca, certificate, key };
}

/** A member, as its own host sees it. */
interface Seen {
  readonly host: string;
  readonly status: EtcdStatus;
}

async function askMembers({ members }: Cluster, { probe }: GateInput): Promise<readonly Seen[]> {
  return Promise.all(
    members.map(async (member) => {
      const status = await unlessLost(probe(member.host).ask(etcdStatus, etcdStatusKey(member)));
      return { host: member.host, status: status instanceof RemoteError ? silent(status.message) : status };
    }),
  );
}

function silent(reason: string): EtcdStatus {
  return { kind: 'silent', reason };
}

interface Known {
  readonly way: Way;
  readonly members: readonly Seen[];
}

async function faultFrom(probe: Probe, given: Asker['files'], known: Known): Promise<Fault | undefined> {
  const files = 'manifest' in given ? await filesOfManifest(probe, given.manifest) : given;
  if (files === undefined) return waits(`${probe.host} has no kube-apiserver manifest`);
  const [addresses, ...present] = await Promise.all([
    addressesOf(known.way.external, probe),
    ...Object.values(files).map(async (file: string) => ({ file, isThere: await probe.ask(pathExists, file) })),
  ]);
  const missing = present.filter(({ isThere }) => !isThere).map(({ file }) => file);
  if (missing.length > 0) return waits(`${probe.host} has no ${missing.join(', ')}`);
  if (addresses.length === 0) return waits(`${probe.host} finds no address of ${known.way.external.name ?? ''}`);
  const faults = await Promise.all(addresses.map(async (address) => faultAt(probe, { address, files }, known)));
  const found = faults.flatMap((fault) => fault ?? []);
  // What belongs to others is said first: it is what a person has to know.
  return found.find(({ isForeign }) => isForeign) ?? found[0];
}

async function filesOfManifest(probe: Probe, path: string): Promise<ClientFiles | undefined> {
  const text = await askText(probe, path);
  return text === undefined ? undefined : clientFilesOf(readStaticPodManifest(path, text, CONTAINER));
}

/** `undefined` in place of an address: the URL has it. */
async function addressesOf({ ip, name }: ExternalBalancer, probe: Probe): Promise<readonly (string | undefined)[]> {
  return ip !== undefined || name === undefined ? [undefined] : probe.ask(nameAddresses, name);
}

async function faultAt(
  probe: Probe,
  { address, files }: { readonly address: string | undefined; readonly files: ClientFiles },
  { way, members }: Known,
): Promise<Fault | undefined> {
  const to = address === undefined ? {} : { connectTo: address };
  const [answer, identity] = await Promise.all([
    probe.ask(httpsAnswer, httpsKey({ url: `${way.url}${ETCD_HEALTH_PATH}`, ...files, ...to })),
    probe.ask(etcdIdentity, etcdIdentityKey({ url: way.url, ...files, ...to })),
  ]);
  const place = `from ${probe.host}, ${way.url}${address === undefined ? '' : ` at ${address}`}`;
  const shown = `(shown ${files.certificate}, verified by ${files.ca})`;
  const problem = exchangeProblem(answer);
  if (problem !== undefined) return waits(`${place} ${problem} ${shown}`);
  if (identity.kind === 'silent') return waits(`${place} fails: ${identity.reason} ${shown}`);
  return identityFault(place, identity, members);
}

function identityFault(
  place: string,
  identity: EtcdIdentity & { readonly kind: 'answers' },
  members: readonly Seen[],
): Fault | undefined {
  const statuses = members.flatMap(({ status }) => (status.kind === 'answers' ? [status] : []));
  // More than half of them: one host that lies decides nothing.
  const isMost = (count: number): boolean => count * 2 > members.length;
  if (isMost(statuses.filter((status) => isSameStore(identity, status)).length)) return undefined;
  const answers = `${place} is answered by etcd cluster ${hex(identity.clusterId)} at revision ${identity.revision}`;
  if (isMost(statuses.length))
    return { text: `${answers}, not by this one (${members.flatMap(described).join(', ')})`, isForeign: true };
  const quiet = members.flatMap(({ host, status }) => (status.kind === 'silent' ? [`${host}: ${status.reason}`] : []));
  return waits(
    `${answers}; whether that is this one is not known, for most members do not answer: ${quiet.join('; ')}`,
  );
}

function waits(text: string): Fault {
  return { text, isForeign: false };
}

function judge(faults: readonly Fault[], asked: readonly string[], { cluster, external, url }: Way): GateAnswer {
  if (faults.length === 0) return { open: true, note: `asked from ${asked.join(', ')}` };
  const targets = cluster.members.map(({ address, clientPort }) => `${address}:${clientPort}`).join(', ');
  const next = `curl -vk ${url}   on ${asked[0] ?? 'a host'}; the balancer of ${external.name ?? external.ip ?? ''} must pass TCP on to ${targets}`;
  const isFinal = faults.some(({ isForeign }) => isForeign);
  return { open: false, reason: faults.map(({ text }) => text).join('; '), next, isFinal };
}
