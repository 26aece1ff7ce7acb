import type { SourcePosition } from '../model/errors.js';
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

/** Where the first of these variables is set for a host, or where the host itself is named. */
export function placeOf(context: CheckContext, host: string, ...variables: string[]): SourcePosition | undefined {
  const found = context.inventory.hosts.get(host);
  const set = variables.map((name) => found?.variables.at(name)).find((at) => at !== undefined);
  return set ?? found?.at;
}
