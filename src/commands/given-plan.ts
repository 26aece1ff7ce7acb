import type { PlanJson } from '../engine/plan-schema.js';
import { readSavedPlan } from '../engine/saved-plan.js';
import { ProvisionError } from '../model/errors.js';
import { kindOfFile, SAVED_PLAN } from './file-kind.js';

/** Reads a saved plan that a person named. @throws ProvisionError what {@link readSavedPlan} throws, with what the file seems to be */
export async function readGivenPlan(file: string): Promise<PlanJson> {
  try {
    return await readSavedPlan(file);
  } catch (cause) {
    if (!(cause instanceof ProvisionError) || cause.code !== 'plan-unreadable') throw cause;
    const kind = await kindOfFile(file);
    if (kind === undefined || kind === SAVED_PLAN) throw cause;
    throw new ProvisionError({
      code: 'plan-unreadable',
      message: `${file} is not a saved plan: it seems to be ${kind.what}`,
      hint: cause.hint,
      cause,
    });
  }
}
