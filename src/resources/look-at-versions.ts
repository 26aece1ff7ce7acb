import { etcdInstalled, type EtcdInstalled } from '../facts/etcd-installed.js';
import { hasOwnData, lookAtMembers, type MembersSeen } from '../facts/etcd-phase.js';
import { etcdStatus, etcdStatusKey, type EtcdStatus } from '../facts/etcd-status.js';
import { httpsAnswer, httpsKey } from '../facts/https-answer.js';
import { unlessLost } from '../facts/unless-lost.js';
import type { Cluster, Member } from '../model/cluster.js';
import { RemoteError } from '../model/errors.js';
import { readEtcdVersion, type EtcdVersion } from '../model/etcd-version.js';
import type { Probe } from '../model/remote.js';

/** Whose versions are looked at. */
export interface VersionsOf {
  readonly cluster: Cluster;
  readonly member: Member;
}

/** What is known of versions, of a member and of its cluster. */
export interface Versions {
  readonly installed: EtcdInstalled;
  /** What its data was last used by, as far as it can be told; absent without data. */
  readonly own: EtcdVersion | undefined;
  /** Host → version, of those that answer. */
  readonly heard: ReadonlyMap<string, EtcdVersion>;
  /** What newer members tell of the format of their data. */
  readonly storage: readonly string[];
  readonly seen: MembersSeen;
}

/** Looks at every version that counts for a member, in one turn. */
export async function lookAtVersions({ cluster, member }: VersionsOf, probe: Probe): Promise<Versions> {
  const [installed, seen, answers] = await Promise.all([
    probe.ask(etcdInstalled, member.unit),
    lookAtMembers(cluster, probe),
    Promise.all(
      cluster.members.map(
        async (each) =>
          [each.host, await unlessLost(probe.on(each.host).ask(etcdStatus, etcdStatusKey(each)))] as const,
      ),
    ),
  ]);
  const present = new Set(seen.present.members.map(({ host }) => host));
  const heard = answers.flatMap(([host, status]) => {
    const version = versionOf(status);
    return version === undefined || !present.has(host) ? [] : [[host, version] as const];
  });
  const versions = new Map(heard);
  const state = [...seen.states, ...seen.joining].find(({ host }) => host === member.host);
  const isBegun = state !== undefined && hasOwnData(state);
  return {
    ...{ installed, heard: versions, seen },
    own: isBegun ? (versions.get(member.host) ?? lastUsed(installed)) : undefined,
    storage: answers.flatMap(([, status]) =>
      status instanceof RemoteError || status.kind === 'silent' || status.storageVersion === undefined
        ? []
        : [status.storageVersion],
    ),
  };
}

function versionOf(status: EtcdStatus | RemoteError): EtcdVersion | undefined {
  return status instanceof RemoteError || status.kind === 'silent' ? undefined : readEtcdVersion(status.version);
}

function lastUsed({ current, packaged }: EtcdInstalled): EtcdVersion | undefined {
  return current === undefined ? packaged : readEtcdVersion(current);
}

/**
 * What each member says that the cluster as a whole is at: the oldest version of all members, as they agreed on it; an older
 * etcd could not start any more. Asked only where that matters. Those that do not answer say nothing.
 */
export async function lookAtClusterVersions({ members }: Cluster, probe: Probe): Promise<readonly EtcdVersion[]> {
  const answers = await Promise.all(
    members.map(async ({ host, clientUrl, client: { ca, certificate, key } }) =>
      unlessLost(probe.on(host).ask(httpsAnswer, httpsKey({ url: `${clientUrl}/version`, ca, certificate, key }))),
    ),
  );
  return answers.flatMap((answer) => {
    if (answer instanceof RemoteError || answer.kind === 'failure') return [];
    const [, text = ''] = /"etcdcluster":"([\d.]{1,20})"/.exec(answer.body) ?? [];
    return readEtcdVersion(text) ?? [];
  });
}
