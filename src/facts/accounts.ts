import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/** A user of the host, from its account database. */
export interface UserState {
  readonly home: string;
  readonly shell: string;
  /** Its groups, the primary one first: names, which may hold blanks, or the number of one that has no name. */
  readonly groups: readonly string[];
}

/** Key: user name. */
export const userState: Fact<UserState | undefined> = {
  name: 'users',
  // An account, its groups and an empty word, each ended by NUL. `id` fails after a group without a name, and says its number.
  script: (names) =>
    names
      .map(quote)
      .map((name) => `printf '%s\\0' "$(getent passwd ${name})"; id -Gnz -- ${name} 2>/dev/null; printf '\\0'`)
      .join('\n'),
  parse(stdout, names) {
    const words = stdout.split('\0');
    let next = 0;
    return new Map(
      names.map((name) => {
        const [account, , , , , home = '', shell = ''] = (words[next] ?? '').split(':');
        const end = words.indexOf('', next + 1);
        if (end < 0) throw new Error(`no answer came back for the user ${name}`);
        const groups = words.slice(next + 1, end);
        next = end + 1;
        // A name of digits is looked up as a number as well.
        return [name, account === name ? { home, shell, groups } : undefined];
      }),
    );
  },
  evidence: (user) => user,
};

/** Key: group name. True when the group exists. */
export const groupExists: Fact<boolean> = {
  name: 'groups',
  script: (names) =>
    names.map((name) => `group=$(getent group ${quote(name)}); printf '%s\\0' "\${group%%:*}"`).join('\n'),
  parse: (stdout, names) => {
    const found = stdout.split('\0');
    return new Map(names.map((name, index) => [name, found[index] === name]));
  },
  evidence: (exists) => exists,
};
