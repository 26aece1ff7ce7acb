import type { Member } from '../model/cluster.js';
import { DIRECTORY_FUNCTIONS } from './open-directory.js';
import { quote } from './quote.js';

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
  | 'restarted'
  | 'workers-restarted'
  | 'done';

/**
 * Whether a text is the id of a restore: when it was begun, and the beginning of its snapshot's SHA-256 or `recover`. Ids come back from hosts,
 * and stand in names of files there: any other text is none of ours, and never reaches a script.
 */
export function isRestoreId(text: string): boolean {
  return /^\d{8}T\d{6}Z-(?:recover|[0-9a-f]{8})$/.test(text);
}

/** The note of a stage. @param id of the restore */
export function stagePath(id: string, stage: RestoreStage): string {
  return `${RESTORES}/${id}/${stage}`;
}

/** What a script of a restore begins with: it works in the directory of its notes. @throws Error for what is no id ({@link isRestoreId}) */
export function begin(id: string): readonly string[] {
  if (!isRestoreId(id)) throw new Error(`not the id of a restore: ${JSON.stringify(id)}`);
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
export function asOwner({ dataDir, unit }: Pick<Member, 'dataDir' | 'unit'>): readonly string[] {
  return [
    `data=${quote(dataDir)}`,
    `user=$(stat -c %U "$data/member" 2>/dev/null) || user=$(systemctl show -P User -- ${quote(`${unit}.service`)})`,
    '[ -n "$user" ] || user=root',
    '[ "$user" != UNKNOWN ] || refuse "$data belongs to a user that the host does not know"',
    '[ -d "$data" ] || refuse "there is no directory $data"',
    `as() { (cd -P / && if [ "$user" = root ]; then "$@"; else runuser -u "$user" -- "$@"; fi); }`,
  ];
}

/** Lines that only a restore's own `sh -c` runs: its directory is entered first. */
export function inData(script: readonly string[]): string {
  return `as sh -euc ${quote(['umask 077', 'cd -P -- "$1"', ...script].join('\n'))} sh "$data"`;
}

/** Seconds that a member without a quorum may take to end: three times the time of its last requests (etcd, `ReqTimeout`). */
const END_IN_ORDER_S = 20;

/**
 * The same for a member without a quorum: it may wait for its cluster until systemd kills it, after 90 s, and nobody can write meanwhile.
 * All that it has applied is in its database by then, which etcd writes ten times a second.
 */
export function stopSoon(unit: string): readonly string[] {
  const name = quote(`${unit}.service`);
  return [
    `timeout ${END_IN_ORDER_S} systemctl stop --quiet ${name} || { systemctl kill --signal=KILL ${name} 2>/dev/null || :; systemctl stop --quiet ${name}; }`,
    stillRuns(unit),
  ];
}

/** Lines that stop a unit, and make sure of it. */
export function stopUnit(unit: string): readonly string[] {
  return [`systemctl stop --quiet ${quote(`${unit}.service`)}`, stillRuns(unit)];
}

function stillRuns(unit: string): string {
  return `! systemctl is-active --quiet ${quote(`${unit}.service`)} || refuse ${quote(`${unit} still runs`)}`;
}
