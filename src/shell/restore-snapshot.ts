import type { Member } from '../model/cluster.js';
import { needRoomLines, type DiskRoom } from './disk-room.js';
import { DIRECTORY_FUNCTIONS } from './open-directory.js';
import { quote } from './quote.js';
import { toolLines } from './snapshot.js';

/** Where each host notes how far a restore is, for root only: `ID/STAGE`. */
export const RESTORES = '/var/lib/provision/restore';

/** As far as a restore, or the way back from one, may be on a host. */
export type RestoreStage =
  | 'apiserver-stopped'
  | 'unpacked'
  | 'exchanging'
  | 'fenced'
  | 'exchanged'
  | 'started'
  | 'apiserver-started'
  | 'back-stopped'
  | 'back-exchanged'
  | 'back-started'
  | 'back-apiserver'
  | 'done';

/** The note of a stage. @param id of the restore */
export function stagePath(id: string, stage: RestoreStage): string {
  return `${RESTORES}/${id}/${stage}`;
}

/** Etcd's guide for restores under Kubernetes: further than any cluster writes between two snapshots (etcd docs, "recovery"). */
const REVISION_BUMP = 1_000_000_000;

/** Seconds that a kube-apiserver may take to end: the kubelet's full check of its files, and the grace period of the pod. */
const END_S = 180;

/** What a script of a restore begins with: it works in the directory of its notes. */
function begin(id: string): readonly string[] {
  const directory = `${RESTORES}/${id}`;
  return [
    DIRECTORY_FUNCTIONS,
    `enter ${quote(directory)} 0700`,
    `only_root ${quote(directory)}`,
    'mark() {',
    `  printf '%s\\n' "$2" >"./.$1"`,
    '  sync "./.$1"',
    '  mv -T "./.$1" "./$1"',
    '  sync .',
    '}',
  ];
}

/**
 * Lines that define `as`, which runs a command as the user that the member's data belongs to: root does nothing itself
 * in a directory of others.
 */
function asOwner({ dataDir, unit }: Pick<Member, 'dataDir' | 'unit'>): readonly string[] {
  return [
    `data=${quote(dataDir)}`,
    `user=$(stat -c %U "$data/member" 2>/dev/null) || user=$(systemctl show -P User -- ${quote(`${unit}.service`)})`,
    '[ -n "$user" ] || user=root',
    '[ "$user" != UNKNOWN ] || refuse "$data belongs to a user that the host does not know"',
    '[ -d "$data" ] || refuse "there is no directory $data"',
    `as() { (cd -P / && if [ "$user" = root ]; then "$@"; else runuser -u "$user" -- "$@"; fi); }`,
  ];
}

/** How a member is restored. */
export interface Unpacking {
  readonly id: string;
  readonly member: Pick<Member, 'dataDir' | 'unit' | 'name' | 'peerPort'>;
  /** A snapshot on stdin; or what the member itself has, which is stopped for it. */
  readonly from: { readonly bytes: number; readonly sha256: string } | 'own-data';
  /** `etcd-1=https://10.0.0.1:2380,…`: the same for all. */
  readonly initialCluster: string;
  readonly peerUrls: readonly string[];
  readonly token: string;
  /** Every member's tool can raise revisions and mark the old ones as compacted. */
  readonly bump: 'revisions' | 'none';
}

/** Lines that only a restore's own `sh -c` runs: its directory is entered first. */
function inData(script: readonly string[]): string {
  return `as sh -euc ${quote(['umask 077', 'cd -P -- "$1"', ...script].join('\n'))} sh "$data"`;
}

/**
 * Takes the snapshot on stdin and restores it beside the data, as the data's user, while etcd runs: all that may go wrong
 * with it goes wrong before anything is stopped.
 */
export function unpackScript(unpacking: Unpacking): string {
  const { id, member, from, initialCluster, peerUrls, token, bump } = unpacking;
  const place = `./restore-${id}`;
  const full = `${member.dataDir}/restore-${id}`;
  return [
    ...begin(id),
    ...asOwner(member),
    'export ETCDCTL_API=3',
    ...toolLines(),
    // With another log than the one that was restored etcd would have two histories.
    `[ ! -d "$data/member" ] || [ -d "$data/member/wal" ] || refuse "the log of the member is not in $data (--wal-dir): such a member is restored by hand"`,
    ...(from === 'own-data' ? takeOwnData(member, place) : takeSnapshot(from, place, full)),
    [
      'as env ETCDCTL_API=3 "$tool" snapshot restore',
      quote(`${full}/snapshot.db`),
      `--name ${quote(member.name)}`,
      `--initial-cluster ${quote(initialCluster)}`,
      `--initial-advertise-peer-urls ${quote(peerUrls.join(','))}`,
      `--initial-cluster-token ${quote(token)}`,
      `--data-dir ${quote(`${full}/data`)}`,
      // A database that is no snapshot has no checksum at its end (etcd docs, "recovery").
      ...(from === 'own-data' ? ['--skip-hash-check'] : []),
      ...(bump === 'revisions' ? [`--bump-revision ${REVISION_BUMP} --mark-compacted`] : []),
      '>&2',
    ].join(' '),
    inData([`[ -d ${place}/data/member ]`, `rm -f ${place}/snapshot.db`, `sync -f ${place}`]),
    `mark unpacked ${quote(`${bump} ${initialCluster}`)}`,
  ].join('\n');
}

/** Room for the database twice: as it is, and as it is restored. */
function needRoom(bytes: DiskRoom['bytes']): readonly string[] {
  return needRoomLines({ subject: 'a restore needs', bytes, at: '"$data"', place: 'beside the data in $data' });
}

function takeSnapshot(
  { bytes, sha256 }: Exclude<Unpacking['from'], 'own-data'>,
  place: string,
  full: string,
): readonly string[] {
  return [
    ...needRoom(bytes * 2.2 + 256 * 1024 * 1024),
    inData([`rm -rf ${place}`, `mkdir -m 0700 ${place}`, `cat >${place}/snapshot.db`]),
    `sum=$(as sha256sum -- ${quote(`${full}/snapshot.db`)} | cut -c 1-64)`,
    `[ "$sum" = ${sha256} ] || refuse 'the snapshot did not arrive whole: its SHA-256 differs'`,
  ];
}

/** How long etcd may take to read its log again, in seconds. */
const REPLAY_S = 300;

/**
 * Stops the member and copies its database. One that did not end in order has committed entries in its log that are not in
 * its database yet: it is started once, alone, and stopped in order.
 */
function takeOwnData({ unit, peerPort }: Unpacking['member'], place: string): readonly string[] {
  const name = quote(`${unit}.service`);
  return [
    '[ -f "$data/member/snap/db" ] || refuse "there is no database in $data"',
    'need=$(($(stat -c %s -- "$data/member/snap/db") / 1024 * 22 / 10 + 262144))',
    ...needRoom({ kib: '$need' }),
    `state=$(systemctl show -P ActiveState -- ${name})`,
    'case $state in active | reloading) ;; *)',
    // Without a quorum it never reports that it is ready; it listens for its peers once its log is read.
    `  systemctl reset-failed ${name} 2>/dev/null || :`,
    `  systemctl start --quiet --no-block ${name}`,
    `  left=$(($(date +%s) + ${REPLAY_S}))`,
    `  until ss -Hltn 'sport = :${peerPort}' | grep -q .; do`,
    `    [ "$(date +%s)" -lt "$left" ] || refuse ${quote(`${unit} does not start with the data that it has: journalctl -u ${unit}`)}`,
    '    sleep 1',
    '  done',
    // What is committed is applied, and written to the database, within moments.
    '  sleep 3 ;;',
    'esac',
    ...stopUnit(unit),
    inData([`rm -rf ${place}`, `mkdir -m 0700 ${place}`, `cp ./member/snap/db ${place}/snapshot.db`]),
  ];
}

/**
 * Keeps a member of a cluster that is given up from coming back: it is stopped, is not started at boot, and its data is moved
 * aside. A bare host has nothing of it.
 */
export function fenceScript(id: string, member: Pick<Member, 'dataDir' | 'unit'>): string {
  const name = quote(`${member.unit}.service`);
  return [
    ...begin(id),
    `if [ "$(systemctl show -P LoadState -- ${name})" = loaded ]; then`,
    `  systemctl disable --quiet ${name}`,
    ...stopUnit(member.unit).map((line) => `  ${line}`),
    'fi',
    `if [ -e ${quote(`${member.dataDir}/member`)} ]; then`,
    ...asOwner(member).map((line) => `  ${line}`),
    inData([`[ ! -e ./member.before-${id} ] || exit 1`, `mv -T ./member ./member.before-${id}`, 'sync -f .']),
    'fi',
    'mark fenced yes',
  ].join('\n');
}

/** Takes back what {@link unpackScript} put beside the data. */
export function removeUnpackedScript({ id, member }: Pick<Unpacking, 'id' | 'member'>): string {
  return [...begin(id), ...asOwner(member), inData([`rm -rf ./restore-${id}`]), 'rm -f ./unpacked'].join('\n');
}

/** Stops the member and puts the restored data in place of its own, which is moved aside. Each step is one rename. */
export function exchangeScript(id: string, member: Pick<Member, 'dataDir' | 'unit'>): string {
  const restored = `./restore-${id}/data/member`;
  return [
    ...begin(id),
    ...asOwner(member),
    // From here on the way back has to stop etcd everywhere.
    'mark exchanging yes',
    ...stopUnit(member.unit),
    inData([
      `if [ -d ${restored} ]; then`,
      '  if [ -e ./member ] || [ -L ./member ]; then',
      `    [ ! -e ./member.before-${id} ] || exit 1`,
      `    mv -T ./member ./member.before-${id}`,
      '  fi',
      `  mv -T ${restored} ./member`,
      'fi',
      `rm -rf ./restore-${id}`,
      'sync -f .',
    ]),
    'mark exchanged yes',
  ].join('\n');
}

function stopUnit(unit: string): readonly string[] {
  const name = quote(`${unit}.service`);
  return [
    `systemctl stop --quiet ${name}`,
    `! systemctl is-active --quiet ${name} || refuse ${quote(`${unit} still runs`)}`,
  ];
}

/** Puts the data of before in place again; what was restored is moved aside. The member must be stopped everywhere. */
export function exchangeBackScript(id: string, member: Pick<Member, 'dataDir' | 'unit'>): string {
  return [
    ...begin(id),
    ...asOwner(member),
    ...stopUnit(member.unit),
    inData([
      `if [ -e ./member.before-${id} ]; then`,
      `  [ ! -e ./member ] || mv -T ./member ./member.restored-${id}`,
      `  mv -T ./member.before-${id} ./member`,
      'fi',
      `rm -rf ./restore-${id}`,
      'sync -f .',
    ]),
    'mark back-exchanged yes',
  ].join('\n');
}

/** The way back where no member was stopped: only what was restored beside the data goes. */
export function leaveScript(id: string, member: Pick<Member, 'dataDir' | 'unit'>): string {
  return [...begin(id), ...asOwner(member), inData([`rm -rf ./restore-${id}`]), 'mark back-exchanged yes'].join('\n');
}

/** Stops a member on the way back, wherever the restore stands. */
export function stopMemberScript(id: string, unit: string): string {
  return [...begin(id), ...stopUnit(unit), 'mark back-stopped yes'].join('\n');
}

/** Starts a member; with all others at once, for none is ready before a quorum is. */
export function startMemberScript(id: string, unit: string, stage: 'started' | 'back-started'): string {
  const name = quote(`${unit}.service`);
  return [
    ...begin(id),
    `systemctl reset-failed ${name} 2>/dev/null || :`,
    `systemctl start --quiet ${name} || { journalctl --no-pager -o cat -n 15 -u ${name} >&2; exit 1; }`,
    `mark ${stage} yes`,
  ].join('\n');
}

/** Takes {@link startMemberScript} back. */
export function unstartMemberScript(id: string, unit: string, stage: 'started' | 'back-started'): string {
  return [...begin(id), `rm -f ./${stage}`, `systemctl stop --quiet ${quote(`${unit}.service`)}`].join('\n');
}

/** Where the kubelet looks, whatever links lead there. @returns lines that set `entry` */
function manifestEntry(manifest: string): readonly string[] {
  return [
    `manifest=${quote(manifest)}`,
    'watched=$(readlink -f -- "${manifest%/*}") || refuse "there is no directory ${manifest%/*}"',
    'entry="$watched/${manifest##*/}"',
  ];
}

/** Moves the manifest of a kube-apiserver out of the kubelet's sight, and waits until its process has ended. */
export function stopApiserverScript(id: string, manifest: string): string {
  return [
    ...begin(id),
    ...manifestEntry(manifest),
    'if [ -e "$entry" ] || [ -L "$entry" ]; then',
    '  rm -f ./.manifest',
    '  cp -a -T "$entry" ./.manifest',
    '  sync ./.manifest',
    '  mv -T ./.manifest ./manifest',
    '  sync .',
    '  rm -f "$entry"',
    'fi',
    'left=$(($(date +%s) + ' + String(END_S) + '))',
    'while grep -qx kube-apiserver /proc/[0-9]*/comm 2>/dev/null; do',
    '  [ "$(date +%s)" -lt "$left" ] || refuse "a kube-apiserver still runs: look for another manifest of it in $watched"',
    '  sleep 1',
    'done',
    'mark apiserver-stopped yes',
  ].join('\n');
}

/** Puts the manifest back where {@link stopApiserverScript} took it from. @param stage what is noted then */
export function startApiserverScript(
  id: string,
  manifest: string,
  stage: 'apiserver-started' | 'back-apiserver',
): string {
  return [
    ...begin(id),
    ...manifestEntry(manifest),
    'if [ -e ./manifest ] || [ -L ./manifest ]; then',
    '  if [ ! -e "$entry" ]; then',
    // A name that begins with a dot is none of the kubelet's.
    '    cp -a -T ./manifest "$watched/.provision-restore"',
    '    sync "$watched/.provision-restore" 2>/dev/null || :',
    '    mv -T "$watched/.provision-restore" "$entry"',
    '  fi',
    'fi',
    `mark ${stage} yes`,
  ].join('\n');
}

/** Takes {@link stopApiserverScript} back: the manifest is where it was, and the stage is not noted. */
export function unstopApiserverScript(id: string, manifest: string): string {
  return [startApiserverScript(id, manifest, 'back-apiserver'), 'rm -f ./apiserver-stopped ./back-apiserver'].join(
    '\n',
  );
}

/**
 * Ends a restore on a host. What was there before the restore, and runs on, may remember revisions that are not there any
 * more: kubelets, the controller manager and the scheduler are started again where they run.
 */
export function finishScript(id: string, role: 'control-plane' | 'member'): string {
  return [
    ...begin(id),
    ...(role === 'control-plane'
      ? [
          // The names of processes have 15 characters at most (proc(5), `comm`).
          'for pid in $(grep -lxE "kube-controller|kube-scheduler" /proc/[0-9]*/comm 2>/dev/null); do',
          '  pid=${pid#/proc/}; kill "${pid%/comm}" 2>/dev/null || :',
          'done',
          'if systemctl is-active --quiet kubelet.service; then systemctl restart --quiet kubelet.service; fi',
        ]
      : []),
    'mark done yes',
  ].join('\n');
}
