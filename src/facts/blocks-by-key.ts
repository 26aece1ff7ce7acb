/**
 * What a script printed for each of several keys, one after the other.
 * @param begin what begins each block; no answer of a host may hold it
 * @param parse takes a block, without what begins it
 * @throws Error where a key has no block, or what `parse` throws
 */
export function blocksByKey<T>(
  stdout: string,
  begin: RegExp,
  keys: readonly string[],
  parse: (block: string) => T,
): ReadonlyMap<string, T> {
  const blocks = stdout.split(begin).slice(1);
  return new Map(
    keys.map((key, index) => {
      const block = blocks[index];
      if (block === undefined) throw new Error(`nothing came back for ${key}`);
      return [key, parse(block)];
    }),
  );
}
