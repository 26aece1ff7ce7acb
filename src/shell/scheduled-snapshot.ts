import type { Member, SnapshotSchedule } from '../model/cluster.js';
import { needRoomLines } from './disk-room.js';
import { etcdctlFlags } from './etcdctl.js';
import { DIRECTORY_FUNCTIONS } from './open-directory.js';
import { quote } from './quote.js';
import { retireFunctions, type ManifestMarks } from './retire-snapshots.js';
import { manifestLines } from './snapshot-manifest-lines.js';
import { SNAPSHOT_UNIT, snapshotNames, UPLOAD_SAYS, type SnapshotNames } from './snapshot-unit.js';
import { toolLines } from './snapshot.js';

/** Longer than any database that etcd can open takes to be copied, in seconds. */
const SAVE_LIMIT_S = 1500;
/** Of a database of gigabytes, over a slow line, in seconds. */
const UPLOAD_LIMIT_S = 7200;
/** An election, or a start of the host, is over by then: so many questions, and seconds between them. */
const ASKED = { times: 12, pauseS: 5 } as const;

/** What a script that saves on a schedule is made of. */
export interface ScheduledSnapshot {
  /** Name of the cluster, for the manifest. */
  readonly cluster: string;
  readonly member: Pick<Member, 'host' | 'name' | 'clientUrl' | 'client'>;
  readonly snapshots: SnapshotSchedule;
}

/**
 * The script that a host runs on its own: it saves a snapshot of its own member, and compares etcd's own checksum, before
 * anything is named after it; then the manifest, the snapshot and the stamp come into place, each by one rename, in this
 * order. Only then the oldest go, and only such as this script saved of this cluster on this host, and are of the size that their
 * manifest says: {@link retireFunctions}.
 */
export function scheduledSnapshotScript(scheduled: ScheduledSnapshot): string {
  const { member, snapshots } = scheduled;
  const names = snapshotNames(member.host);
  return [
    '#!/bin/sh',
    `# Written by provision: changes made here are replaced. ${SNAPSHOT_UNIT}.service runs it.`,
    '# Saves a verified snapshot of the etcd member of this host, and keeps the last ones.',
    DIRECTORY_FUNCTIONS,
    'export ETCDCTL_API=3 LC_ALL=C',
    `directory=${quote(snapshots.directory)}`,
    `keep=${snapshots.keep}`,
    `ctl() { timeout 30 etcdctl ${etcdctlFlags(member)} --dial-timeout=5s --command-timeout=20s "$@"; }`,
    `prefix=${quote(names.prefix)}`,
    ...FUNCTIONS,
    ...stampFunction(names),
    ...retireFunctions(marksOf(scheduled)),
    'enter "$directory"',
    'only_root "$directory"',
    `trap 'exit 143' HUP INT TERM`,
    // What a power cut left of the last run goes with it.
    `stage ${quote(names.stage)}`,
    ...askLines(),
    ...saveLines(member),
    ...VERIFY,
    ...placeLines(scheduled),
    ...uploadLines(snapshots),
    '',
  ].join('\n');
}

const FUNCTIONS = [
  // What etcd says in one line, for the journal.
  'last_line() { tail -n 1 | tr -dc "[:print:]" | cut -c 1-300; }',
  `number() { printf %s "$1" | sed -n "s/.*\\"$2\\":\\([0-9][0-9]*\\)[,}].*/\\1/p"; }`,
];

/** @param names the stamp's */
function stampFunction({ stamp }: SnapshotNames): readonly string[] {
  const [here, there] = [quote(`./${stamp}`), quote(`../${stamp}`)];
  const format = ['file', 'saved', 'revision', 'keys', 'bytes', 'larger', 'other', 'upload']
    .map((name) => `${name}=%s\\n`)
    .join('');
  return [
    'stamp() {',
    `  printf '${format}' "$name" "$now" "$revision" "$keys" "$bytes" "$larger" "$other" "$1" >${here}`,
    `  sync ${here}`,
    `  mv -T ${here} ${there}`,
    '  sync ..',
    '}',
  ];
}

/** A member that lost its quorum still gives a snapshot, of what was: that is none of the cluster of now. */
function askLines(): readonly string[] {
  return [
    `command -v etcdctl >/dev/null || refuse 'there is no etcdctl on this host'`,
    `left=${ASKED.times}`,
    // As `etcdctl endpoint health` asks; but an alarm, as of a full database, is no reason to save nothing.
    'until said=$(ctl get health --keys-only 2>&1); do',
    `  case $said in *'permission denied'*) break ;; esac`,
    '  left=$((left - 1))',
    `  [ $left -gt 0 ] || refuse "etcd does not answer as a member of a healthy cluster: $(printf '%s\\n' "$said" | last_line)"`,
    `  sleep ${ASKED.pauseS}`,
    'done',
    'status=$(ctl endpoint status -w json 2>/dev/null | tail -n 1)',
    'size=$(number "$status" dbSize) id=$(number "$status" cluster_id)',
    // With users it is no one's to count: empty. etcdctl 3.4 has no --count-only, and the count of an answer is the whole one's.
    `live=$(ctl get '' --from-key --limit=1 --keys-only -w fields 2>/dev/null | sed -n 's/^"Count" : \\([0-9][0-9]*\\)$/\\1/p')`,
    '[ -n "$size" ] || refuse "etcd does not say how large its database is"',
    // A fifth, and 64 MiB, for what is written meanwhile.
    'need=$((size / 1024 * 12 / 10 + 65536))',
    ...needRoomLines({ subject: 'a snapshot needs', bytes: { kib: '$need' }, at: '.', place: 'in $directory' }),
  ];
}

function saveLines(member: ScheduledSnapshot['member']): readonly string[] {
  return [
    `timeout ${SAVE_LIMIT_S} etcdctl ${etcdctlFlags(member)} --dial-timeout=5s snapshot save ./snapshot.db >./said 2>&1 ||`,
    '  refuse "etcd gave no snapshot: $(last_line <./said)"',
  ];
}

/** etcd appends the SHA-256 of what it sends (etcd server, `maintenance.go`); a database is a whole number of sectors. */
const VERIFY = [
  'bytes=$(stat -c %s ./snapshot.db)',
  `[ $((bytes % 512)) -eq 32 ] || refuse "the snapshot is incomplete: its $bytes bytes do not end with a checksum"`,
  `sealed=$(tail -c 32 ./snapshot.db | od -An -v -tx1 | tr -d ' \\n')`,
  'sum=$(head -c $((bytes - 32)) ./snapshot.db | sha256sum | cut -c 1-64)',
  `[ "$sum" = "$sealed" ] || refuse 'the snapshot is damaged: the checksum at its end does not match'`,
  'sha256=$(sha256sum <./snapshot.db | cut -c 1-64)',
  ...toolLines(),
  'said=$("$tool" snapshot status ./snapshot.db -w json 2>/dev/null | tail -n 1) || :',
  'revision=$(number "$said" revision) keys=$(number "$said" totalKey) hash=$(number "$said" hash)',
  `[ -n "$revision" ] && [ -n "$keys" ] && [ -n "$hash" ] || refuse "$tool can not read the snapshot"`,
];

function marksOf({ cluster, member }: ScheduledSnapshot): ManifestMarks {
  return { cluster: JSON.stringify(cluster), savedBy: JSON.stringify(`${SNAPSHOT_UNIT} on ${member.host}`) };
}

/** The manifest comes first into its place: no snapshot is ever without one. */
function placeLines(scheduled: ScheduledSnapshot): readonly string[] {
  return [
    'now=$(date +%s)',
    'while name=$prefix$(date -u -d "@$now" +%Y-%m-%dT%H-%M-%SZ).db && [ -e "../$name" ]; do sleep 1; now=$((now + 1)); done',
    ...manifestLines(scheduled.member, marksOf(scheduled)),
    'sync ./snapshot.db ./manifest',
    'mv -T ./manifest "../$name.json"',
    'mv -T ./snapshot.db "../$name"',
    'count',
    'stamp none',
    `echo "saved $directory/$name: revision $revision, $keys keys, $bytes bytes"`,
    'retire',
    'stamp none',
  ];
}

function uploadLines({ upload }: SnapshotSchedule): readonly string[] {
  if (upload === undefined) return [];
  return [
    'stamp unfinished',
    // What the program says is marked as its own: nobody knows what it prints.
    '{',
    `  if (cd / && exec timeout -k 30 ${UPLOAD_LIMIT_S} ${upload.map(quote).join(' ')} "$directory/$name") </dev/null 2>&1`,
    '  then : >./uploaded; else echo $? >./failed; fi',
    `} | sed 's/^/${UPLOAD_SAYS}/'`,
    'if [ -e ./uploaded ]; then stamp done; else',
    '  failed=$(cat ./failed)',
    '  stamp "failed $failed"',
    '  refuse "the snapshot is good, and its upload failed with status $failed"',
    'fi',
  ];
}
