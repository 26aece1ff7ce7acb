import { NODE_PRODUCTS, type NodeProduct } from '../model/kubernetes.js';
import type { Fact } from '../model/remote.js';
import { NEEDED_PROGRAMS, NODE_RELEASES } from '../shell/node-release.js';
import { quote } from '../shell/quote.js';

/** A release for nodes, as a host has it. */
export interface SeenNodeRelease {
  /** It is unpacked. */
  readonly isThere: boolean;
  /** The programs of it that no link leads to. */
  readonly unlinked: readonly string[];
  /** What others have where links are to be. */
  readonly foreign: readonly string[];
  /** The directory that the first program is led to; absent: none of ours. */
  readonly current: string | undefined;
}

/** Key: of {@link nodeReleaseKey}. */
export const seenNodeRelease: Fact<SeenNodeRelease> = {
  name: 'node-releases',
  script: (keys) =>
    keys
      .map((key) => {
        const [product, directory, links] = readKey(key);
        const needed = NEEDED_PROGRAMS[product];
        const own = quote(`${NODE_RELEASES}/${product}-`);
        return [
          `d=${quote(directory)} l=${quote(links)}; [ -d "$d" ] && printf 'T ' || printf 'N '`,
          `for name in $({ [ ! -d "$d" ] || ls "$d"; printf '%s\n' ${needed.join(' ')}; } | sort -u); do to=$(readlink "$l/$name")`,
          `  case $to in "$d/"*) continue ;; ${own}*) printf 'U%s ' "$name" ;; *) if [ -L "$l/$name" ] || [ -e "$l/$name" ]; then printf 'F%s ' "$name"; else printf 'U%s ' "$name"; fi ;; esac`,
          'done',
          `case $(readlink "$l/${needed[0]}") in ${own}*) printf 'C%s' "$(dirname "$(readlink "$l/${needed[0]}")")" ;; esac; echo`,
        ].join('\n');
      })
      .join('\n'),
  parse(stdout, keys) {
    const lines = stdout.split('\n');
    return new Map(keys.map((key, index) => [key, readSeen(lines[index] ?? '')]));
  },
};

/** The question about a release whose programs are found in a directory. */
export function nodeReleaseKey(product: NodeProduct, directory: string, links: string): string {
  return `${product}\n${directory}\n${links}`;
}

function readKey(key: string): readonly [NodeProduct, string, string] {
  const [product = '', directory = '', links = ''] = key.split('\n');
  return [NODE_PRODUCTS.find((each) => each === product) ?? 'containerd', directory, links];
}

function readSeen(line: string): SeenNodeRelease {
  const [there, ...words] = line.split(' ');
  if (there !== 'T' && there !== 'N') throw new Error('a release has no answer');
  const all = (letter: string): readonly string[] =>
    words.flatMap((word) => (word.startsWith(letter) ? [word.slice(1)] : []));
  return { isThere: there === 'T', unlinked: all('U'), foreign: all('F'), current: all('C')[0] };
}
