import { etcdStatus, etcdStatusKey } from '../facts/etcd-status.js';
import { packageState } from '../facts/packages.js';
import { unlessLost } from '../facts/unless-lost.js';
import { UNCHANGED, type Resource } from '../model/change.js';
import type { Member } from '../model/cluster.js';
import { ProvisionError, RemoteError } from '../model/errors.js';
import { readEtcdVersion, versionText, type EtcdVersion } from '../model/etcd-version.js';
import type { Probe } from '../model/remote.js';
import { membersToJoin, type JoiningWay } from './joining-steps.js';

/**
 * The etcd of a member that is yet to join may join what runs: the same minor version, or the next one (etcd, server/etcdserver,
 * `isCompatibleWithCluster`: an older one ends at once). Members of a stacked etcd are not of this host's package.
 */
export function joinableVersion(way: JoiningWay): Resource {
  const { member } = way;
  return {
    address: `member-version:${member.name}`,
    paths: [],
    async plan(probe) {
      const members = await membersToJoin(way, probe);
      if (members === undefined) return UNCHANGED;
      const [wanted, running] = await Promise.all([
        wantedVersion(member, probe.on(member.host)),
        runningVersions(members, probe),
      ]);
      if (wanted !== undefined) refuseOtherVersion(member, wanted, running);
      return UNCHANGED;
    },
  };
}

/** The etcd that a member would run; undefined while it is not known. */
export async function wantedVersion({ release }: Member, there: Probe): Promise<EtcdVersion | undefined> {
  if (release !== undefined) return readEtcdVersion(release.version);
  const { installed, candidate } = await there.ask(packageState, 'etcd-server');
  return readEtcdVersion(installed ?? candidate ?? '');
}

async function runningVersions(members: readonly Member[], probe: Probe): Promise<readonly EtcdVersion[]> {
  const answers = await Promise.all(
    members.map(async (each) => unlessLost(probe.on(each.host).ask(etcdStatus, etcdStatusKey(each)))),
  );
  return answers.flatMap((status) =>
    status instanceof RemoteError || status.kind === 'silent' ? [] : (readEtcdVersion(status.version) ?? []),
  );
}

/**
 * Most must say so: one that lies stops nobody.
 * @throws ProvisionError `upgrade-refused`
 */
export function refuseOtherVersion(
  { host, release }: Member,
  wanted: EtcdVersion,
  running: readonly EtcdVersion[],
): void {
  const others = running.filter(({ minor }) => wanted.minor < minor || wanted.minor > minor + 1);
  const [other] = others;
  if (other === undefined || 2 * others.length <= running.length) return;
  const source = release === undefined ? "its system's package" : 'etcd_version';
  throw new ProvisionError({
    code: 'upgrade-refused',
    message: `${host} would run etcd ${versionText(wanted)} (${source}), and the members that it is to join run ${versionText(other)}: expected 3.${other.minor} or 3.${other.minor + 1}`,
    hint: `set etcd_install: release, and etcd_version to a 3.${other.minor}, with its etcd_release_sha256 (docs/runbooks/upgrade-etcd.md)`,
  });
}
