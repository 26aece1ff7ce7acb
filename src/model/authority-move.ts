/**
 * The steps of a rotation in the store on the control machine; each is one rename. `trust-both` begins it, and makes the new
 * authority; `finish` keeps the one that hosts no longer trust in a directory of its own.
 */
export const AUTHORITY_MOVES = [
  'trust-both',
  'sign-by-new',
  'sign-by-old',
  'trust-new',
  'trust-old',
  'finish',
] as const;

/** One of {@link AUTHORITY_MOVES}. */
export type AuthorityMove = (typeof AUTHORITY_MOVES)[number];
