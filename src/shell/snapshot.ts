import type { Member } from '../model/cluster.js';
import { needRoomLines } from './disk-room.js';
import { etcdctlFlags } from './etcdctl.js';
import { DIRECTORY_FUNCTIONS } from './open-directory.js';

/** Where a host keeps a snapshot while it is sent, for root only. */
const PLACE = '/var/lib/provision';

/** Longer than any database that etcd can open takes to be copied, in seconds. */
const SAVE_LIMIT_S = 1500;

/** What says on stderr what {@link saveSnapshotScript} found in the snapshot, before a JSON object. */
export const SNAPSHOT_STATUS = 'snapshot-status ';

/** How a snapshot is saved. */
export interface SavedSnapshot {
  /** What must be free for it. */
  readonly needBytes: number;
  /** `first`: only once the member has all that most agreed on before; one without a quorum never has. */
  readonly caughtUp: 'first' | 'not-asked';
}

/**
 * A script that prints a snapshot of the host's own member on stdout. etcdctl saves only into a file: that lies in a
 * directory that only root can enter, and goes with the script however it ends; what a power cut leaves goes with the
 * next one.
 */
export function saveSnapshotScript(
  member: Pick<Member, 'clientUrl' | 'client'>,
  { needBytes, caughtUp }: SavedSnapshot,
): string {
  const ctl = `etcdctl ${etcdctlFlags(member)} --dial-timeout=5s`;
  return [
    DIRECTORY_FUNCTIONS,
    'export ETCDCTL_API=3',
    `enter ${PLACE} 0700`,
    `only_root ${PLACE}`,
    // A shell that is ended by a signal runs no trap of its end.
    `trap 'exit 143' HUP INT TERM`,
    'stage snapshot',
    ...needRoomLines({ subject: 'a snapshot needs', bytes: needBytes, at: '.', place: `in ${PLACE}` }),
    // A linearizable read waits until the member has all that was agreed on before.
    ...(caughtUp === 'first'
      ? [
          `said=$(timeout 30 ${ctl} --command-timeout=20s get health --keys-only 2>&1) || case $said in`,
          // As `etcdctl endpoint health` has it: whom etcd refuses, it has understood.
          `  *'permission denied'*) ;;`,
          `  *) printf 'etcd does not answer as a member of a healthy cluster: %s\\n' "$said" >&2; exit 1 ;;`,
          'esac',
        ]
      : []),
    // The way of kubeadm and of etcd's own guide: the member is asked at its own address.
    `timeout ${SAVE_LIMIT_S} ${ctl} snapshot save ./snapshot.db >&2`,
    ...toolLines(),
    `status=$("$tool" snapshot status ./snapshot.db -w json 2>/dev/null | tail -n 1)`,
    `printf '${SNAPSHOT_STATUS}%s\\n' "$status" >&2`,
    'cat ./snapshot.db',
  ].join('\n');
}

/** etcdctl lost the commands that read a file in 3.6, to etcdutl (etcd docs, "upgrade to 3.6"). */
export function toolLines(): readonly string[] {
  return ['tool=etcdctl', '! command -v etcdutl >/dev/null || tool=etcdutl'];
}

/**
 * A script that restores a snapshot that comes on its stdin into a directory that only root can enter, says what is in
 * it as {@link saveSnapshotScript} does, and leaves nothing.
 */
export function tryRestoreScript(needBytes: number): string {
  return [
    DIRECTORY_FUNCTIONS,
    'export ETCDCTL_API=3',
    `enter ${PLACE} 0700`,
    `only_root ${PLACE}`,
    `trap 'exit 143' HUP INT TERM`,
    `trap 'cd -P ${PLACE} && rm -rf ./trial' EXIT`,
    'rm -rf ./trial',
    'mkdir -m 0700 ./trial',
    'cd -P ./trial',
    ...needRoomLines({ subject: 'a trial restore needs', bytes: needBytes, at: '.', place: `in ${PLACE}` }),
    'cat >./snapshot.db',
    ...trialLines('.'),
  ].join('\n');
}

/** Lines that restore `snapshot.db` of a directory beside it, and print its status. @param directory a word of the shell */
export function trialLines(directory: string): readonly string[] {
  return [
    ...toolLines(),
    `command -v "$tool" >/dev/null || { echo 'there is no etcdutl and no etcdctl' >&2; exit 127; }`,
    `"$tool" snapshot restore ${directory}/snapshot.db --data-dir ${directory}/data >&2`,
    `[ -d ${directory}/data/member ] || { echo 'nothing was restored' >&2; exit 1; }`,
    `printf '${SNAPSHOT_STATUS}%s\\n' "$("$tool" snapshot status ${directory}/snapshot.db -w json 2>/dev/null | tail -n 1)" >&2`,
  ];
}
