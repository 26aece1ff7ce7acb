import { etcdInstalled, type EtcdInstalled } from '../facts/etcd-installed.js';
import { clusterPhase } from '../facts/etcd-phase.js';
import type { Action } from '../model/action.js';
import { changed, UNCHANGED, type Outcome, type Resource } from '../model/change.js';
import type { Cluster, EtcdRelease, Member } from '../model/cluster.js';
import { compareVersions, readEtcdVersion, versionText, type EtcdVersion } from '../model/etcd-version.js';
import type { Probe } from '../model/remote.js';
import {
  PROGRAM_LINKS,
  releaseDirectory,
  RELEASES,
  switchBackScript,
  switchScript,
  unpackCommand,
} from '../shell/etcd-release.js';
import { believedVersions, judgeUpgrade } from './judge-upgrade.js';
import { lookAtClusterVersions, lookAtVersions, type Versions } from './look-at-versions.js';
import { programInTheWay, refusedUpgrade, refusedWhileDown } from './upgrade-refusals.js';

/** A member that runs a release. */
export interface ReleasedMember {
  readonly cluster: Cluster;
  readonly member: Member;
  readonly release: EtcdRelease;
}

/** A release that is on the host, beside those that are there; nothing runs from it yet. */
export function unpackedRelease({ member, release }: Pick<ReleasedMember, 'member' | 'release'>): Resource {
  const directory = releaseDirectory(release);
  return {
    address: `etcd-release:${release.version}`,
    paths: [],
    async plan(probe) {
      const { releases } = await probe.ask(etcdInstalled, member.unit);
      if (releases.includes(directory)) return UNCHANGED;
      const command = unpackCommand(release);
      const action: Action =
        release.fetch === 'control'
          ? { kind: 'send-release', release, command }
          : { kind: 'run', command, undo: { lasting: 'the unpacked release stays, and nothing runs from it' } };
      return changed({
        summary: command.summary,
        diff: [
          `from ${release.source}, ${release.fetch === 'control' ? 'sent by this machine' : 'fetched by the host'}`,
          `SHA-256 ${release.sha256}: compared on the host before it is unpacked`,
        ],
        actions: [action],
        effect: 'create',
        disruptive: false,
      });
    },
  };
}

/**
 * The release that the host's etcd starts from next. A version that the members can not go to is refused while planning.
 * @throws ProvisionError `upgrade-refused`, `upgrade-while-down`, `program-in-the-way`
 */
export function switchedRelease(released: ReleasedMember): Resource {
  const { member, release } = released;
  return {
    address: `etcd-version:${member.name}`,
    paths: [],
    async plan(probe) {
      const versions = await lookAtVersions(released, probe);
      await refuseForbidden(released, versions, probe);
      const { installed } = versions;
      if (installed.current === releaseDirectory(release) && installed.isFirst) return UNCHANGED;
      const [other] = installed.inTheWay;
      if (other !== undefined) throw programInTheWay(member, other);
      return decideSwitch(released, versions);
    },
  };
}

async function refuseForbidden(
  { member, release }: ReleasedMember,
  { own, heard, seen }: Versions,
  probe: Probe,
): Promise<void> {
  const wanted = wantedVersion(release);
  const members = seen.present.members.length;
  const clusters = needsClusterVersion({ own, heard }, wanted) ? await lookAtClusterVersions(seen.present, probe) : [];
  const believed = believedVersions(heard, { clusters, members });
  // Who joins has no version yet, and gets data of the others: the oldest of them counts, as for an upgrade.
  const from = own ?? [...believed.values()].toSorted(compareVersions)[0];
  if (from === undefined) return;
  const verdict = judgeUpgrade({
    ...{ own: from, wanted, members, clusters },
    others: [...believed].flatMap(([host, version]) => (host === member.host ? [] : [version])),
  });
  if (verdict.kind === 'refused')
    throw refusedUpgrade(member, { own: from, release, verdict, runs: own === undefined ? 'cluster' : 'member' });
  if (own === undefined) return;
  const phase = clusterPhase(seen);
  if (verdict.kind !== 'same' && (phase === 'down' || phase === 'unsure'))
    throw refusedWhileDown(member, { own, release });
}

/** What the cluster as a whole is at is asked for a way back, and where one member may not be believed: it says less than others. */
function needsClusterVersion({ own, heard }: Pick<Versions, 'own' | 'heard'>, wanted: EtcdVersion): boolean {
  const said = [...heard.values()].toSorted(compareVersions);
  const [lowest = own] = said;
  if (lowest === undefined) return false;
  if (compareVersions(wanted, own ?? lowest) < 0) return true;
  const agree = said.every(({ minor }) => minor === lowest.minor);
  return !agree && (own === undefined || wanted.minor - lowest.minor > 1);
}

function decideSwitch({ cluster, member, release }: ReleasedMember, versions: Versions): Outcome {
  const { own, heard, installed, storage } = versions;
  const directory = releaseDirectory(release);
  const from = own === undefined ? '' : ` from ${versionText(own)}`;
  const others = cluster.members.filter(({ host }) => host !== member.host);
  return changed({
    summary: `switch etcd${from} to ${release.version}, the release in ${RELEASES}/${directory}`,
    diff: [
      ...(heard.size === 0 ? [] : [`members run ${describeVersions(heard)}`]),
      ...(own === undefined ? [] : [`storage version ${storage[0] ?? 'not reported by etcd before 3.6'}`]),
      `${RELEASES}/current: ${installed.current ?? '(none)'} → ${directory}`,
      `etcd, etcdctl and etcdutl in ${PROGRAM_LINKS} lead there`,
      ...(own === undefined ? [] : [`for the way back ${oldPlace(installed)} stays`]),
    ],
    actions: [
      {
        kind: 'run',
        command: { summary: `switch etcd to ${release.version}`, script: switchScript(directory) },
        undo: {
          summary: `switch etcd back${own === undefined ? '' : ` to ${versionText(own)}`}`,
          script: switchBackScript({ directory: installed.current, version: own, member, others }),
        },
        // The files around it are those of the old version, which may not be able to start any more.
        restores: 'all',
      },
    ],
    effect: 'change',
    disruptive: false,
  });
}

function oldPlace({ current }: EtcdInstalled): string {
  return current === undefined ? 'the package' : `${RELEASES}/${current}`;
}

/** `3.4.23 (etcd-1, etcd-2), 3.5.16 (etcd-3)`. */
function describeVersions(heard: ReadonlyMap<string, EtcdVersion>): string {
  const versions = [...new Set([...heard.values()].map(versionText))].toSorted();
  const hostsOf = (text: string): string =>
    [...heard].flatMap(([host, version]) => (versionText(version) === text ? [host] : [])).join(', ');
  return versions.map((text) => `${text} (${hostsOf(text)})`).join(', ');
}

/** Why a running member must be restarted for its release: its process was started from another program. */
export async function otherProgram(
  { member, release }: Pick<ReleasedMember, 'member' | 'release'>,
  probe: Probe,
): Promise<readonly string[]> {
  const wanted = `${RELEASES}/${releaseDirectory(release)}/etcd`;
  const { running } = await probe.ask(etcdInstalled, member.unit);
  return running === undefined || running === wanted ? [] : [`the process is ${running}, not ${wanted}`];
}

/** The version that a release is of. */
export function wantedVersion({ version }: EtcdRelease): EtcdVersion {
  const found = readEtcdVersion(version);
  if (found === undefined) throw new Error(`${version} was accepted as a version`);
  return found;
}
