import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/**
 * Who wrote a file. `ours`: it begins with our header. `package`: its content is what dpkg installed. `empty`: it says
 * nothing. `foreign`: another tool's or a person's work.
 */
export type FileOrigin =
  | { readonly kind: 'absent' | 'ours' | 'package' | 'empty' }
  /** @property lines how many are no comments */
  | { readonly kind: 'foreign'; readonly lines: number };

/** How each file that we write whole says so, within its first two lines (a script begins with `#!`). */
const OUR_HEADER = /^# (?:Written|Kept) by provision\b/m;

/**
 * Key: path. dpkg keeps the MD5 of each conffile as it installed it (`Conffiles:` in its status file). Asked only for
 * files that would change.
 */
export const fileOrigin: Fact<FileOrigin> = {
  name: 'file-origins',
  script: (paths) =>
    paths
      .map(quote)
      .map((path) =>
        [
          `if [ -f ${path} ]; then`,
          `  printf 'F %s ' "$(md5sum <${path} | cut -d ' ' -f 1)"`,
          `  grep -F -- " "${path}" " /var/lib/dpkg/status 2>/dev/null | sed 's/^ [^ ]* //' | tr '\\n' ' '`,
          `  printf '\\nH '; head -n 2 ${path} | base64 -w0`,
          // grep ends with 1 where it counts none.
          `  printf '\\nS '; grep -cvE '^[[:space:]]*([#;!].*)?$' ${path} || :`,
          `else echo -; fi`,
        ].join('\n'),
      )
      .join('\n'),
  parse(stdout, paths) {
    const blocks = stdout.split(/^(?=F |-$)/m);
    return new Map(paths.map((path, index) => [path, readOrigin(blocks[index] ?? '')]));
  },
};

function readOrigin(block: string): FileOrigin {
  if (block.trim() === '-') return { kind: 'absent' };
  const [, sum, known = ''] = /^F ([0-9a-f]{32}) (.*)$/m.exec(block) ?? [];
  if (sum === undefined) throw new Error('no origin came back for a file');
  if (OUR_HEADER.test(headOf(block))) return { kind: 'ours' };
  // `newconffile`: dpkg was interrupted before it noted what it installed.
  if (known.split(' ').some((each) => each === sum || each === 'newconffile')) return { kind: 'package' };
  const lines = Number(/^S (\d+)$/m.exec(block)?.[1] ?? 1);
  return lines === 0 ? { kind: 'empty' } : { kind: 'foreign', lines };
}

function headOf(block: string): string {
  const [, encoded = ''] = /^H ([A-Za-z0-9+/=]*)$/m.exec(block) ?? [];
  return Buffer.from(encoded, 'base64').toString('utf8');
}
