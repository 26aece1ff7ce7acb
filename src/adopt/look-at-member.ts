import type { X509Certificate } from 'node:crypto';
import { certificateFiles, certificateFilesKey } from '../facts/certificate-files.js';
import { ETCD, etcdOnHost, settingPlaces, type EtcdProcess } from '../facts/etcd-process.js';
import type { EtcdStatus } from '../facts/etcd-status.js';
import { askText } from '../facts/file-content.js';
import { unitState } from '../facts/unit-state.js';
import type { Probe } from '../model/remote.js';
import { pickProcess, readSettings, type MemberProcess, type MemberSettings } from './describe-process.js';
import { configFileOf, settingsOf, type EtcdSettings, type SearchedFiles } from './etcd-settings.js';
import { findAuthority, type FoundAuthority } from './find-authority.js';
import { findClientPair, USUAL_PAIRS, type Pair } from './find-client-pair.js';
import { pickPod } from './pick-pod.js';
import { staticPodFiles } from '../facts/static-pods.js';
import { clientUrlOf, loopbackUrlOf, nodePlace } from './node-place.js';
import { Obstacle } from './obstacle.js';

/** What the inventory says of a host with a member. */
export interface KnownHost {
  readonly host: string;
  readonly address: string | undefined;
  /** `etcd_unit`, `etcd_client_url` and the client pair, where they are set. */
  readonly unit: string | undefined;
  /** Where its static pod's manifest is, or is looked for; absent: a unit must run it. */
  readonly manifests?: string | undefined;
  readonly clientUrl: string | undefined;
  readonly client: Pair | undefined;
}

/** A running member. */
export interface FoundMember extends MemberProcess, MemberSettings, FoundAuthority {
  readonly host: string;
  /** Its node's address, by which others reach it. */
  readonly address: string;
  readonly clientPort: number;
  /** How it is asked on its own host. */
  readonly clientUrl: string;
  /** A pair on its host that it accepts from clients. */
  readonly client: Pair;
  readonly settings: EtcdSettings;
  readonly searched: SearchedFiles;
  /** Files of it that were changed after it was started. */
  readonly changedSince: readonly string[];
  readonly status: Extract<EtcdStatus, { kind: 'answers' }>;
}

/**
 * Looks at the member on one host: one exec for what runs, one for its files, one to ask it.
 * @throws Obstacle when it cannot be adopted; RemoteError
 */
export async function lookAtMember(known: KnownHost, probe: Probe, now: Date): Promise<FoundMember> {
  const { host } = known;
  const member = await pick(known, probe);
  const config = await readConfig(member.process, probe);
  const settings = settingsOf(member.process, config);
  const read = readSettings(member.process, settings);
  const place = nodePlace(read.urls, known.address);
  if (place === undefined) throw unreachable(read);
  const [searched, changedSince, { pem: server }, { pem: trusted }] = await Promise.all([
    searchFiles(member, probe),
    changedSinceStart(member, config?.path, probe),
    probe.ask(certificateFiles, certificateFilesKey(read.server.certificate)),
    probe.ask(certificateFiles, certificateFilesKey(read.trustedCaFile)),
  ]);
  const signed = findAuthority({ server, trusted, trustedCaFile: read.trustedCaFile });
  const ownUrl = member.manifest === undefined ? undefined : loopbackUrlOf(read.urls, signed.leaf);
  const clientUrl = known.clientUrl ?? ownUrl ?? clientUrlOf(read.urls, signed.leaf, place);
  if (clientUrl === undefined) throw unnamed(read, signed.leaf);
  const { trustedCaFile } = read;
  const usual = member.manifest === undefined ? [] : USUAL_PAIRS;
  const likely = [known.client, ...usual, read.server, read.peer].flatMap((pair) => pair ?? []);
  const question = { clientUrl, trustedCaFile, trusted, server: read.server, likely, now };
  const { pair: client, status } = await findClientPair(probe, question);
  const { address, port: clientPort } = place;
  return {
    ...member,
    ...read,
    ...signed,
    host,
    address,
    clientPort,
    clientUrl,
    client,
    settings,
    searched,
    changedSince,
    status,
  };
}

async function pick({ host, unit, manifests: directory }: KnownHost, probe: Probe): Promise<MemberProcess> {
  if (directory === undefined) return pickProcess(host, await probe.ask(etcdOnHost, ETCD), unit);
  const [found, files] = await Promise.all([probe.ask(etcdOnHost, ETCD), probe.ask(staticPodFiles, directory)]);
  return pickPod(host, found, { directory, files });
}

async function readConfig(
  process: EtcdProcess,
  probe: Probe,
): Promise<{ readonly path: string; readonly text: string } | undefined> {
  const path = configFileOf(process);
  if (path === undefined) return undefined;
  const text = await askText(probe, path);
  if (text === undefined)
    throw new Obstacle(
      'etcd-process',
      `its configuration file ${path} is gone`,
      `restore ${path} as it was when etcd started`,
    );
  return { path, text };
}

async function searchFiles({ files }: MemberProcess, probe: Probe): Promise<SearchedFiles> {
  const search = (paths: readonly string[]): Promise<SearchedFiles['unit']> =>
    Promise.all(paths.map(async (path) => ({ path, ...(await probe.ask(settingPlaces, path)) })));
  const [unit, environment] = await Promise.all([search(files.unit), search(files.environment)]);
  return { unit, environment };
}

/** What a restart would bring beside a new certificate, and nobody may have tried yet. */
async function changedSinceStart(
  { process, unit, files }: MemberProcess,
  config: string | undefined,
  probe: Probe,
): Promise<readonly string[]> {
  const paths = [...files.unit, ...files.environment, ...(config === undefined ? [] : [config])];
  // The kubelet starts it again for what its manifest says, not by this program.
  if (unit === undefined) return [];
  const [{ startedAt }, ...places] = await Promise.all([
    probe.ask(unitState, unit),
    ...paths.map(async (path) => ({ path, ...(await probe.ask(settingPlaces, path)) })),
  ]);
  const [, replaced] = /^(.*) \(deleted\)$/.exec(process.program) ?? [];
  return [
    ...places.flatMap(({ path, changedAt }) => ((changedAt ?? 0) > (startedAt ?? Infinity) ? [path] : [])),
    ...(replaced === undefined ? [] : [replaced]),
  ];
}

function unreachable({ urls }: MemberSettings): Obstacle {
  return new Obstacle(
    'etcd-process',
    `etcd listens for clients only on ${urls.listen.map(({ host }) => host).join(', ')}: no load balancer can reach it`,
    "add the node's address to --listen-client-urls",
  );
}

function unnamed({ urls, server }: MemberSettings, leaf: X509Certificate): Obstacle {
  const ways = [...new Set([...urls.advertised, ...urls.listen].map(({ host }) => host))].join(', ');
  return new Obstacle(
    'certificate',
    `${server.certificate} names ${leaf.subjectAltName ?? 'nobody'}: none of ${ways}`,
    'set etcd_client_url to a URL of the member that its certificate names',
  );
}
