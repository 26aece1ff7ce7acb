import type { Host, Inventory } from '../model/inventory.js';
import type { SharedValues } from './shared-values.js';
import type { VariableReader } from './variable-reader.js';

/** What the checks look at beside the cluster. */
export interface CheckContext {
  readonly inventory: Inventory;
  readonly hosts: {
    readonly members: readonly Host[];
    readonly all: readonly Host[];
  };
  readonly shared: SharedValues;
  readonly reader: VariableReader;
}
