import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/** apt's own places (sources.list(5)). */
const PLACES = '/etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources';

/** A URI as {@link aptSources} takes it: slashes at its end make no difference to apt. */
export function aptSourceKey(uri: string): string {
  return uri.replace(/\/+$/, '');
}

/**
 * Key: a URI, by {@link aptSourceKey}. The files of sources that name it, but for lines that are comments and stanzas that say
 * `Enabled: no`.
 */
export const aptSources: Fact<readonly string[]> = {
  name: 'apt-sources',
  script: (uris) =>
    [
      `for file in ${PLACES}; do`,
      '  [ -f "$file" ] || continue',
      `  case $file in *.sources) apart= ;; *) apart='\\n' ;; esac`,
      // A stanza of one kind of file, a line of the other.
      `  words=$(grep -v '^[[:space:]]*#' "$file" | awk -v RS="$apart" '{ low = tolower($0) } low !~ /(^|\\n)enabled:[ \\t]*(no|false|without|off|disable|0)/ { gsub(/\\n[Uu][Rr][Ii][Ss]:/, "&\\n"); gsub(/^[Uu][Rr][Ii][Ss]:/, "&\\n"); print }' | tr ' \\t' '\\n\\n' | sed 's#/*$##')`,
      ...uris.map(
        (uri, index) =>
          `  printf '%s\\n' "$words" | grep -qxF -e ${quote(uri)} && printf 'S %s %s\\n' ${index} "$file"`,
      ),
      'done',
      ':',
    ].join('\n'),
  parse(stdout, uris) {
    const lines = [...stdout.matchAll(/^S (\d+) (.+)$/gm)];
    return new Map(
      uris.map((uri, index) => [
        uri,
        lines.flatMap(([, number, path = '']) => (Number(number) === index ? [path] : [])),
      ]),
    );
  },
  evidence: (files) => files,
};
