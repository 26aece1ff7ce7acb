import { quote } from '../shell/quote.js';

/**
 * The command that was typed, to be typed again without some hosts. A saved plan is left away: it holds them.
 * @param argv the words after the program's name
 */
export function typeWithout(argv: readonly string[], limit: string | undefined, hosts: readonly string[]): string {
  const words = withoutOption(withoutOption(argv, '--limit', 'l'), '--plan', undefined);
  const at = words.indexOf('--');
  const end = at < 0 ? words.length : at;
  const option = ['--limit', narrowed(limit, hosts)];
  return ['provision', ...words.slice(0, end), ...option, ...words.slice(end)].map(quote).join(' ');
}

/** A host pattern without these hosts. Commas where the pattern has them: then `:` joins nothing. */
function narrowed(limit: string | undefined, hosts: readonly string[]): string {
  const pattern = limit ?? 'all';
  const separator = pattern.includes(',') ? ',' : ':';
  return [pattern, ...hosts.map((host) => `!${host}`)].join(separator);
}

/** As commander reads them: `--long VALUE`, `--long=VALUE`, `-s VALUE`, `-sVALUE`, and `-abs VALUE` behind flags. */
function withoutOption(argv: readonly string[], long: string, short: string | undefined): readonly string[] {
  const kept: string[] = [];
  let isValue = false;
  for (const [index, word] of argv.entries()) {
    if (argv.slice(0, index).includes('--')) kept.push(word);
    else if (isValue) isValue = false;
    else if (word === long) isValue = true;
    else if (short !== undefined && FLAGS_THEN_SHORT.test(word)) {
      const [, flags = '', name, value = ''] = FLAGS_THEN_SHORT.exec(word) ?? [];
      if (name !== short) kept.push(word);
      else {
        if (flags !== '') kept.push(`-${flags}`);
        isValue = value === '';
      }
    } else if (!word.startsWith(`${long}=`)) kept.push(word);
  }
  return kept;
}

/** Flags of the verbs that plan, which take no value, then the first letter of an option. */
const FLAGS_THEN_SHORT = /^-([bkKy]*)([a-zA-Z])(.*)$/;
