import type { Member } from '../model/cluster.js';
import { quote } from './quote.js';
import { toolLines } from './snapshot.js';

/** The first records of a log are far shorter. */
const HEAD_BYTES = 512;

/** Going through a database of 8 GiB on a slow disk; a look has two minutes. */
const READ_LIMIT_S = 90;

/** Lines that print the head of the newest log of the member in `$data`, by which its cluster is known; nothing where there is none. */
export function logHeadLines(): readonly string[] {
  return [
    `log=$(ls "$data/wal" 2>/dev/null | grep -E '^[0-9a-f]{16}-[0-9a-f]{16}\\.wal$' | tail -n 1)`,
    `if [ -n "$log" ]; then echo "W $(head -c ${HEAD_BYTES} -- "$data/wal/$log" | base64 -w0)"; fi`,
  ];
}

/**
 * Lines that print, each with a letter before it, what a host has of its member: data, process, the head of its log, the newest
 * raft snapshot, and what is in the database of one that is stopped (a running one keeps it locked). Nothing is changed.
 */
export function remainsScript({ dataDir, unit }: Pick<Member, 'dataDir' | 'unit'>): string {
  return [
    'echo E',
    `data=${quote(dataDir)}/member`,
    `if [ -f "$data/snap/db" ]; then echo "D $(stat -c %s -- "$data/snap/db")"; fi`,
    `run=no; case $(systemctl show -P ActiveState -- ${quote(`${unit}.service`)} 2>/dev/null) in active | activating | reloading | deactivating) run=yes ;; esac`,
    'echo "P $run"',
    ...logHeadLines(),
    `snap=$(ls "$data/snap" 2>/dev/null | sed -n 's/^\\([0-9a-f]\\{16\\}-[0-9a-f]\\{16\\}\\)\\.snap$/\\1/p' | tail -n 1)`,
    `if [ -n "$snap" ]; then echo "S $snap"; fi`,
    'if [ "$run" = no ] && [ -f "$data/snap/db" ]; then',
    ...toolLines().map((line) => `  ${line}`),
    `  echo "R $(ETCDCTL_API=3 timeout ${READ_LIMIT_S} "$tool" snapshot status "$data/snap/db" -w json 2>/dev/null | tail -n 1)"`,
    'fi',
  ].join('\n');
}
