import type { CheckItem } from '../checks/check.js';
import { ProvisionError } from '../model/errors.js';

/** Why a host cannot be adopted as it is. Nothing more is asked of it; the others are looked at all the same. */
export class Obstacle extends ProvisionError {
  /** @param check the item of the report that it becomes */
  constructor(check: string, evidence: string, next: string) {
    super({ code: check, message: evidence, hint: next });
  }

  /** The obstacle as a line of the report. */
  item(host: string | undefined): CheckItem {
    return { check: this.code, host, verdict: 'fail', evidence: this.message, next: this.hint };
  }
}
