import type { Member, SnapshotSchedule } from '../model/cluster.js';
import { needRoomLines } from './disk-room.js';
import { etcdctlFlags } from './etcdctl.js';
import { DIRECTORY_FUNCTIONS } from './open-directory.js';
import { quote } from './quote.js';
import { toolLines } from './snapshot.js';

/** Name of the service that saves a snapshot, without `.service`; its timer has the same. Also how it signs in the journal. */
export const SNAPSHOT_UNIT = 'provision-etcd-snapshot';

/** That timer. */
export const SNAPSHOT_TIMER = `${SNAPSHOT_UNIT}.timer`;

/** What a host has for it. */
export const SNAPSHOT_FILES = {
  timer: `/etc/systemd/system/${SNAPSHOT_TIMER}`,
  service: `/etc/systemd/system/${SNAPSHOT_UNIT}.service`,
  script: '/usr/local/lib/provision/etcd-snapshot',
} as const;

/** How much later than the schedule says a run may begin, in seconds. */
export const SNAPSHOT_DELAY_S = 300;

/** What a host knows of its last good snapshot: lines of `name=value`, beside the snapshots. */
export const SNAPSHOT_STAMP = 'last-good';

/** The names of snapshots, as a pattern of the shell. */
const SNAPSHOT_NAMES = 'etcd-????-??-??T??-??-??Z.db';

/** Longer than any database that etcd can open takes to be copied, in seconds. */
const SAVE_LIMIT_S = 1500;
/** Of a database of gigabytes, over a slow line, in seconds. */
const UPLOAD_LIMIT_S = 7200;
/** An election, or a start of the host, is over by then: so many questions, and seconds between them. */
const ASKED = { times: 12, pauseS: 5 } as const;

/** What each line of the uploading program begins with in the journal. */
export const UPLOAD_SAYS = 'upload: ';

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
 * manifest says.
 */
export function scheduledSnapshotScript(scheduled: ScheduledSnapshot): string {
  const { member, snapshots } = scheduled;
  return [
    '#!/bin/sh',
    `# Written by provision: changes made here are replaced. ${SNAPSHOT_UNIT}.service runs it.`,
    '# Saves a verified snapshot of the etcd member of this host, and keeps the last ones.',
    DIRECTORY_FUNCTIONS,
    'export ETCDCTL_API=3 LC_ALL=C',
    `directory=${quote(snapshots.directory)}`,
    `keep=${snapshots.keep}`,
    `ctl() { timeout 30 etcdctl ${etcdctlFlags(member)} --dial-timeout=5s --command-timeout=20s "$@"; }`,
    ...FUNCTIONS,
    'enter "$directory"',
    'only_root "$directory"',
    `trap 'exit 143' HUP INT TERM`,
    // What a power cut left of the last run goes with it.
    'stage .new',
    ...askLines(),
    ...saveLines(member),
    ...VERIFY,
    ...manifestLines(scheduled),
    ...retireLines(scheduled),
    ...uploadLines(snapshots),
    '',
  ].join('\n');
}

const FUNCTIONS = [
  // What etcd says in one line, for the journal.
  'last_line() { tail -n 1 | tr -dc "[:print:]" | cut -c 1-300; }',
  `number() { printf %s "$1" | sed -n "s/.*\\"$2\\":\\([0-9][0-9]*\\)[,}].*/\\1/p"; }`,
  'stamp() {',
  `  printf 'file=%s\\nsaved=%s\\nrevision=%s\\nkeys=%s\\nbytes=%s\\nupload=%s\\n' "$name" "$now" "$revision" "$keys" "$bytes" "$1" >./${SNAPSHOT_STAMP}`,
  `  sync ./${SNAPSHOT_STAMP}`,
  `  mv -T ./${SNAPSHOT_STAMP} ../${SNAPSHOT_STAMP}`,
  '  sync ..',
  '}',
];

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
    'size=$(number "$status" dbSize)',
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

/** What a manifest of this script says that no other has: whose cluster it is of, and which host saved it. */
interface ManifestMarks {
  readonly cluster: string;
  readonly savedBy: string;
}

/** Texts of JSON. */
function marksOf({ cluster, member }: ScheduledSnapshot): ManifestMarks {
  return { cluster: JSON.stringify(cluster), savedBy: JSON.stringify(`${SNAPSHOT_UNIT} on ${member.host}`) };
}

/** As `SnapshotManifest` has it. A manifest comes first into its place: no snapshot is ever without one. */
function manifestLines(scheduled: ScheduledSnapshot): readonly string[] {
  const { member } = scheduled;
  const marks = marksOf(scheduled);
  const [token, by] = [quote(marks.cluster), quote(marks.savedBy)];
  const [host, name] = [quote(JSON.stringify(member.host)), quote(JSON.stringify(member.name))];
  return [
    'now=$(date +%s)',
    'while name=etcd-$(date -u -d "@$now" +%Y-%m-%dT%H-%M-%SZ).db && [ -e "../$name" ]; do sleep 1; now=$((now + 1)); done',
    `version=$(printf %s "$status" | sed -n 's/.*"version":"\\([0-9A-Za-z.+-]*\\)".*/\\1/p')`,
    `members=$(ctl member list | awk -F ', ' ${quote(MEMBERS_AS_JSON)})`,
    '{',
    `  printf '{\\n  "formatVersion": 1,\\n  "file": "%s",\\n  "cluster": %s,\\n' "$name" ${token}`,
    `  printf '  "clusterId": "%s",\\n  "members": [%s],\\n' "$(number "$status" cluster_id)" "$members"`,
    `  printf '  "from": { "host": %s, "name": %s, "memberId": "%s" },\\n' ${host} ${name} "$(number "$status" member_id)"`,
    `  printf '  "etcdVersion": "%s",\\n  "revision": %s,\\n  "keys": %s,\\n  "hash": %s,\\n' "$version" "$revision" "$keys" "$hash"`,
    `  printf '  "bytes": %s,\\n  "sha256": "%s",\\n  "encryption": "none",\\n' "$bytes" "$sha256"`,
    `  printf '  "fileBytes": %s,\\n  "fileSha256": "%s",\\n' "$bytes" "$sha256"`,
    `  printf '  "savedAt": "%s",\\n  "savedBy": %s,\\n  "tool": "${SNAPSHOT_UNIT}"\\n}\\n' "$(date -u -d "@$now" +%Y-%m-%dT%H:%M:%SZ)" ${by}`,
    '} >./manifest',
    'sync ./snapshot.db ./manifest',
    'mv -T ./manifest "../$name.json"',
    'mv -T ./snapshot.db "../$name"',
    'stamp none',
    `echo "saved $directory/$name: revision $revision, $keys keys, $bytes bytes"`,
  ];
}

/** Of etcdctl's `simple` output: id, status, name, peer URLs, client URLs, is learner. */
const MEMBERS_AS_JSON = [
  '{ gsub(/["\\\\]|[[:cntrl:]]/, "?"); n = split($4, url, ","); urls = ""',
  'for (i = 1; i <= n; i++) urls = urls (i > 1 ? ", " : "") "\\"" url[i] "\\""',
  'printf "%s{ \\"name\\": \\"%s\\", \\"peerUrls\\": [%s] }", (NR > 1 ? ", " : ""), $3, urls }',
].join('\n');

/**
 * The names sort as their times do. Where the clock was set back, the one that was just saved is not the last: it stays all the
 * same. What a person copied here, or what the host saved of another cluster, has such names, too: it counts for none, and stays.
 */
function retireLines(scheduled: ScheduledSnapshot): readonly string[] {
  const { cluster, savedBy } = marksOf(scheduled);
  return [
    'is_ours() {',
    `  grep -qxF -e ${quote(`  "cluster": ${cluster},`)} "$1" && grep -qxF -e ${quote(`  "savedBy": ${savedBy},`)} "$1"`,
    '}',
    'is_good() {',
    '  [ -f "$1" ] && [ -f "$1.json" ] && is_ours "$1.json" &&',
    `    [ "$(sed -n 's/^  "bytes": \\([0-9]*\\),$/\\1/p' "$1.json")" = "$(stat -c %s "$1")" ]`,
    '}',
    'good=0',
    `for path in ../${SNAPSHOT_NAMES}; do ! is_good "$path" || good=$((good + 1)); done`,
    `for path in ../${SNAPSHOT_NAMES}; do`,
    '  [ "$good" -gt "$keep" ] || break',
    '  [ "$path" != "../$name" ] && is_good "$path" || continue',
    '  rm -f "$path" "$path.json"',
    '  good=$((good - 1))',
    'done',
    // Of a run that ended between its renames.
    `for path in ../${SNAPSHOT_NAMES}.json; do [ -e "\${path%.json}" ] || [ ! -f "$path" ] || ! is_ours "$path" || rm -f "$path"; done`,
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
