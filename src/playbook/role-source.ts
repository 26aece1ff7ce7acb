import type { Cluster } from '../model/cluster.js';
import type { Inventory } from '../model/inventory.js';
import type { Role } from '../roles/role.js';

/** What turns a role's name into resources. Made only when a play names a role: a playbook of tasks needs no cluster. */
export interface RoleSource {
  readonly roles: ReadonlyMap<string, Role>;
  /** The one that gates, orders and checks see, too. */
  readonly cluster: Cluster;
  /** The cluster that an inventory describes. @throws InputError */
  readonly describe: (inventory: Inventory) => Cluster;
}
