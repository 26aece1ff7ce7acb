import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/** Key: path of a lock file. Who holds its lock: `apt-get (pid 812)`; undefined while it is free. */
export const fileLocks: Fact<string | undefined> = {
  name: 'file-locks',
  script: (paths) =>
    [
      `for lock in ${paths.map(quote).join(' ')}; do`,
      '  inode=$(stat -c %i -- "$lock" 2>/dev/null) || continue',
      // proc_locks(5): `1: POSIX  ADVISORY  WRITE 812 00:1f:4711 0 EOF`. Who only waits for a lock has `->` after the number.
      `  for pid in $(awk -v inode="$inode" '$2 == "POSIX" { split($6, at, ":"); if (at[3] == inode) print $5 }' /proc/locks); do`,
      // Inode numbers repeat on other file systems, and overlayfs hides the device: the process must have the file open.
      `    ls -l "/proc/$pid/fd" 2>/dev/null | grep -qF -- " -> $lock" || continue`,
      `    printf 'L %s %s %s\\n' "$pid" "$lock" "$(cat "/proc/$pid/comm")"`,
      '  done',
      'done',
      ':',
    ].join('\n'),
  parse(stdout, paths) {
    const holders = new Map(
      [...stdout.matchAll(/^L (\d+) (\S+) (.*)$/gm)].map(([, pid = '', path = '', name = '']) => [
        path,
        `${name} (pid ${pid})`,
      ]),
    );
    return new Map(paths.map((path) => [path, holders.get(path)]));
  },
};
