import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/** Larger files are not fetched: nothing that this program manages is near it. */
const LIMIT_BYTES = 1024 * 1024;

/** Key: path. The file's bytes as UTF-8 text, `undefined` when there is none. Asked only for files that differ. */
export const fileContent: Fact<string | undefined> = {
  name: 'file-contents',
  script: (paths) =>
    paths
      .map(
        (path) =>
          `printf 'F '; if [ -f ${quote(path)} ]; then head -c ${LIMIT_BYTES} -- ${quote(path)} | base64 -w0; else printf -; fi; echo`,
      )
      .join('\n'),
  parse(stdout, paths) {
    const answers = stdout.split('\n').filter((line) => line.startsWith('F '));
    return new Map(
      paths.map((path, index) => {
        const encoded = answers[index]?.slice(2);
        if (encoded === undefined) throw new Error(`no content came back for ${path}`);
        return [path, encoded === '-' ? undefined : Buffer.from(encoded, 'base64').toString('utf8')];
      }),
    );
  },
};
