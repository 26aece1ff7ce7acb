import type { EtcdRelease, Member } from '../model/cluster.js';
import { ProvisionError } from '../model/errors.js';
import { compareVersions, versionText, type EtcdVersion } from '../model/etcd-version.js';
import { PROGRAM_LINKS } from '../shell/etcd-release.js';
import { quote } from '../shell/quote.js';
import type { UpgradeVerdict } from './judge-upgrade.js';

/** The change of version that is refused. */
interface Refused {
  readonly own: EtcdVersion;
  readonly release: EtcdRelease;
}

/** A change of version, and why it is refused. */
interface Forbidden extends Refused {
  readonly verdict: Extract<UpgradeVerdict, { kind: 'refused' }>;
  /** Who runs that version: the member itself, or those of the cluster that it is to join. */
  readonly runs: 'member' | 'cluster';
}

/** A version that the member can not go to, or can not join with. */
export function refusedUpgrade({ host }: Member, { own, release, verdict, runs }: Forbidden): ProvisionError {
  const { why, path } = verdict;
  const who = runs === 'member' ? `${host} runs` : `${host} has no data, the members that it would join run`;
  return new ProvisionError({
    code: 'upgrade-refused',
    message: `${who} etcd ${versionText(own)}, and etcd_version is ${release.version}: ${why}`,
    hint:
      path.length === 0
        ? `set etcd_version to ${versionText(own)} or later; data of before comes back with: provision snapshot restore INVENTORY FILE`
        : `set etcd_version to ${path[0] ?? ''}, and apply${path.length === 1 ? '' : `; the whole path: ${[versionText(own), ...path].join(' → ')}`}`,
  });
}

/** Nobody can say what the members ran, or they would be started by another version than the one that stopped. */
export function refusedWhileDown({ host }: Member, { own, release }: Refused): ProvisionError {
  return new ProvisionError({
    code: 'upgrade-while-down',
    message: `${host} has etcd ${versionText(own)}, and etcd_version is ${release.version}: too few members run to change the version now`,
    hint: 'start etcd on the members as it is, with: systemctl start etcd; what keeps it from running: provision doctor etcd INVENTORY',
  });
}

/** A release runs, and the inventory wants the package, which has another version. */
export function runsRelease(
  host: string,
  { own, packaged }: { readonly own: EtcdVersion; readonly packaged: EtcdVersion },
): ProvisionError {
  const [runs, has] = [versionText(own), versionText(packaged)];
  return new ProvisionError({
    code: 'runs-a-release',
    message: `${host} runs etcd ${runs} of a release, and etcd_install is package, which has ${has}: it goes back only to the same version`,
    hint:
      compareVersions(own, packaged) < 0
        ? `go to that version by release first: etcd_install: release, etcd_version: ${has}`
        : `keep etcd_install: release with etcd_version: ${runs}`,
  });
}

/** The release's etcdctl is to be found first, and another program is in its place. @param name of a program */
export function programInTheWay({ host }: Member, name: string): ProvisionError {
  const path = `${PROGRAM_LINKS}/${name}`;
  return new ProvisionError({
    code: 'program-in-the-way',
    message: `${host} has ${path}, which leads to no release of provision: it is where the ${name} of the release has to be found`,
    hint: `see what it is, and move it away: ssh ${host} ${quote(`sudo mv ${path} ${path}.before`)}`,
  });
}
