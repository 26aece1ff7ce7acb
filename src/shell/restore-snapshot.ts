import type { Member } from '../model/cluster.js';
import { needRoomLines, type DiskRoom } from './disk-room.js';
import { quote } from './quote.js';
import { asOwner, begin, inData, stopSoon, stopUnit } from './restore-stage.js';
import { toolLines } from './snapshot.js';

/** Etcd's guide for restores under Kubernetes: further than any cluster writes between two snapshots (etcd docs, "recovery"). */
const REVISION_BUMP = 1_000_000_000;

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
    ...removeUnfinished(),
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

/**
 * A run that was killed while it sent a snapshot left a part of it, under an id of its own: what was not noted as unpacked goes on nowhere.
 * What has another name is a person's.
 */
function removeUnfinished(): readonly string[] {
  const digits = (count: number): string => '[0-9]'.repeat(count);
  return [
    `for each in "$data"/restore-${digits(8)}T${digits(6)}Z-*; do`,
    '  [ -e "../${each##*/restore-}/unpacked" ] || as rm -rf -- "$each"',
    'done',
  ];
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

/** How long etcd may take to read its log again, and to apply what of it is committed, in seconds. */
const REPLAY_S = 300;

/**
 * For so many looks, a second apart, the database has stayed as it is: all is applied. etcd writes what it applies ten times a
 * second (`--backend-batch-interval`), and without a quorum nothing comes after that.
 */
const QUIET_LOOKS = 3;

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
    '  seen= quiet=0',
    `  while [ "$quiet" -lt ${QUIET_LOOKS} ]; do`,
    `    [ "$(date +%s)" -lt "$left" ] || refuse ${quote(`${unit} still writes to its database after ${REPLAY_S} s: journalctl -u ${unit}`)}`,
    '    sleep 1',
    `    now=$(stat -c '%s %y' -- "$data/member/snap/db")`,
    '    if [ "$now" = "$seen" ]; then quiet=$((quiet + 1)); else seen=$now quiet=0; fi',
    '  done ;;',
    'esac',
    ...stopSoon(unit),
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
    ...stopSoon(member.unit).map((line) => `  ${line}`),
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
