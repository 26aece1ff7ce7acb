import { readEtcdVersion, type EtcdVersion } from '../model/etcd-version.js';
import type { Fact } from '../model/remote.js';
import { CURRENT_RELEASE, PROGRAM_LINKS, PROGRAMS, RELEASES } from '../shell/etcd-release.js';
import { quote } from '../shell/quote.js';

/** Which etcd a host has, and which one runs. */
export interface EtcdInstalled {
  /** The directories of releases that are unpacked. */
  readonly releases: readonly string[];
  /** The directory in use; absent: none. */
  readonly current: string | undefined;
  /** Whether root finds the programs of the release in use before any others. */
  readonly isFirst: boolean;
  /** Which of the programs have a file or a link of others in the place where those of a release are found. */
  readonly inTheWay: readonly string[];
  /** Version of the package `etcd-server`. */
  readonly packaged: EtcdVersion | undefined;
  /** The program of the unit's process; absent where none runs, or it can't be told. */
  readonly running: string | undefined;
}

/** Key: etcd's unit, without `.service`. */
export const etcdInstalled: Fact<EtcdInstalled> = {
  name: 'etcd-installed',
  script: (units) =>
    [
      `current=$(readlink ${CURRENT_RELEASE})`,
      `links=yes`,
      `for name in ${PROGRAMS.join(' ')}; do path=${PROGRAM_LINKS}/$name; [ "$(readlink $path)" = ${CURRENT_RELEASE}/$name ] && continue; links=no`,
      `  [ ! -e $path ] && [ ! -L $path ] || printf 'F %s\\n' $name; done`,
      `printf 'C %s\\nL %s\\nP %s\\n' "$current" $links "$(dpkg-query -W -f='\${db:Status-Abbrev} \${Version}' etcd-server 2>/dev/null)"`,
      `for directory in ${RELEASES}/*-*/; do [ -x "\${directory}etcd" ] && printf 'D %s\\n' "$(basename "$directory")"; done`,
      ...units.map(
        (unit) =>
          `pid=$(systemctl show -P MainPID -- ${quote(`${unit}.service`)}); printf 'U %s\\n' "$([ "\${pid:-0}" = 0 ] || readlink "/proc/$pid/exe")"`,
      ),
      ':',
    ].join('\n'),
  parse(stdout, units) {
    const lines = stdout.split('\n');
    const all = (letter: string): readonly string[] =>
      lines.filter((line) => line.startsWith(`${letter} `)).map((line) => line.slice(2));
    const [current = ''] = all('C');
    const [, packaged = ''] = /^.i. ?(\S+)$/.exec(all('P')[0] ?? '') ?? [];
    const running = all('U');
    if (running.length !== units.length) throw new Error('a unit has no answer');
    const host = {
      releases: all('D'),
      current: current === '' ? undefined : current,
      isFirst: all('L')[0] === 'yes',
      inTheWay: all('F'),
      packaged: readEtcdVersion(packaged),
    };
    return new Map(units.map((unit, index) => [unit, { ...host, running: running[index] || undefined }]));
  },
  evidence: ({ current, releases }) => ({ current, releases }),
};
