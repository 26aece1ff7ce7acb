import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/** A user of the host, from its account database. */
export interface UserState {
  readonly home: string;
  readonly shell: string;
  /** Names of its groups, the primary one first. */
  readonly groups: readonly string[];
}

/** Key: user name. */
export const userState: Fact<UserState | undefined> = {
  name: 'users',
  script: (names) =>
    names
      .map((name) => `printf 'U '; getent passwd ${quote(name)} && id -Gn ${quote(name)} || printf '\\n\\n'`)
      .join('\n'),
  parse(stdout, names) {
    const lines = stdout.split('\n');
    return new Map(
      names.map((name, index) => {
        const [, , , , , home = '', shell = ''] = (lines[index * 2] ?? '').slice(2).split(':');
        const groups = (lines[index * 2 + 1] ?? '').split(' ').filter((group) => group !== '');
        return [name, groups.length === 0 ? undefined : { home, shell, groups }];
      }),
    );
  },
};

/** Key: group name. True when the group exists. */
export const groupExists: Fact<boolean> = {
  name: 'groups',
  script: (names) => names.map((name) => `getent group ${quote(name)} >/dev/null && echo yes || echo no`).join('\n'),
  parse: (stdout, names) => {
    const lines = stdout.split('\n');
    return new Map(names.map((name, index) => [name, lines[index] === 'yes']));
  },
};
