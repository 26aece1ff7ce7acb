import { z } from 'zod';
import { askHosts } from '../checks/ask-hosts.js';
import { isSame } from '../facts/etcd-membership.js';
import { etcdStatus, etcdStatusKey, type EtcdStatus } from '../facts/etcd-status.js';
import type { Cluster, Member } from '../model/cluster.js';
import { ProvisionError, RemoteError } from '../model/errors.js';
import type { Intake, Output, Probe, Transport } from '../model/remote.js';
import { saveSnapshotScript, SNAPSHOT_STATUS } from '../shell/snapshot.js';

/** The member that a snapshot is taken from, and what it says of itself. */
export interface SnapshotSource {
  readonly member: Member;
  readonly status: EtcdStatus & { readonly kind: 'answers' };
}

/** Longer than any download; silence ends it much earlier. */
const SAVE_TIMEOUT_MS = 24 * 60 * 60_000;

/**
 * The healthy voter that has come furthest, each asked by its own host at its own address. Where none of the group `etcd` is, one that is
 * to leave: hosts that join may have no members yet.
 * @param from take this host's, healthy or not: one that lost its quorum can still be saved
 * @throws ProvisionError `no-healthy-member`, `unknown-member`
 */
export async function chooseSource(
  cluster: Cluster,
  probe: (host: string) => Probe,
  from: string | undefined,
): Promise<SnapshotSource> {
  const hosts = cluster.members.map(({ host }) => host);
  if (from !== undefined && !hosts.includes(from))
    throw new ProvisionError({
      code: 'unknown-member',
      message: `${from} is no etcd host of the inventory`,
      hint: `expected one of: ${hosts.join(', ')}`,
    });
  const members =
    from === undefined
      ? [...cluster.members, ...cluster.formerMembers]
      : cluster.members.filter(({ host }) => host === from);
  const { heard, unreachable } = await askHosts(
    members.map(({ host }) => host),
    async (host) => {
      const [member] = members.filter((each) => each.host === host);
      return member === undefined ? undefined : probe(host).ask(etcdStatus, etcdStatusKey(member));
    },
  );
  const answers = members.flatMap((member): SnapshotSource[] => {
    const status = heard.get(member.host);
    return status?.kind === 'answers' ? [{ member, status }] : [];
  });
  const fit = answers.filter(({ status }) => from !== undefined || (status.isHealthy && !status.isLearner));
  const staying = fit.filter(({ member }) => cluster.members.includes(member));
  const candidates = staying.length > 0 ? staying : fit.filter(({ status }) => listsNobodyElse(status, members));
  const [best] = candidates.toSorted((a, b) => b.status.raftIndex - a.status.raftIndex);
  if (best !== undefined) return best;
  const silent = [...heard].flatMap(([host, status]) => {
    if (status === undefined || status.kind === 'silent') return [`${host}: ${status?.reason ?? 'no answer'}`];
    return [`${host}: ${status.isLearner ? 'a learner' : 'answers, and is not healthy'}`];
  });
  const lines = [...silent, ...unreachable.map(({ host = '', evidence }) => `${host}: ${evidence}`)];
  throw new ProvisionError({
    code: 'no-healthy-member',
    message: ['no healthy member can be saved:', ...lines.map((line) => `    ${line}`)].join('\n'),
    hint: 'without a quorum, save the one that has come furthest all the same: --from HOST',
  });
}

/** A host that has left may have a member of another cluster by now. */
function listsNobodyElse({ members }: SnapshotSource['status'], known: readonly Member[]): boolean {
  return members.every((listed) => known.some((member) => isSame(listed, member, [])));
}

/** `etcdctl snapshot status -w json`, of 3.4 to 3.6. */
const statusSchema = z.object({
  hash: z.number().int(),
  revision: z.number().int().nonnegative(),
  totalKey: z.number().int().nonnegative(),
  totalSize: z.number().int().nonnegative(),
});

/** What etcd's tool says of a snapshot. */
export type SnapshotStatus = z.infer<typeof statusSchema>;

/** A database is at most as large as the member says, plus the checksum; a page more for what comes meanwhile. */
const GROWTH = 1.2;
const SPARE_BYTES = 64 * 1024 * 1024;

/**
 * Lets the host of a member take a snapshot, and streams it here.
 * @throws RemoteError, what the intake throws
 */
export async function downloadSnapshot(
  { member, status }: SnapshotSource,
  transport: Transport,
  intake: Intake,
): Promise<SnapshotStatus> {
  const output = await transport.download(
    {
      summary: 'save a snapshot',
      script: saveSnapshotScript(member, Math.ceil(status.dbSize * GROWTH) + SPARE_BYTES),
      timeoutMs: SAVE_TIMEOUT_MS,
    },
    intake,
  );
  if (output.status !== 0) throw saveFailed(member.host, output);
  return readSnapshotStatus(member.host, output.stderr);
}

function saveFailed(host: string, { status, stderr }: Output): RemoteError {
  const [last = ''] = stderr.trimEnd().split('\n').slice(-1);
  return new RemoteError({
    code: 'command-failed',
    host,
    command: 'save a snapshot',
    status,
    message: `${host}: no snapshot was saved (status ${status}): ${last.slice(0, 500)}`,
  });
}

/**
 * Finds what the tool said of the snapshot in a script's stderr.
 * @throws ProvisionError `snapshot-unreadable`
 */
export function readSnapshotStatus(host: string, stderr: string): SnapshotStatus {
  const line = stderr.split('\n').findLast((each) => each.startsWith(SNAPSHOT_STATUS)) ?? '';
  try {
    return statusSchema.parse(JSON.parse(line.slice(SNAPSHOT_STATUS.length)));
  } catch {
    throw new ProvisionError({
      code: 'snapshot-unreadable',
      message: `${host}: its etcd tool could not read the snapshot`,
      hint: `try on it: etcdctl snapshot status, or etcdutl snapshot status`,
    });
  }
}
