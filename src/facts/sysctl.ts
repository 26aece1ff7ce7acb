import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/** Key: a sysctl name with dots. Its value in the running kernel; `undefined` where the kernel has none. */
export const sysctlValue: Fact<string | undefined> = {
  name: 'sysctls',
  script: (keys) =>
    keys.map((key) => `cat ${quote(`/proc/sys/${key.replaceAll('.', '/')}`)} 2>/dev/null || echo -`).join('\n'),
  parse(stdout, keys) {
    const lines = stdout.split('\n');
    return new Map(keys.map((key, index) => [key, lines[index] === '-' ? undefined : lines[index]?.trim()]));
  },
};
