import { pathExists } from '../facts/path-exists.js';
import { unitCommand } from '../facts/unit-command.js';
import type { Action, Run } from '../model/action.js';
import { changed, UNCHANGED, type Resource } from '../model/change.js';
import type { Member } from '../model/cluster.js';
import { compareVersions, versionText } from '../model/etcd-version.js';
import type { Probe } from '../model/remote.js';
import { CURRENT_RELEASE, leaveReleaseScript, RELEASE_PROGRAM, RELEASES, switchScript } from '../shell/etcd-release.js';
import { lookAtVersions, type VersionsOf } from './look-at-versions.js';
import { runsRelease } from './upgrade-refusals.js';

/**
 * The package's etcd in place of a release, where both are the same version; what is unpacked stays. It is left when the unit
 * is gone and nothing leads to a release any more: a run may have ended between the two.
 * @throws ProvisionError `runs-a-release` where they differ: a package has no version that could be chosen
 */
export function packagedProgram({ cluster, member }: VersionsOf): Resource {
  const { host, unit, name } = member;
  return {
    address: `etcd-version:${name}`,
    paths: [],
    async plan(probe) {
      const [{ next }, leads] = await Promise.all([
        probe.ask(unitCommand, unit),
        probe.ask(pathExists, CURRENT_RELEASE),
      ]);
      const hasUnit = next[0] === RELEASE_PROGRAM;
      if (!hasUnit && !leads) return UNCHANGED;
      const { own, installed } = await lookAtVersions({ cluster, member }, probe);
      const { packaged, current } = installed;
      if (packaged === undefined)
        return { kind: 'unknown', because: 'the version of the package is known once it is installed' };
      if (own !== undefined && compareVersions(own, packaged) !== 0) throw runsRelease(host, { own, packaged });
      const file = `/etc/systemd/system/${unit}.service`;
      const use = { summary: 'use the programs of the package', script: leaveReleaseScript() };
      const back: Run['undo'] =
        current === undefined
          ? 'nothing'
          : { summary: 'use those of the release again', script: switchScript(current) };
      const removal: readonly Action[] = hasUnit ? [{ kind: 'remove-file', path: file }] : [];
      return changed({
        summary: `go back to the package of etcd, ${versionText(packaged)}`,
        diff: [
          hasUnit ? `- ${file}` : `${file} is gone already: a run was interrupted`,
          `${RELEASES}/${current ?? ''} stays unpacked`,
        ],
        actions: [...removal, { kind: 'run', command: use, undo: back }],
        effect: 'change',
        disruptive: false,
      });
    },
  };
}

/** Why a running member must be restarted for the package: its process was started from a release. */
export async function programOfRelease({ unit }: Member, probe: Probe): Promise<readonly string[]> {
  const { running } = await probe.ask(unitCommand, unit);
  return running[0] === RELEASE_PROGRAM ? [`the process is ${RELEASE_PROGRAM}, of a release`] : [];
}
