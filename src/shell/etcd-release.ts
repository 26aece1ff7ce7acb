import { posix } from 'node:path';
import { httpsUrl } from '../model/endpoint.js';
import type { EtcdRelease, Member } from '../model/cluster.js';
import type { EtcdVersion } from '../model/etcd-version.js';
import type { Command } from '../model/remote.js';
import { needRoomLines } from './disk-room.js';
import { opensslCommand } from './https-request.js';
import { DIRECTORY_FUNCTIONS } from './open-directory.js';
import { quote } from './quote.js';
import { withAptProxies } from './remote-environment.js';

/** Where releases are unpacked, a directory each; `current` leads to the one in use. */
export const RELEASES = '/usr/local/lib/etcd';

/** A link to the release in use; without one none is. */
export const CURRENT_RELEASE = `${RELEASES}/current`;

/** What etcd's unit starts. */
export const RELEASE_PROGRAM = `${CURRENT_RELEASE}/etcd`;

/** Where the programs of the release in use are found: before those of the package, for root, for sudo and for this program. */
export const PROGRAM_LINKS = '/usr/local/bin';

/** What is taken out of a tarball; releases before 3.5 have no etcdutl. */
export const PROGRAMS = ['etcd', 'etcdctl', 'etcdutl'] as const;

/** A tarball of etcd has 20 MiB, its three programs 65; with room for what comes. */
const NEEDED_BYTES = 256 * 1024 * 1024;

/** A slow line to a distant site: 20 MiB at 0.1 Mbit/s. */
const SEND_TIMEOUT_MS = 30 * 60_000;

/** The directory of a release, below {@link RELEASES}: another tarball of the same version is another directory. */
export function releaseDirectory({ version, sha256 }: Pick<EtcdRelease, 'version' | 'sha256'>): string {
  return `${version}-${sha256.slice(0, 12)}`;
}

/**
 * A script that unpacks a release beside those that are there, of a tarball on its stdin or one that the host fetches. It is
 * compared with its SHA-256 before anything is read of it; of its entries only the contents of the programs are used, by their
 * names, so that no path in it means anything; and the new etcd must say its version. A directory that is there is whole.
 */
export function unpackScript(release: EtcdRelease): string {
  const { version, sha256, source, fetch } = release;
  const top = `etcd-v${version}-linux-$arch`;
  const directory = quote(`./${releaseDirectory(release)}`);
  return [
    DIRECTORY_FUNCTIONS,
    ...architectureLines(),
    `enter ${RELEASES} 0755`,
    `only_root ${RELEASES}`,
    `[ ! -e ${directory} ] || exit 0`,
    `trap 'exit 143' HUP INT TERM`,
    'stage .unpack',
    ...needRoomLines({ subject: 'a release of etcd needs', bytes: NEEDED_BYTES, at: '.', place: `in ${RELEASES}` }),
    fetch === 'host' ? fetchLine(source) : 'cat >./release.tar.gz',
    'got=$(sha256sum <./release.tar.gz)',
    `[ "\${got%% *}" = ${sha256} ] || refuse "the tarball of etcd ${version} has SHA-256 \${got%% *}, and ${sha256} was expected: nothing was unpacked"`,
    'tar -tPzf ./release.tar.gz >./entries 2>/dev/null || refuse "the file is no tarball, or could not be read (tar -tzf)"',
    `for name in ${PROGRAMS.join(' ')}; do`,
    '  : >"./$name"',
    `  if grep -Fxq -- "${top}/$name" ./entries; then`,
    `    tar -xzf ./release.tar.gz -O --occurrence=1 -- "${top}/$name" >"./$name" 2>/dev/null || refuse "${top}/$name could not be unpacked: is the disk full?"`,
    '  fi',
    // Of a link, or anything else that is no file, nothing comes out.
    '  if [ -s "./$name" ]; then chmod 0755 "./$name"; elif [ "$name" = etcdutl ]; then rm "./$name"; else',
    `    refuse "the tarball has no ${top}/$name: it is of another version, or for another machine than $(uname -m)"`,
    '  fi',
    'done',
    'rm ./release.tar.gz ./entries',
    // What does not run here, as on another C library, is met before anything is changed.
    `said=$(timeout 20 ./etcd --version 2>&1) || refuse "the etcd of the release does not run here: $said"`,
    `got=$(printf '%s\\n' "$said" | sed -n 's/^etcd Version: //p')`,
    `[ "$got" = ${version} ] || refuse "the etcd of the release says that it is version $got, and ${version} was expected"`,
    'chmod 0755 .',
    'for name in ./*; do sync "$name"; done',
    'trap - EXIT',
    `mv -T ../.unpack ${quote(`../${releaseDirectory(release)}`)}`,
    'sync ..',
  ].join('\n');
}

/** Names as upstream has them (Go's GOARCH). */
function architectureLines(): readonly string[] {
  return [
    'case $(uname -m) in',
    'x86_64) arch=amd64 ;; aarch64) arch=arm64 ;; ppc64le | s390x | riscv64) arch=$(uname -m) ;;',
    '*) refuse "there are no releases of etcd for $(uname -m)" ;;',
    'esac',
  ];
}

/** Every Debian host has apt's own downloader, and with it the proxy that apt uses; curl it may not have. */
function fetchLine(url: string): string {
  return `${withAptProxies()} /usr/lib/apt/apt-helper -q download-file ${quote(url)} "$PWD/release.tar.gz" >&2`;
}

/** A script that makes a release the one in use, in one rename: from the next start of etcd on, and at once for etcdctl. */
export function switchScript(directory: string): string {
  return [
    ...linkLines(),
    `[ -x ${quote(`./${directory}/etcd`)} ] || refuse ${quote(`there is no etcd in ${RELEASES}/${directory}`)}`,
    `point ${quote(directory)} current`,
    `enter ${PROGRAM_LINKS}`,
    `only_root ${PROGRAM_LINKS}`,
    ...PROGRAMS.map((name) => `point ${CURRENT_RELEASE}/${name} ${name}`),
  ].join('\n');
}

/** Of what a member answers, the minor version of the cluster as a whole: one answer of each. */
const CLUSTER_MINOR = `sed -n 's/.*"etcdcluster":"3\\.\\([0-9]\\{1,4\\}\\)\\..*/\\1/p' | head -n 1`;

/** What a switch is taken back with. */
export interface SwitchBack {
  /** The directory that was in use; absent: none was. */
  readonly directory: string | undefined;
  /** The version that ran. */
  readonly version: EtcdVersion | undefined;
  readonly member: Member;
  readonly others: readonly Member[];
}

/**
 * A script that takes {@link switchScript} back, unless most members say that the cluster as a whole has gone to a newer minor
 * version meanwhile: then the older etcd would refuse to start ("invalid downgrade"), and the new one stays.
 */
export function switchBackScript({ directory, version, member, others }: SwitchBack): string {
  const { ca, certificate, key } = member.client;
  const ask = [member, ...others]
    .map(({ address, clientPort }) => `${httpsUrl(address, clientPort)}/version`)
    .map((url) => `${opensslCommand({ url, ca, certificate, key }, 5)} 2>/dev/null | ${CLUSTER_MINOR}; echo;`);
  const guard =
    version === undefined
      ? []
      : [
          'all=0 newer=0',
          `for minor in $(${ask.join(' ')}); do all=$((all + 1)); [ "$minor" -le ${version.minor} ] || newer=$((newer + 1)); done`,
          // One that lies keeps nobody from the way back.
          `[ "$newer" = 0 ] || [ $((2 * newer)) -lt "$all" ] || refuse "the cluster is newer than etcd 3.${version.minor} already, say $newer of the $all members that answer, and that could not start any more: the new version stays"`,
        ];
  return [
    ...linkLines(),
    ...guard,
    ...(directory === undefined ? leaveLines() : [`point ${quote(directory)} current`]),
  ].join('\n');
}

/** A script that makes no release the one in use: from the next start of etcd on, and at once for etcdctl. */
export function leaveReleaseScript(): string {
  return [...linkLines(), ...leaveLines()].join('\n');
}

/** The link to the release goes last: as long as it is there, a look finds that this is not done. */
function leaveLines(): readonly string[] {
  return [`enter ${PROGRAM_LINKS}`, ...PROGRAMS.map(removeOwnLink), `enter ${RELEASES}`, 'rm -f ./current'];
}

function removeOwnLink(name: string): string {
  return `[ "$(readlink ./${name})" != ${CURRENT_RELEASE}/${name} ] || rm ./${name}`;
}

/**
 * `point TARGET NAME`: makes NAME of the current directory a link to it, in one rename. Only `current`, in a directory of ours,
 * may lead elsewhere before; what others have there stays.
 */
function linkLines(): readonly string[] {
  return [
    DIRECTORY_FUNCTIONS,
    'point() {',
    '  [ "$(readlink "./$2")" != "$1" ] || return 0',
    '  if [ "$2" = current ] && [ -L ./current ]; then :; elif [ -L "./$2" ] || [ -e "./$2" ]; then',
    '    refuse "$at/$2 is of others: it is left as it is"; fi',
    '  rm -f "./.$2.provision"; ln -s "$1" "./.$2.provision"; mv -f -T "./.$2.provision" "./$2"; sync .',
    '}',
    `enter ${RELEASES} 0755`,
    `only_root ${RELEASES}`,
  ];
}

/** The command that unpacks a release. */
export function unpackCommand(release: EtcdRelease): Command {
  const place = posix.join(RELEASES, releaseDirectory(release));
  return {
    summary: `unpack etcd ${release.version} into ${place}`,
    script: unpackScript(release),
    timeoutMs: SEND_TIMEOUT_MS,
  };
}
