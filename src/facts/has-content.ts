import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/** Key: path. Whether there is a file that holds something: a power cut may leave one that holds nothing. */
export const hasContent: Fact<boolean> = {
  name: 'has-content',
  script: (paths) => paths.map((path) => `[ -f ${quote(path)} ] && [ -s ${quote(path)} ]; echo $?`).join('\n'),
  parse(stdout, paths) {
    const lines = stdout.trimEnd().split('\n');
    return new Map(
      paths.map((path, index) => {
        const line = lines[index];
        if (line !== '0' && line !== '1') throw new Error(`whether ${path} holds something did not come back`);
        return [path, line === '0'];
      }),
    );
  },
  evidence: (value) => value,
};
