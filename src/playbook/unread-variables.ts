import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { Problem } from '../model/errors.js';
import type { Inventory } from '../model/inventory.js';
import type { ReadPlay } from './read-playbook.js';

/**
 * What is wrong with group_vars/ and host_vars/ beside a playbook that is not in the inventory's directory. Ansible reads
 * them, too: passed over, hosts would have other values, without a word.
 * @param play the first one of a file is asked for all of its plays
 */
export function unreadVariables({ directory, source, index }: ReadPlay, inventory: Inventory): readonly Problem[] {
  if (index > 0 || realpathSync(directory) === realpathSync(inventory.directory)) return [];
  return ['group_vars', 'host_vars']
    .filter((name) => existsSync(join(directory, name)))
    .map((name): Problem => {
      const message = `stands beside this playbook, where it is not read; move it to ${inventory.directory}, beside the inventory`;
      return { severity: 'error', at: source.at([index]), subject: `${name}/`, message };
    });
}
