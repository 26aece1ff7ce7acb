/**
 * A number with its noun: `1 host`, `3 hosts`. The only place that decides about a plural.
 *
 * @param plural what is not made by an `s`: `batches`
 */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}
