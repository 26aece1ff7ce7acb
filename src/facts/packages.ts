import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/** One Debian package on a host. */
export interface PackageState {
  /** Installed and configured version. */
  readonly installed: string | undefined;
  /** The version that apt would install; only looked up while the package is not installed. */
  readonly candidate: string | undefined;
  /** `apt-mark hold`. */
  readonly held: boolean;
}

/** A name, perhaps with its architecture (Debian policy 5.6.7); anything else would be a pattern or an option to dpkg and apt. */
const NAME = /^[a-z0-9][a-z0-9+.-]+(?::[a-z0-9-]+)?$/;

/** A line for the name, and one for the name with its architecture. */
const FORMAT = ['', ':${Architecture}']
  .map((end) => `P \${Package}${end} \${db:Status-Abbrev} \${Version}\\n`)
  .join('');

/** Key: package name. One `dpkg-query` for all; `apt-cache` only for those that are missing. */
export const packageState: Fact<PackageState> = {
  name: 'packages',
  script: (given) => {
    const names = given.filter((name) => NAME.test(name));
    if (names.length === 0) return ':';
    return [
      `found=$(dpkg-query -W -f=${quote(FORMAT)} ${names.map(quote).join(' ')} 2>/dev/null)`,
      `printf '%s\\n' "$found"`,
      'missing=',
      `for name in ${names.map(quote).join(' ')}; do`,
      '  case "$found" in *"P $name "?i*) ;; *) missing="$missing $name" ;; esac',
      'done',
      // shellcheck: $missing is a list of package names on purpose.
      '[ -z "$missing" ] || apt-cache policy $missing 2>/dev/null',
    ].join('\n');
  },
  parse(stdout, names) {
    const installed = new Map<string, { version: string | undefined; held: boolean }>();
    for (const [, name = '', want, state, version] of stdout.matchAll(/^P (\S+) (.)(.).? *(\S*)$/gm)) {
      // Of one architecture at least.
      if (installed.get(name)?.version === undefined)
        installed.set(name, { version: state === 'i' ? version : undefined, held: want === 'h' });
    }
    const candidates = new Map(
      [...stdout.matchAll(/^(\S+):\n {2}Installed: .*\n {2}Candidate: (.*)$/gm)].map(([, name = '', version = '']) => [
        name,
        version === '(none)' ? undefined : version,
      ]),
    );
    return new Map(
      names.map((name) => {
        const found = installed.get(name);
        return [
          name,
          { installed: found?.version, held: found?.held ?? false, candidate: candidates.get(name) },
        ] as const;
      }),
    );
  },
  evidence: ({ installed }) => installed,
};
