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

/** Key: package name. One `dpkg-query` for all; `apt-cache` only for those that are missing. */
export const packageState: Fact<PackageState> = {
  name: 'packages',
  script: (names) =>
    [
      `found=$(dpkg-query -W -f='P \${Package} \${db:Status-Abbrev} \${Version}\\n' ${names.map(quote).join(' ')} 2>/dev/null)`,
      `printf '%s\\n' "$found"`,
      'missing=',
      `for name in ${names.map(quote).join(' ')}; do`,
      '  case "$found" in *"P $name "?i*) ;; *) missing="$missing $name" ;; esac',
      'done',
      // shellcheck: $missing is a list of package names on purpose.
      '[ -z "$missing" ] || apt-cache policy $missing 2>/dev/null',
    ].join('\n'),
  parse(stdout, names) {
    const installed = new Map<string, { version: string | undefined; held: boolean }>();
    for (const [, name = '', want, state, version] of stdout.matchAll(/^P (\S+) (.)(.).? *(\S*)$/gm)) {
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
