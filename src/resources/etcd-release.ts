import { etcdInstalled, type EtcdInstalled } from '../facts/etcd-installed.js';
import { clusterPhase, hasOwnData, lookAtMembers, type MembersSeen } from '../facts/etcd-phase.js';
import { etcdStatus, etcdStatusKey, type EtcdStatus } from '../facts/etcd-status.js';
import { unitCommand } from '../facts/unit-command.js';
import { unlessLost } from '../facts/unless-lost.js';
import { changed, UNCHANGED, type Action, type Outcome, type Resource, type Run } from '../model/change.js';
import type { Cluster, EtcdRelease, Member } from '../model/cluster.js';
import { RemoteError } from '../model/errors.js';
import { compareVersions, readEtcdVersion, versionText, type EtcdVersion } from '../model/etcd-version.js';
import type { Probe } from '../model/remote.js';
import {
  leaveReleaseScript,
  PROGRAM_LINKS,
  releaseDirectory,
  RELEASE_PROGRAM,
  RELEASES,
  switchBackScript,
  switchScript,
  unpackCommand,
} from '../shell/etcd-release.js';
import { judgeUpgrade } from './judge-upgrade.js';
import { refusedUpgrade, refusedWhileDown, runsRelease } from './upgrade-refusals.js';

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
        disruptive: false,
      });
    },
  };
}

/** What is known of versions, of a member and of its cluster. */
interface Versions {
  readonly installed: EtcdInstalled;
  /** What its data was last used by, as far as it can be told; absent without data. */
  readonly own: EtcdVersion | undefined;
  /** Host → version, of those that answer. */
  readonly heard: ReadonlyMap<string, EtcdVersion>;
  /** What newer members tell of the format of their data. */
  readonly storage: readonly string[];
  readonly seen: MembersSeen;
}

async function lookAtVersions({ cluster, member }: Omit<ReleasedMember, 'release'>, probe: Probe): Promise<Versions> {
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
 * A snapshot on the control machine before the first member runs another version. Each member plans it, for it is not known
 * whose turn comes first; once one of them runs the new version no other one needs it.
 */
export function snapshotBeforeUpgrade(released: ReleasedMember): Resource {
  const wanted = wantedVersion(released.release);
  return {
    address: 'snapshot:before-upgrade',
    paths: [],
    async plan(probe) {
      const { own, heard } = await lookAtVersions(released, probe);
      const running = [...heard.values()];
      const isBegun = running.some((version) => versionText(version) === versionText(wanted));
      if (own === undefined || running.length === 0 || isBegun) return UNCHANGED;
      return changed({
        summary: 'save a snapshot of the cluster on this machine, before the first member is upgraded',
        diff: ['+ .provision/snapshots, beside the inventory: once, by the member whose turn comes first'],
        actions: [{ kind: 'save-snapshot' }],
        disruptive: false,
      });
    },
  };
}

/**
 * The release that the host's etcd starts from next. A version that the members can not go to is refused while planning.
 * @throws ProvisionError `upgrade-refused`, `upgrade-while-down`
 */
export function switchedRelease(released: ReleasedMember): Resource {
  const { member, release } = released;
  return {
    address: `etcd-version:${member.name}`,
    paths: [],
    async plan(probe) {
      const versions = await lookAtVersions(released, probe);
      refuseForbidden(released, versions);
      const { installed } = versions;
      if (installed.current === releaseDirectory(release) && installed.isFirst) return UNCHANGED;
      return decideSwitch(released, versions);
    },
  };
}

function refuseForbidden({ member, release }: ReleasedMember, { own, heard, seen }: Versions): void {
  // Who joins has no version yet, and gets data of the others: the oldest of them counts, as for an upgrade.
  const from = own ?? [...heard.values()].toSorted(compareVersions)[0];
  if (from === undefined) return;
  const verdict = judgeUpgrade({ own: from, all: [from, ...heard.values()], wanted: wantedVersion(release) });
  if (verdict.kind === 'refused')
    throw refusedUpgrade(member, { own: from, release, verdict, runs: own === undefined ? 'cluster' : 'member' });
  if (own === undefined) return;
  const phase = clusterPhase(seen);
  if (verdict.kind !== 'same' && (phase === 'down' || phase === 'unsure'))
    throw refusedWhileDown(member, { own, release });
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
      ...(own === undefined ? [] : [`storage version ${storage[0] ?? 'not told by etcd before 3.6'}`]),
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

/**
 * The package's etcd in place of a release, where both are the same version; what is unpacked stays.
 * @throws ProvisionError `runs-a-release` where they differ: a package has no version that could be chosen
 */
export function packagedProgram({ cluster, member }: Omit<ReleasedMember, 'release'>): Resource {
  const { host, unit, name } = member;
  return {
    address: `etcd-version:${name}`,
    paths: [],
    async plan(probe) {
      const { next } = await probe.ask(unitCommand, unit);
      if (next[0] !== RELEASE_PROGRAM) return UNCHANGED;
      const { own, installed } = await lookAtVersions({ cluster, member }, probe);
      const { packaged, current } = installed;
      if (packaged === undefined)
        return { kind: 'unknown', because: 'the version of the package is known once it is installed' };
      if (own !== undefined && compareVersions(own, packaged) !== 0) throw runsRelease(host, { own, packaged });
      const use = { summary: 'use the programs of the package', script: leaveReleaseScript() };
      const back: Run['undo'] =
        current === undefined
          ? 'nothing'
          : { summary: 'use those of the release again', script: switchScript(current) };
      return changed({
        summary: `go back to the package of etcd, ${versionText(packaged)}`,
        diff: [`- /etc/systemd/system/${unit}.service`, `${RELEASES}/${current ?? ''} stays unpacked`],
        actions: [
          { kind: 'remove-file', path: `/etc/systemd/system/${unit}.service` },
          { kind: 'run', command: use, undo: back },
        ],
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

function wantedVersion({ version }: EtcdRelease): EtcdVersion {
  const found = readEtcdVersion(version);
  if (found === undefined) throw new Error(`${version} was accepted as a version`);
  return found;
}
