import type { Outcome, Resource } from '../model/change.js';
import { counted } from '../model/counted.js';
import { ProvisionError, RemoteError } from '../model/errors.js';
import { quote } from '../shell/quote.js';
import type { Check, CheckContext, CheckItem } from './check.js';

/** How many changes an item names; the plan names all. */
const NAMED = 3;

/** Each host against the inventory: the same resources and the same look as a plan. */
export const checkDrift: Check = async (context) =>
  (await Promise.all([...context.resources].map(([host, resources]) => hostItems(context, host, resources)))).flat();

/** What one resource came to. */
type Decided = { readonly outcome: Outcome } | { readonly error: ProvisionError };

async function hostItems(
  { probe, inventory }: CheckContext,
  host: string,
  resources: readonly Resource[],
): Promise<readonly CheckItem[]> {
  const next = `provision plan ${quote(inventory)}`;
  const decided = await Promise.all(resources.map((resource) => decide(resource, probe(host))));
  const errors = decided.flatMap((each) => ('error' in each ? [each.error] : []));
  // A host that cannot be asked has an item of its own; here it would only repeat itself.
  if (errors.some((error) => error instanceof RemoteError && error.host === host)) return [];
  const [refused] = errors.filter((error) => !(error instanceof RemoteError));
  const item = { check: 'drift', host };
  if (refused !== undefined) {
    const [evidence = ''] = refused.message.split('\n');
    return [{ ...item, verdict: 'fail', evidence, next: refused.hint ?? next }];
  }
  const lost = new Set(errors.flatMap((error) => (error instanceof RemoteError ? [error.host] : [])));
  if (lost.size > 0) {
    const evidence = `could not be checked without ${[...lost].join(', ')}`;
    return [{ ...item, verdict: 'warn', evidence, next }];
  }
  return [
    outcomeItem(
      item,
      decided.flatMap((each) => ('outcome' in each ? [each.outcome] : [])),
      next,
    ),
  ];
}

async function decide(resource: Resource, probe: ReturnType<CheckContext['probe']>): Promise<Decided> {
  try {
    return { outcome: await resource.plan(probe) };
  } catch (error) {
    if (error instanceof ProvisionError) return { error };
    throw error;
  }
}

function outcomeItem(item: Pick<CheckItem, 'check' | 'host'>, outcomes: readonly Outcome[], next: string): CheckItem {
  const summaries = outcomes.flatMap((outcome) => {
    if (outcome.kind === 'change') return [outcome.change.summary];
    return outcome.kind === 'unknown' ? [`cannot be determined: ${outcome.because}`] : [];
  });
  if (summaries.length === 0) return { ...item, verdict: 'ok', evidence: 'matches the inventory' };
  const rest = summaries.length - NAMED;
  const named = summaries.slice(0, NAMED).join('; ') + (rest > 0 ? `; and ${rest} more` : '');
  const count = counted(summaries.length, 'change');
  return { ...item, verdict: 'warn', evidence: `${count}: ${named}`, next };
}
