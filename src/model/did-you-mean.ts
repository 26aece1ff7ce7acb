/** Above this many edits a name is another name, not a slip. */
const MAX_EDITS = 3;

/**
 * `; did you mean X?` when one of the known names is near the given one, else an empty text.
 * @param given what the user wrote
 * @param known the names that would have been right
 */
export function didYouMean(given: string, known: Iterable<string>): string {
  const near = [...known]
    // A name may be known and have no value here.
    .filter((name) => name !== given)
    .filter((name) => isNear(given.toLowerCase(), name.toLowerCase(), Math.min(MAX_EDITS, Math.ceil(name.length / 3))))
    .map((name) => ({ name, edits: editDistance(given.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits);
  return near[0] === undefined ? '' : `; did you mean ${near[0].name}?`;
}

/** Whether so many edits make one name of the other. Most names differ too much in length, which costs nothing to see. */
export function isNear(a: string, b: string, mostEdits: number): boolean {
  return Math.abs(a.length - b.length) <= mostEdits && editDistance(a, b) <= mostEdits;
}

/** Levenshtein distance, one row at a time. @returns letters added, left out or replaced */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, left] of Array.from(a).entries()) {
    const next = [i + 1];
    for (const [j, right] of Array.from(b).entries()) {
      const replaced = (row[j] ?? 0) + (left === right ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
