import { clientFilesOf, CONTAINER, USUAL_CLIENT_FILES } from '../facts/apiserver-manifest.js';
import { etcdIdentity, etcdIdentityKey } from '../facts/etcd-identity.js';
import { etcdRemains, etcdRemainsKey } from '../facts/etcd-remains.js';
import { etcdStatus, etcdStatusKey } from '../facts/etcd-status.js';
import { RESTORE_TOOL, restores, RESTORES_KEY, restoreTool, type RestoreTool } from '../facts/restores.js';
import { askText } from '../facts/file-content.js';
import { readStaticPodManifest } from '../facts/static-pod-manifest.js';
import { unlessLost } from '../facts/unless-lost.js';
import { memberUrls } from '../model/endpoint.js';
import type { ClientFiles } from '../model/certificate.js';
import type { Cluster, ControlPlane, Member } from '../model/cluster.js';
import { ProvisionError, RemoteError } from '../model/errors.js';
import { firstLine } from '../model/first-line.js';
import type { Probe } from '../model/remote.js';
import { findUnfinished, otherRestore, RECOVERY, timeOfId } from './decide-restore.js';
import type { HeardFrom, RemainsSeen } from './remains.js';

/** What the hosts show before a recovery. */
export interface RecoveryLook {
  readonly seen: readonly RemainsSeen[];
  /** Of a recovery that was begun and is not finished. */
  readonly id: string | undefined;
  /** By host. */
  readonly tools: ReadonlyMap<string, RestoreTool>;
}

/**
 * Asks every member's host, one exec each; who can't be asked is away. In the same exec it is asked which of the other members answer,
 * and so are the control planes: a member may serve while nobody can log in on its host.
 * @throws ProvisionError `several-restores`, `other-restore`
 */
export async function lookAtRemains(
  { members, controlPlanes }: Pick<Cluster, 'members' | 'controlPlanes'>,
  probe: (host: string) => Probe,
): Promise<RecoveryLook> {
  const hosts = [...new Set([...members, ...controlPlanes].map(({ host }) => host))];
  const [found, heard, notes] = await Promise.all([
    Promise.all(
      members.map(async (member) => ({ member, shown: await unlessLost(showOf(member, probe(member.host))) })),
    ),
    hear({ members, controlPlanes }, probe),
    Promise.all(hosts.map(async (host) => [host, await unlessLost(probe(host).ask(restores, RESTORES_KEY))] as const)),
  ]);
  const noted = new Map(notes.flatMap(([host, all]) => (all instanceof RemoteError ? [] : [[host, all] as const])));
  const unfinished = findUnfinished({ restores: noted });
  if (unfinished !== undefined && !unfinished.id.endsWith(RECOVERY)) throw otherRestore(unfinished);
  return {
    id: unfinished?.id,
    seen: found.map(({ member, shown }) => ({
      member,
      heard: heard.get(member.host) ?? [],
      found:
        shown instanceof RemoteError
          ? { kind: 'away', reason: firstLine(shown.message) }
          : {
              ...{ kind: 'seen', status: shown.status, identity: shown.identity, remains: shown.remains },
              stages: new Set(unfinished?.stages.get(member.host)?.keys()),
            },
    })),
    tools: new Map(
      found.flatMap(({ member, shown }) => (shown instanceof RemoteError ? [] : [[member.host, shown.tool] as const])),
    ),
  };
}

async function showOf(member: Member, probe: Probe) {
  const { clientUrl, client } = member;
  const [status, identity, remains, tool] = await Promise.all([
    probe.ask(etcdStatus, etcdStatusKey(member)),
    probe.ask(etcdIdentity, etcdIdentityKey({ url: clientUrl, ...client })),
    probe.ask(etcdRemains, etcdRemainsKey(member)),
    probe.ask(restoreTool, RESTORE_TOOL),
  ]);
  return { status, identity, remains, tool };
}

/** Who can ask members as a client of etcd does. */
interface Asker {
  readonly host: string;
  readonly client: ClientFiles;
}

/**
 * By host of a member, who hears it at its own URL. Its certificate is not verified: who answers there decides nothing but that it is
 * looked at again, and a member serves also with a certificate that has expired.
 */
async function hear(
  { members, controlPlanes }: Pick<Cluster, 'members' | 'controlPlanes'>,
  probe: (host: string) => Probe,
): Promise<ReadonlyMap<string, readonly HeardFrom[]>> {
  const planes = controlPlanes.filter(({ host }) => !members.some((member) => member.host === host));
  const usual = [...members, ...planes.map(({ host }) => ({ host, client: USUAL_CLIENT_FILES }))];
  const [first, ...own] = await Promise.all([
    askFrom(usual, members, probe),
    // An API server may have its files elsewhere: it is asked with those, too.
    ...planes.map(async (plane) => askFrom(await ownFiles(plane, probe(plane.host)), members, probe)),
  ]);
  return new Map(members.map(({ host }) => [host, [first, ...own].flatMap((heard) => heard.get(host) ?? [])]));
}

/** The client files that a control plane's manifest names, where they are not the usual ones. */
async function ownFiles({ host, manifest }: ControlPlane, probe: Probe): Promise<readonly Asker[]> {
  const text = await unlessLost(askText(probe, manifest));
  if (typeof text !== 'string') return [];
  try {
    const client = clientFilesOf(readStaticPodManifest(manifest, text, CONTAINER));
    const { certificate, key } = client;
    return certificate === USUAL_CLIENT_FILES.certificate && key === USUAL_CLIENT_FILES.key ? [] : [{ host, client }];
  } catch (error) {
    if (error instanceof ProvisionError) return [];
    throw error;
  }
}

async function askFrom(
  askers: readonly Asker[],
  members: readonly Member[],
  probe: (host: string) => Probe,
): Promise<ReadonlyMap<string, readonly HeardFrom[]>> {
  const asked = members.map(async (member) => {
    const [url = ''] = memberUrls([member]);
    const others = askers.filter(({ host }) => host !== member.host);
    const answers = await Promise.all(
      others.map(async ({ host, client: { certificate, key } }) => {
        const identity = await unlessLost(probe(host).ask(etcdIdentity, etcdIdentityKey({ url, certificate, key })));
        return identity instanceof RemoteError || identity.kind === 'silent' ? [] : [{ host, url, identity }];
      }),
    );
    return [member.host, answers.flat()] as const;
  });
  return new Map(await Promise.all(asked));
}

/** The id of a recovery that begins now. */
export function recoveryId(now: Date): string {
  return `${timeOfId(now)}${RECOVERY}`;
}
