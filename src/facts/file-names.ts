import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/** Key: path of a directory. The names of what is in it; none when there is no such directory. */
export const fileNames: Fact<readonly string[]> = {
  name: 'file-names',
  script: (paths) =>
    paths.map((path) => `printf 'F '; ls -1A ${quote(path)} 2>/dev/null | base64 -w0; echo`).join('\n'),
  parse(stdout, paths) {
    const answers = stdout.split('\n').filter((line) => line.startsWith('F '));
    return new Map(
      paths.map((path, index) => {
        const text = Buffer.from((answers[index] ?? '').slice(2), 'base64').toString('utf8');
        return [path, text.split('\n').filter((name) => name !== '')];
      }),
    );
  },
};
