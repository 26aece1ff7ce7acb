import { ProvisionError, RemoteError } from '../model/errors.js';
import { quote } from '../shell/quote.js';
import type { Check } from './check.js';
import { lookAtRotation } from './look-at-rotation.js';
import { decideRotation, describeRotation, describeStage } from './rotation-stage.js';

/** A rotation of the authority that is in progress: which stage comes next. It may rest between two stages. */
export const checkRotation: Check = async ({ cluster, certificates: { authority }, probe, inventory }) => {
  if (authority.rotation?.() === undefined) return [];
  const next = `provision ca rotate ${quote(inventory)}`;
  const item = { check: 'rotation', subject: cluster.certificates.store, verdict: 'warn', next } as const;
  try {
    const seen = await lookAtRotation({ cluster, authority, probe });
    const stage = decideRotation(seen, 'forward') ?? 'bundle';
    const evidence = `a rotation of the authority is in progress, next: ${describeStage(stage)} (${describeRotation(seen).join('; ')})`;
    return [{ ...item, evidence }];
  } catch (error) {
    // A host that can't be asked is an item of the others.
    if (error instanceof RemoteError)
      return [
        { ...item, evidence: `a rotation of the authority is in progress; its stage is not known: ${error.message}` },
      ];
    if (!(error instanceof ProvisionError)) throw error;
    return [{ ...item, verdict: 'fail', evidence: error.message, next: error.hint ?? next }];
  }
};
