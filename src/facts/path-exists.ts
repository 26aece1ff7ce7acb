import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/** Key: path. Whether anything stands there; nothing is read, so it may be large. */
export const pathExists: Fact<boolean> = {
  name: 'paths',
  script: (paths) => paths.map((path) => `[ -e ${quote(path)} ] && echo yes || echo no`).join('\n'),
  parse(stdout, paths) {
    const lines = stdout.split('\n');
    return new Map(paths.map((path, index) => [path, lines[index] === 'yes']));
  },
  evidence: (exists) => exists,
};
