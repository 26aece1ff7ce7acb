/** One of `of` parts of a fleet, counted from 1. */
export interface Shard {
  readonly part: number;
  readonly of: number;
}

/** The part's items, dealt out like cards: parts differ by one at most, and all together have each item once. */
export function takeShard<T>(items: readonly T[], { part, of }: Shard): readonly T[] {
  return items.filter((_, index) => index % of === part - 1);
}
