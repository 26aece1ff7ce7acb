import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/**
 * Key: a sysctl name. Its value in the running kernel, with one blank between words (the kernel says tabs, people write
 * blanks); `undefined` where the kernel has none.
 */
export const sysctlValue: Fact<string | undefined> = {
  name: 'sysctls',
  script: (keys) =>
    keys
      .map(sysctlPath)
      .map((path) => `if value=$(cat ${quote(path)} 2>/dev/null); then printf '=%s\\0' "$value"; else printf '\\0'; fi`)
      .join('\n'),
  parse(stdout, keys) {
    const answers = stdout.split('\0');
    return new Map(
      keys.map((key, index) => {
        const answer = answers[index] ?? '';
        return [key, answer.startsWith('=') ? inWords(answer.slice(1)) : undefined];
      }),
    );
  },
  evidence: (value) => value,
};

/** A sysctl value with one blank between its words. */
export function inWords(value: string): string {
  return value.trim().replaceAll(/\s+/g, ' ');
}

/**
 * Where the kernel shows a setting. Either separator may be used, and the other one then stands for itself
 * (sysctl.d(5)): `net.ipv4.conf.eth0/100.rp_filter` is `net/ipv4/conf/eth0.100/rp_filter`.
 */
function sysctlPath(key: string): string {
  const isDotted = /[./]/.exec(key)?.[0] !== '/';
  return `/proc/sys/${isDotted ? key.replaceAll(/[./]/g, (separator) => (separator === '.' ? '/' : '.')) : key}`;
}
