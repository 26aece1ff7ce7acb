import { readdirSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { loadInventory } from '../../../src/ansible/load-inventory.js';
import { PROVIDED_VARIABLES } from '../../../src/cluster/derived-variables.js';
import { clusterWarnings, describeCluster } from '../../../src/cluster/describe-cluster.js';
import { VARIABLES } from '../../../src/cluster/known-variables.js';
import { formatProblem } from '../../../src/model/errors.js';
import { expectGolden } from '../../support/golden.js';

const FIXTURES = 'fixtures/described';
const load = async (name: string) => loadInventory(`${FIXTURES}/${name}.yaml`, { provided: PROVIDED_VARIABLES });
const names = readdirSync(FIXTURES)
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => file.replace(/\.yaml$/, ''));

/** A value as people read it in a diff: maps as pairs, secrets hidden, paths from the top of the repository. */
function shown(value: unknown): string {
  const plain = (_: string, part: unknown): unknown => (part instanceof Map ? [...part] : part);
  return `${JSON.stringify(value, plain, 2).replaceAll(process.cwd(), '')}\n`;
}

describe('the whole of what an inventory describes', () => {
  test.each(names)('%s', async (name) => {
    const inventory = await load(name);
    const derived = [...inventory.hosts.values()]
      .slice(0, 1)
      .flatMap(({ name: host }) =>
        PROVIDED_VARIABLES.names.map((variable) => [variable, PROVIDED_VARIABLES.get(inventory, host, variable)]),
      );
    const warnings = clusterWarnings(inventory).map(formatProblem);
    expectGolden(
      `${FIXTURES}/${name}.json`,
      shown({ cluster: describeCluster(inventory), derived: Object.fromEntries(derived) as unknown, warnings }),
    );
  });

  test('each variable of this program is set in one of them', async () => {
    const inventories = await Promise.all(names.map(load));
    const set = new Set(
      inventories.flatMap(({ hosts }) => [...hosts.values()].flatMap(({ variables }) => variables.names())),
    );
    expect(Object.keys(VARIABLES).filter((name) => !set.has(name))).toEqual([]);
    expect(set.has('etcd_no_such_variable')).toBe(false);
  });
});
