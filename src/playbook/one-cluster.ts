import { isDeepStrictEqual } from 'node:util';
import { InputError, type SourcePosition } from '../model/errors.js';
import type { Inventory } from '../model/inventory.js';
import type { PythonValue } from '../model/python-value.js';
import type { RoleSource } from './role-source.js';

/** The `vars:` that a role would be given. */
export interface GivenVars {
  readonly roleSource: Pick<RoleSource, 'cluster' | 'describe'>;
  /** Without them. */
  readonly base: Inventory;
  readonly vars: Readonly<Record<string, PythonValue>>;
  readonly at: SourcePosition | undefined;
}

/**
 * One cluster a run: what `vars:` of a play would say of another, a role would set up, and gates, orders and checks would
 * not ask for.
 * @throws InputError that names those that would
 */
export function refuseAnotherCluster({ roleSource: { cluster, describe }, base, vars, at }: GivenVars): void {
  const isOther = (some: GivenVars['vars']): boolean => {
    try {
      return !isDeepStrictEqual(describe(base.withVariables(some)), cluster);
    } catch (error) {
      if (error instanceof InputError) return true;
      throw error;
    }
  };
  if (Object.keys(vars).length === 0 || !isOther(vars)) return;
  const alone = Object.keys(vars).filter((name) => isOther({ [name]: vars[name] ?? null }));
  const names = alone.length === 0 ? Object.keys(vars) : alone;
  const message = `${names.join(', ')} of a play or a role would change the cluster, and gates, orders and checks see what the inventory says; set it in the inventory`;
  throw new InputError([{ severity: 'error', at, subject: 'vars', message }]);
}
