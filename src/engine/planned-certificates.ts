import type { Plan } from '../model/plan.js';
import type { PlannedCertificate } from '../pki/authority.js';

/** Every leaf that a plan wants signed, in the order of the plan. */
export function plannedCertificates(plan: Plan): readonly PlannedCertificate[] {
  return plan.plays.flatMap(({ batches }) =>
    batches.flatMap(({ hosts }) =>
      hosts.flatMap(({ host, steps }) =>
        steps.flatMap(({ outcome }) =>
          outcome.kind !== 'change'
            ? []
            : outcome.change.actions.flatMap((action) =>
                action.kind === 'issue-certificate' ? [{ host, action }] : [],
              ),
        ),
      ),
    ),
  );
}
