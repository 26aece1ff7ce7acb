import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/** What stands at a path; links are followed. */
export type FileState =
  | { readonly kind: 'absent' }
  | {
      readonly kind: 'file' | 'directory' | 'other';
      readonly owner: string;
      readonly group: string;
      /** Four octal digits: `0644`. */
      readonly mode: string;
      /** Seconds since 1970. The inode's change time: also a file moved into place with an old mtime counts as new. */
      readonly changedAt: number;
      /** Of files only. */
      readonly sha256: string | undefined;
    };

/** Key: path. One `stat` and one `sha256sum` over all paths. */
export const fileState: Fact<FileState> = {
  name: 'file-states',
  script: (paths) => {
    const words = paths.map(quote).join(' ');
    return [
      `stat -L -c 'S %f %U %G %a %.6Z %n' -- ${words} 2>/dev/null`,
      // Only readable regular files are hashed: a hash of a FIFO would hang.
      `set --`,
      `for path in ${words}; do [ -f "$path" ] && set -- "$@" "$path"; done`,
      '[ $# -eq 0 ] || sha256sum -- "$@"',
    ].join('\n');
  },
  parse(stdout, paths) {
    const sums = new Map(
      [...stdout.matchAll(/^([0-9a-f]{64}) [ *](.+)$/gm)].map(([, sum = '', path = '']) => [path, sum]),
    );
    const states = new Map<string, FileState>();
    for (const [, raw = '', owner = '', group = '', mode = '', changed = '', path = ''] of stdout.matchAll(
      /^S ([0-9a-f]+) (\S+) (\S+) (\d+) ([\d.]+) (.+)$/gm,
    )) {
      states.set(path, {
        kind: kindOf(raw),
        owner,
        group,
        mode: mode.padStart(4, '0'),
        changedAt: Number(changed),
        sha256: sums.get(path),
      });
    }
    return new Map(paths.map((path) => [path, states.get(path) ?? { kind: 'absent' }]));
  },
};

/** The file type in `st_mode` (stat(2): S_IFMT 0170000, S_IFREG 0100000, S_IFDIR 0040000). */
function kindOf(rawHex: string): 'file' | 'directory' | 'other' {
  const type = Number.parseInt(rawHex, 16) & 0o170000;
  if (type === 0o100000) return 'file';
  return type === 0o040000 ? 'directory' : 'other';
}
