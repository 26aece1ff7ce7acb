import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/** A symbolic link on the way to what is at a path: the last name of the path is one. */
export interface FoundLink {
  /** What it holds: where it leads, from its own directory. */
  readonly target: string;
  readonly owner: string;
}

/** What is at a path; links are followed. */
export type FileState =
  /** `link`: it leads nowhere. */
  | { readonly kind: 'absent'; readonly link?: FoundLink | undefined }
  | {
      readonly kind: 'file' | 'directory' | 'other';
      /** Names; the number of who has none. */
      readonly owner: string;
      readonly group: string;
      /** Four octal digits: `0644`. */
      readonly mode: string;
      /** Seconds since 1970. The inode's change time: also a file moved into place with an old mtime counts as new. */
      readonly changedAt: number;
      /** Of files only. */
      readonly sha256: string | undefined;
      readonly link?: FoundLink | undefined;
    };

/**
 * Key: path. One `stat` and one `sha256sum` over all paths, and one `stat` over all links. Each record is a fixed count
 * of words ended by NUL, and names its path: no name of a file, a user or a group can be taken for another part of it.
 */
export const fileState: Fact<FileState> = {
  name: 'file-states',
  script: (paths) => {
    const words = paths.map(quote).join(' ');
    return [
      `stat -L --printf 'S\\0%f\\0%U\\0%G\\0%u\\0%g\\0%a\\0%.6Z\\0%n\\0' -- ${words} 2>/dev/null`,
      // Only readable regular files are hashed: a hash of a FIFO would hang.
      `set --`,
      `for path in ${words}; do [ -f "$path" ] && set -- "$@" "$path"; done`,
      // -z: no backslash before the sum of a name that holds one.
      `[ $# -eq 0 ] || { printf 'H\\0'; sha256sum -z -- "$@"; printf '\\0'; }`,
      `set --`,
      `for path in ${words}; do [ -L "$path" ] && set -- "$@" "$path"; done`,
      `[ $# -eq 0 ] || QUOTING_STYLE=literal stat --printf 'L\\0%U\\0%u\\0%n\\0%N\\0' -- "$@" 2>/dev/null`,
      ':',
    ].join('\n');
  },
  parse(stdout, paths) {
    const { states, sums, links } = readRecords(stdout.split('\0'));
    return new Map(
      paths.map((path) => {
        const [state, link] = [states.get(path), links.get(path)];
        const found = link === undefined ? {} : { link };
        return [
          path,
          state === undefined ? { kind: 'absent', ...found } : { ...state, sha256: sums.get(path), ...found },
        ];
      }),
    );
  },
  // Not when it changed: a file that was written again as it was is the same.
  evidence: (state) => (state.kind === 'absent' ? state : { ...state, changedAt: undefined }),
};

type FoundState = Omit<Exclude<FileState, { kind: 'absent' }>, 'sha256' | 'link'>;

interface Records {
  readonly states: Map<string, FoundState>;
  readonly sums: Map<string, string>;
  readonly links: Map<string, FoundLink>;
}

function readRecords(words: readonly string[]): Records {
  const records: Records = { states: new Map(), sums: new Map(), links: new Map() };
  for (let at = 0; at < words.length - 1;) at += readRecord(words, at, records);
  return records;
}

/** @returns how many words the record at `at` is long */
function readRecord(words: readonly string[], at: number, { states, sums, links }: Records): number {
  if (words[at] === 'S') {
    const [raw = '', owner = '', group = '', uid = '', gid = '', mode = '', changed = '', path = ''] = words.slice(
      at + 1,
    );
    states.set(path, {
      kind: kindOf(raw),
      owner: named(owner, uid),
      group: named(group, gid),
      mode: mode.padStart(4, '0'),
      changedAt: Number(changed),
    });
    return 9;
  }
  if (words[at] === 'L') {
    const [owner = '', uid = '', path = '', arrow = ''] = words.slice(at + 1);
    links.set(path, { owner: named(owner, uid), target: arrow.slice(`${path} -> `.length) });
    return 5;
  }
  if (words[at] !== 'H') throw new Error(`unexpected word ${JSON.stringify(words[at])} at ${at}`);
  const end = words.indexOf('', at);
  if (end < 0) throw new Error('the list of checksums has no end');
  for (const line of words.slice(at + 1, end)) sums.set(line.slice(66), line.slice(0, 64));
  return end - at + 1;
}

/** stat(1) says UNKNOWN of a number that has no name. */
function named(name: string, id: string): string {
  return name === 'UNKNOWN' ? id : name;
}

/** The file type in `st_mode` (stat(2): S_IFMT 0170000, S_IFREG 0100000, S_IFDIR 0040000). */
function kindOf(rawHex: string): 'file' | 'directory' | 'other' {
  const type = Number.parseInt(rawHex, 16) & 0o170000;
  if (type === 0o100000) return 'file';
  return type === 0o040000 ? 'directory' : 'other';
}
