import { join } from 'node:path';
import { loadInventory } from '../../src/ansible/load-inventory.js';
import { buildPlays } from '../../src/playbook/build-plays.js';
import type { Play } from '../../src/playbook/play.js';
import { readPlaybook } from '../../src/playbook/read-playbook.js';
import { SAMPLE_CLUSTER } from './sample-cluster.js';

/** The first play of a playbook without roles. @param playbook and inventory: names of files in the directory */
export async function builtPlay(directory: string, playbook: string, inventory: string): Promise<Play | undefined> {
  const [play] = buildPlays({
    playbook: await readPlaybook(join(directory, playbook)),
    inventory: await loadInventory(join(directory, inventory), {}),
    limit: undefined,
    roleSource: { roles: new Map(), cluster: SAMPLE_CLUSTER, describe: () => SAMPLE_CLUSTER },
    gates: new Map(),
    orders: new Map(),
  });
  return play;
}
