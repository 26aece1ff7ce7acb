import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/** Key: a DNS name. The addresses that the host resolves it to; none when it cannot. */
export const nameAddresses: Fact<readonly string[]> = {
  name: 'name-addresses',
  script: (names) =>
    names.map((name) => `printf 'R '; getent ahosts ${quote(name)} | awk '{ printf "%s ", $1 }'; echo`).join('\n'),
  parse(stdout, names) {
    const lines = stdout.split('\n').filter((line) => line.startsWith('R '));
    return new Map(
      names.map((name, index) => [
        name,
        [...new Set((lines[index] ?? '').slice(2).split(' '))].filter((a) => a !== ''),
      ]),
    );
  },
};
