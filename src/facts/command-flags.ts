/** One flag of a command line, and the words that give it. */
export interface CommandFlag {
  /** Without dashes before it; `_` counts as `-`. */
  readonly name: string;
  readonly value: string;
  /** Index of its first word. */
  readonly at: number;
  /** `--name=value`, or `--name` and its value as the next word. */
  readonly words: 1 | 2;
}

/**
 * The flags that have a value, as Kubernetes' programs read them (spf13/pflag, `parseLongArg`; k8s.io/component-base,
 * `WordSepNormalizeFunc`). Which flags are switches is not known here: a next word that begins with `-` is no value.
 */
export function readFlags(words: readonly string[]): readonly CommandFlag[] {
  const end = words.indexOf('--');
  const read = end < 0 ? words : words.slice(0, end);
  return read.flatMap((word, at): CommandFlag[] => {
    const [, name, value] = /^--([A-Za-z0-9_-]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (name === undefined) return [];
    const next = read[at + 1];
    const flag = { name: name.replaceAll('_', '-'), at };
    if (value !== undefined) return [{ ...flag, value, words: 1 }];
    return next === undefined || next.startsWith('-') ? [] : [{ ...flag, value: next, words: 2 }];
  });
}

/** The value of a flag among the words of a command line; of the first, where it is given more than once. */
export function flagValue(words: readonly string[], name: string): string | undefined {
  return readFlags(words).find((flag) => flag.name === name)?.value;
}
