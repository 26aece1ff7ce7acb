// Each broken inventory and the whole of what is said about it. After a change of the wording, look at the difference
// of: UPDATE_GOLDEN=1 npm run -s jest -- --selectProjects unit -- bad-inventories
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { clusterWarnings, describeCluster } from '../../../src/cluster/describe-cluster.js';
import { PROVIDED_VARIABLES } from '../../../src/cluster/derived-variables.js';
import { loadInventory } from '../../../src/ansible/load-inventory.js';
import { formatProblem, InputError, ProvisionError } from '../../../src/model/errors.js';

const DIRECTORY = 'fixtures/bad-inventories';

async function whatIsSaidAbout(path: string): Promise<string> {
  const lines: string[] = [];
  try {
    const inventory = await loadInventory(path, { provided: PROVIDED_VARIABLES });
    lines.push(...clusterWarnings(inventory).map(formatProblem));
    describeCluster(inventory);
    lines.push('accepted');
  } catch (error) {
    if (!(error instanceof ProvisionError)) throw error;
    lines.push(error.message, ...(error.hint === undefined ? [] : [`→ ${error.hint}`]));
    // What can be pointed at in a file is pointed at.
    if (error instanceof InputError) {
      for (const problem of error.problems) expect(problem).toHaveProperty('at.line');
    }
  }
  return `${lines.join('\n')}\n`;
}

describe('broken inventories', () => {
  const files = readdirSync(DIRECTORY).filter((name) => !name.endsWith('.txt'));

  test.each(files)('%s', async (file) => {
    const golden = join(DIRECTORY, `${file}.txt`);
    const said = await whatIsSaidAbout(join(DIRECTORY, file));
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, said);
    expect(said).toBe(readFileSync(golden, 'utf8'));
  });

  test('no golden file is left of a removed inventory', () => {
    const texts = readdirSync(DIRECTORY).filter((name) => name.endsWith('.txt'));
    expect(texts.filter((name) => !existsSync(join(DIRECTORY, name.slice(0, -4))))).toEqual([]);
  });

  test('a secret that is wrong is not shown', async () => {
    const file = join(DIRECTORY, 'everything.yml');
    expect(readFileSync(file, 'utf8')).toContain('longer-than-eight-planted');
    const said = await whatIsSaidAbout(file);
    expect(said).toContain('keepalived_auth_pass');
    expect(said).not.toContain('longer-than-eight-planted');
  });
});
