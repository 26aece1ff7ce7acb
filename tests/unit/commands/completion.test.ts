import { readdirSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import { createProgram } from '../../../src/commands/program.js';
import { PLAYBOOKS } from '../../../src/commands/run-options.js';
import { SCHEMA_NAMES } from '../../../src/report/json-schemas.js';
import { verbContext } from '../../support/verb-context.js';

const INVENTORY = 'inventory/small/hosts.yaml';
const FILES = '__tabtab_complete_files__';

/** What the shell is answered for a line; its last word is being typed. */
async function asked(line: string, shell = 'bash'): Promise<readonly string[]> {
  const out = new PassThrough();
  const argv = ['completion-server', '--', 'provision', ...line.split(' ')];
  await (await createProgram(verbContext(out, argv, { SHELL: shell }))).parseAsync(argv, { from: 'user' });
  out.end();
  return (await text(out)).split('\n').slice(0, -1);
}

describe('what may come next', () => {
  test('is a verb, of the program or of a verb', async () => {
    expect(await asked('')).toEqual(expect.arrayContaining(['init', 'plan', 'apply', 'fleet']));
    expect(await asked('pl')).toEqual(['plan']);
    expect(await asked('fleet ')).toEqual(expect.arrayContaining(['list', 'plan', 'apply', 'verify']));
    expect(await asked('')).not.toContain('completion-server');
  });

  test('is an option of just that verb', async () => {
    expect(await asked('plan --lim')).toEqual(['--limit']);
    expect(await asked('fleet apply x --pl')).toEqual(['--playbook', '--plans']);
    expect(await asked('show --lim')).toEqual([]);
  });

  test.each([
    ['plan ', [FILES]],
    ['plan inv', [FILES]],
    ['plan x -o ', [FILES]],
    ['plan x --private-key /etc/', [FILES]],
    ['plan x --playbook ./my', [FILES]],
    ['plan x --forks ', []],
    ['show x y ', []],
    ['plan x --format ', ['auto', 'text', 'json']],
    ['fleet list x --format j', ['json']],
    ['completion ', ['bash', 'zsh', 'fish']],
    ['plan x --playbook ', [...PLAYBOOKS]],
    ['plan x -p etcd', ['etcd', 'etcd-lb']],
    ['schema ', [...SCHEMA_NAMES]],
    ['explain quorum', ['quorum-at-risk', 'quorum-there', 'quorum-may-return']],
    ['explain locked quorum', ['quorum-at-risk', 'quorum-there', 'quorum-may-return']],
  ])('after "%s"', async (line, expected) => {
    expect(await asked(line)).toEqual(expected);
  });

  test('is a host or a group of the inventory that was typed', async () => {
    expect(await asked(`plan ${INVENTORY} --limit etcd`)).toEqual(expect.arrayContaining(['etcd', 'etcd-1']));
    expect(await asked(`plan ${INVENTORY} -f 3 -l kube`)).toEqual(expect.arrayContaining(['kube_control_plane']));
    const hosts = await asked(`member replace ${INVENTORY} etcd`);
    expect(hosts).toContain('etcd-1');
    expect(hosts).not.toContain('etcd');
  });

  test('is nothing where no inventory was typed, or it cannot be read', async () => {
    expect(await asked('plan --limit e')).toEqual([]);
    expect(await asked('plan /nonexistent --limit e')).toEqual([]);
    expect(await asked('plan package.json --limit e')).toEqual([]);
  });

  test('is said with its meaning where the shell shows that', async () => {
    expect(await asked('pla', 'zsh')).toEqual(['plan:show what apply would do; changes nothing']);
    expect(await asked('pla', 'fish')).toEqual(['plan\tshow what apply would do; changes nothing']);
    // A colon would end the word.
    expect((await asked('sna', 'zsh')).every((line) => line.replaceAll('\\:', '').split(':').length === 2)).toBe(true);
  });

  test('every playbook that is named so is shipped', () => {
    expect(readdirSync('playbooks')).toEqual(expect.arrayContaining(PLAYBOOKS.map((name) => `${name}.yaml`)));
  });
});
