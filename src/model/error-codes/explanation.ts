/**
 * How a run failed, for what started it (a pipeline, a Job): each kind has an exit code of its own.
 * - `locked`, `unreachable`: the same command may well succeed later.
 * - `stale`: the saved plan no longer fits; only a new one can be applied.
 * - `unsafe`: refused, because going on could do harm. A person has to look.
 * - `stopped`: on request (Ctrl-C).
 * - `failed`: anything else.
 */
export type FailureKind = 'failed' | 'locked' | 'unreachable' | 'stale' | 'unsafe' | 'stopped';

/** What an error code means, for a person who met it. Commands stand between backticks. */
export interface Explanation {
  /** Why it happens: a sentence, or a few. */
  readonly why: string;
  /** What to do about it; the hint of the error itself knows host and path, and is more exact. */
  readonly next: string;
  /** Absent: `failed`. */
  readonly kind?: FailureKind;
}

/** Explanations by error code: the kebab-case word in `code` of a ProvisionError. */
export type Explanations = Readonly<Record<string, Explanation>>;
