import type { Fact } from '../model/remote.js';

/** Which system a host runs, as its /etc/os-release has it (os-release(5)); what that does not say is empty. */
export interface OperatingSystem {
  /** `debian`. */
  readonly id: string;
  /** `12`; empty for a system without versions, such as Debian's unstable. */
  readonly version: string;
  /** The ids of the systems that it is made from. */
  readonly like: readonly string[];
  /** For people: `Debian GNU/Linux 12 (bookworm)`. */
  readonly name: string;
}

/** The one key of {@link operatingSystem}. */
export const SYSTEM = 'system';

/** Key: {@link SYSTEM}. Read by the shell itself: it costs no process, and the file is not executed. */
export const operatingSystem: Fact<OperatingSystem> = {
  name: 'operating-system',
  script: () =>
    [
      '[ ! -r /etc/os-release ] || while IFS= read -r line || [ -n "$line" ]; do',
      String.raw`  case "$line" in ID=* | ID_LIKE=* | VERSION_ID=* | PRETTY_NAME=*) printf '%s\n' "$line" ;; esac`,
      'done </etc/os-release',
    ].join('\n'),
  parse(stdout, keys) {
    const value = (name: string): string =>
      (new RegExp(`^${name}=(.*)$`, 'm').exec(stdout)?.[1] ?? '').replace(/^(["'])(.*)\1$/, '$2');
    const [id, version, name] = [value('ID'), value('VERSION_ID'), value('PRETTY_NAME')];
    const like = value('ID_LIKE')
      .split(' ')
      .filter((word) => word !== '');
    const system: OperatingSystem = { id, version, like, name: name || [id, version].join(' ').trim() };
    return new Map(keys.map((key) => [key, system]));
  },
};
