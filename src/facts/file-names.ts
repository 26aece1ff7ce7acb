import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/**
 * Key: path of a directory. The names of what is in it, but for those that are not UTF-8, which nobody could ask for;
 * none when there is no such directory.
 */
export const fileNames: Fact<readonly string[]> = {
  name: 'file-names',
  // By the shell itself: `ls` cannot tell two names from one with a newline before coreutils 9.
  script: (paths) =>
    paths
      .map(
        (path) =>
          `(cd -- ${quote(path)} 2>/dev/null && for name in * .[!.]* ..?*; do { [ -e "$name" ] || [ -L "$name" ]; } && printf '%s\\0' "$name"; done) | base64 -w0; echo`,
      )
      .join('\n'),
  parse(stdout, paths) {
    const lines = stdout.split('\n');
    return new Map(paths.map((path, index) => [path, splitNames(Buffer.from(lines[index] ?? '', 'base64'))]));
  },
};

function splitNames(bytes: Buffer): readonly string[] {
  // What is not UTF-8 becomes U+FFFD: such a name, and one that holds U+FFFD itself, is left out.
  const names = bytes.toString('utf8').split('\0');
  return names.filter((name) => name !== '' && !name.includes('\uFFFD'));
}
