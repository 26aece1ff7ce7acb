import type { Fact } from '../model/remote.js';
import { DIRECTORY_FUNCTIONS } from '../shell/open-directory.js';
import { quote } from '../shell/quote.js';

/** Symbolic links on the way to a directory. */
export interface DirectoryWay {
  /** Where the directory is, all links followed. */
  readonly leadsTo: string;
  /** Why what works there refuses to follow one of them. */
  readonly refused: string | undefined;
}

/**
 * Key: directory, which may be missing. No process where no part of the way is a link; else the same `enter` decides
 * that decides when something is written there.
 */
export const directoryWay: Fact<DirectoryWay | undefined> = {
  name: 'directory-ways',
  script: (directories) =>
    [
      'linked() {',
      '  part=$1',
      '  while [ -n "$part" ] && [ "$part" != / ]; do [ -L "$part" ] && return 0; part=${part%/*}; done',
      '  return 1',
      '}',
      `for directory in ${directories.map(quote).join(' ')}; do`,
      '  linked "$directory" || continue',
      `  said=$( (\n${DIRECTORY_FUNCTIONS}\nenter "$directory"\n) 2>&1 ) || :`,
      String.raw`  printf '%s\0%s\0%s\0' "$directory" "$(readlink -m -- "$directory")" "$said"`,
      'done',
    ].join('\n'),
  parse(stdout, directories) {
    const words = stdout.split('\0');
    const ways = new Map<string, DirectoryWay>();
    for (let at = 0; at + 2 < words.length; at += 3) {
      const [directory = '', leadsTo = '', said = ''] = words.slice(at, at + 3);
      ways.set(directory, { leadsTo, refused: said === '' || isMissing(said) ? undefined : said });
    }
    return new Map(directories.map((directory) => [directory, ways.get(directory)]));
  },
  evidence: (way) => way,
};

/** What is not there yet may be made by an earlier change of the same run. */
function isMissing(said: string): boolean {
  return said.startsWith('there is no directory ');
}
