import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/** What the container runtime that runs was started as. */
export interface RuntimeProcess {
  /** The file of its program; absent where none runs, or it can't be told. */
  readonly program: string | undefined;
  /** The mark that our proxies have in its environment; absent: it has none of ours. */
  readonly proxies: string | undefined;
}

/** The variable of the environment that tells our proxies apart: their own text may be of others. */
export const PROXIES_MARK = 'PROVISION_PROXIES';

/** Key: the unit, without `.service`. */
export const runtimeProcess: Fact<RuntimeProcess> = {
  name: 'runtime-processes',
  script: (units) =>
    units
      .map((unit) =>
        [
          `pid=$(systemctl show -P MainPID -- ${quote(`${unit}.service`)})`,
          `if [ "\${pid:-0}" = 0 ]; then echo ' '; else printf '%s %s\\n' "$(readlink "/proc/$pid/exe")" "$(tr '\\0' '\\n' <"/proc/$pid/environ" | sed -n 's/^${PROXIES_MARK}=//p')"; fi`,
        ].join('\n'),
      )
      .join('\n'),
  parse(stdout, units) {
    const lines = stdout.split('\n');
    return new Map(
      units.map((unit, index) => {
        const [, program = '', proxies = ''] = /^(.*) (\S*)$/.exec(lines[index] ?? '') ?? [];
        return [unit, { program: program || undefined, proxies: proxies || undefined }];
      }),
    );
  },
};
