const REDACTED = '[redacted]';

/** What a line may begin with before its first word: indentation, comment marks, list dashes. */
const LEAD = /^[\s#;/*-]*/;

/** One line of the wanted text that holds a secret. */
interface SecretLine {
  /** The whole redacted line. */
  readonly line: string;
  /** What stands before the secret, and after it. */
  readonly prefix: string;
  readonly suffix: string;
  /** Its first word: `auth_pass`, `stats`, `PASSWORD`. Empty when the secret begins its line. */
  readonly keyword: string;
}

function leadOf(line: string): string {
  return LEAD.exec(line)?.[0] ?? '';
}

function secretLines(redacted: string): SecretLine[] {
  const lines = redacted.split('\n').filter((line) => line.includes(REDACTED));
  return lines.map((line) => {
    const prefix = line.slice(0, line.indexOf(REDACTED));
    const suffix = line.slice(line.lastIndexOf(REDACTED) + REDACTED.length);
    return { line, prefix, suffix, keyword: /^[^\s"'=:]*/.exec(prefix.replace(LEAD, ''))?.[0] ?? '' };
  });
}

function mask(line: string, secrets: readonly SecretLine[]): string {
  const same = secrets.find(({ prefix, suffix }) => prefix && line.startsWith(prefix) && line.endsWith(suffix));
  if (same) return same.line;
  const lead = leadOf(line);
  const alike = secrets.find(({ keyword }) => line.startsWith(keyword, lead.length));
  return alike ? `${lead}${alike.keyword}${alike.keyword && ' '}${REDACTED}` : line;
}

/**
 * The old content of a file on a host, without the secrets that it may hold: where the wanted text has a secret, the old
 * text may have an older one. A line that is not in the wanted text word for word, and begins like a line of the wanted
 * text which holds a secret, is masked; where a secret fills its whole line, every such line is. Masks rather too
 * much than too little.
 * @param before what the host has now
 * @param afterRedacted the wanted text, `[redacted]` where a secret is
 */
export function maskSecretLines(before: string, afterRedacted: string): string {
  const secrets = secretLines(afterRedacted);
  if (secrets.length === 0) return before;
  const wanted = new Set(afterRedacted.split('\n'));
  return before
    .split('\n')
    .map((line) => (line.trim() === '' || wanted.has(line) ? line : mask(line, secrets)))
    .join('\n');
}
