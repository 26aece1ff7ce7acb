import type { CheckItem } from '../checks/check.js';
import { ProvisionError } from '../model/errors.js';

/** Why a host cannot be adopted as it is. Nothing more is asked of it; the others are looked at all the same. */
export class Obstacle extends ProvisionError {
  /** The item of the report that it becomes. */
  readonly #check: string;

  constructor(check: string, evidence: string, next: string) {
    super({ code: 'not-adoptable', message: evidence, hint: next });
    this.#check = check;
  }

  /** The obstacle as a line of the report. */
  item(host: string | undefined): CheckItem {
    return { check: this.#check, host, verdict: 'fail', evidence: this.message, next: this.hint };
  }
}
