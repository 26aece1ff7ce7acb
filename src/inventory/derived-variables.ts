import type { Inventory } from '../model/inventory.js';
import type { Json } from '../model/json.js';

const DERIVED: Readonly<Record<string, (inventory: Inventory) => Json>> = {};

/** Names of the variables that this program provides. */
export const DERIVED_NAMES: readonly string[] = Object.keys(DERIVED);

/** A derived variable; undefined when there is none of that name. */
export function derivedVariable(inventory: Inventory, name: string): Json | undefined {
  return DERIVED[name]?.(inventory);
}
