/**
 * A number with its noun: `1 host`, `3 hosts`, `2 entries`. The only place that decides about a plural.
 *
 * @param plural what is not made by an `s`, or by `ies` in place of a `y`: `batches`
 */
export function counted(count: number, noun: string, plural = pluralOf(noun)): string {
  return `${count} ${count === 1 ? noun : plural}`;
}

function pluralOf(noun: string): string {
  return /[^aeiou]y$/.test(noun) ? `${noun.slice(0, -1)}ies` : `${noun}s`;
}
