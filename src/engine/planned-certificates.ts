import { plannedChanges, type Plan } from '../model/plan.js';
import type { PlannedCertificate } from '../pki/authority.js';

/** Every leaf that a plan wants signed, in the order of the plan. */
export function plannedCertificates(plan: Plan): readonly PlannedCertificate[] {
  return plannedChanges(plan).flatMap(({ host, change }) =>
    change.actions.flatMap((action) => (action.kind === 'issue-certificate' ? [{ host, action }] : [])),
  );
}
