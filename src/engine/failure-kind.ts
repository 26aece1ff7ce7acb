import { EXPLANATIONS } from '../model/error-codes.js';
import type { FailureKind } from '../model/error-codes/explanation.js';
import { ProvisionError } from '../model/errors.js';
import { failuresOf } from './run-error.js';

/** What must not be tried again comes before what may be. */
const FROM_WORST: readonly FailureKind[] = ['unsafe', 'stale', 'failed', 'stopped', 'unreachable', 'locked'];

/** The kind of several failures together: the worst one, so that a run is tried again only where all of it may be. */
export function worstKind(kinds: readonly FailureKind[]): FailureKind {
  return FROM_WORST.find((kind) => kinds.includes(kind)) ?? 'failed';
}

/** How a run failed, from what it threw; a bug has `failed`. */
export function failureKindOf(reason: unknown): FailureKind {
  return worstKind(
    failuresOf(reason).map(({ error }) =>
      error instanceof ProvisionError ? (EXPLANATIONS[error.code].kind ?? 'failed') : 'failed',
    ),
  );
}
