import type { Outcome } from '../model/change.js';
import type { AuthorityView } from '../pki/authority.js';

/**
 * What was decided of a certificate; where an external CA signs it, its diff says whether that is done. Only the diff: a
 * plan is the same one before and after.
 */
export async function withSignature(outcome: Outcome, host: string, authority: AuthorityView): Promise<Outcome> {
  if (outcome.kind !== 'change' || authority.isExternal?.() !== true) return outcome;
  const { change } = outcome;
  const lines: string[] = [];
  for (const action of change.actions)
    if (action.kind === 'issue-certificate')
      lines.push(`  ${(await authority.describeSignature?.({ host, action })) ?? 'external CA'}`);
  return { kind: 'change', change: { ...change, diff: [...change.diff, ...lines] } };
}
