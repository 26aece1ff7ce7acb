import { etcdIdentity, etcdIdentityKey } from '../facts/etcd-identity.js';
import { etcdRemains, etcdRemainsKey } from '../facts/etcd-remains.js';
import { etcdStatus, etcdStatusKey } from '../facts/etcd-status.js';
import { RESTORE_TOOL, restores, RESTORES_KEY, restoreTool, type RestoreTool } from '../facts/restores.js';
import { unlessLost } from '../facts/unless-lost.js';
import type { Cluster, Member } from '../model/cluster.js';
import { RemoteError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import { findUnfinished, otherRestore, RECOVERY, timeOfId } from './decide-restore.js';
import type { RemainsSeen } from './decide-recovery.js';

/** What the hosts show before a recovery. */
export interface RecoveryLook {
  readonly seen: readonly RemainsSeen[];
  /** Of a recovery that was begun and is not finished. */
  readonly id: string | undefined;
  /** By host. */
  readonly tools: ReadonlyMap<string, RestoreTool>;
}

/**
 * Asks every member's host, one exec each; who can't be asked is away.
 * @throws ProvisionError `several-restores`, `other-restore`
 */
export async function lookAtRemains(
  { members, controlPlanes }: Pick<Cluster, 'members' | 'controlPlanes'>,
  probe: (host: string) => Probe,
): Promise<RecoveryLook> {
  const hosts = [...new Set([...members, ...controlPlanes].map(({ host }) => host))];
  const [found, notes] = await Promise.all([
    Promise.all(
      members.map(async (member) => ({ member, shown: await unlessLost(showOf(member, probe(member.host))) })),
    ),
    Promise.all(hosts.map(async (host) => [host, await unlessLost(probe(host).ask(restores, RESTORES_KEY))] as const)),
  ]);
  const noted = new Map(notes.flatMap(([host, all]) => (all instanceof RemoteError ? [] : [[host, all] as const])));
  const unfinished = findUnfinished({ restores: noted });
  if (unfinished !== undefined && !unfinished.id.endsWith(RECOVERY)) throw otherRestore(unfinished);
  return {
    id: unfinished?.id,
    seen: found.map(({ member, shown }) => ({
      member,
      found:
        shown instanceof RemoteError
          ? { kind: 'away', reason: firstLine(shown) }
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

function firstLine({ message }: RemoteError): string {
  return message.split('\n')[0] ?? '';
}

/** The id of a recovery that begins now. */
export function recoveryId(now: Date): string {
  return `${timeOfId(now)}${RECOVERY}`;
}
