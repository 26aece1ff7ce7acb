import type { AuthorityMove } from '../model/authority-move.js';
import type { StoreRotation } from './authority.js';

/**
 * What ca.crt holds after a step of a rotation: the signing certificate first, then others that hosts should trust.
 * @returns `undefined` where the step would leave leaves that nobody trusts: only what signs may be trusted alone
 */
export function bundleAfter(
  move: Exclude<AuthorityMove, 'finish'>,
  { old, new: next, others, signing }: StoreRotation,
): string | undefined {
  switch (move) {
    case 'trust-both':
      return joined(signing === 'old' ? [old, next] : [next, old], others);
    case 'sign-by-new':
      return joined([next, old], others);
    case 'sign-by-old':
      return joined([old, next], others);
    case 'trust-new':
      return signing === 'new' ? joined([next], others) : undefined;
    case 'trust-old':
      return signing === 'old' ? joined([old], others) : undefined;
  }
}

function joined(own: readonly string[], others: readonly string[]): string {
  return [...own, ...others].map((pem) => `${pem.trim()}\n`).join('');
}
