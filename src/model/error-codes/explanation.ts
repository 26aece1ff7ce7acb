/** What an error code means, for a person who met it. Commands stand between backticks. */
export interface Explanation {
  /** Why it happens: a sentence, or a few. */
  readonly why: string;
  /** What to do about it; the hint of the error itself knows host and path, and is more exact. */
  readonly next: string;
}

/** Explanations by error code: the kebab-case word in `code` of a ProvisionError. */
export type Explanations = Readonly<Record<string, Explanation>>;
