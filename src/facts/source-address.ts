import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/** Key: a far address. The source address that the host's routing picks for it; `undefined` without a route. */
export const sourceAddress: Fact<string | undefined> = {
  name: 'source-addresses',
  script: (targets) =>
    targets.map((target) => `printf 'R '; ip -o route get ${quote(target)} 2>/dev/null || echo`).join('\n'),
  parse(stdout, targets) {
    const lines = stdout.split('\n').filter((line) => line.startsWith('R '));
    return new Map(targets.map((target, index) => [target, / src (\S+)/.exec(lines[index] ?? '')?.[1]]));
  },
};
