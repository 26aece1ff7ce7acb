import { PassThrough } from 'node:stream';
import { expect, test } from '@jest/globals';
import type { Command } from 'commander';
import { wayHere } from '../../../src/commands/foreign-options.js';
import { createProgram } from '../../../src/commands/program.js';
import { verbContext } from '../../support/verb-context.js';

test.each([
  ['-i', 'provision plan inventory.yaml'],
  ['--check', 'provision plan INVENTORY'],
  ['--diff', 'always shows its differences'],
  ['-v', '--format json'],
  ['-e', 'group_vars/'],
  ['--tags', '--playbook'],
  ['-auto-approve', '--yes'],
])('%s of another tool is answered with the way of this one', (option, way) => {
  expect(wayHere(`error: unknown option '${option}'`)).toContain(way);
  expect(wayHere(`error: unknown option '${option}=x'`)).toContain(way);
});

test.each(["error: unknown option '--yess'\n(Did you mean --yes?)", "error: missing required argument 'inventory'"])(
  'nothing is said of: %s',
  (message) => {
    expect(wayHere(message)).toBeUndefined();
  },
);

test.each([
  ['version', 'provision --version'],
  ['deploy', 'provision apply INVENTORY'],
  ['status', 'provision verify INVENTORY'],
  ['check', 'provision plan INVENTORY'],
  ['destroy', 'docs/operating.md'],
])('the verb %s of another tool is answered with the way of this one', (verb, way) => {
  expect(wayHere(`error: unknown command '${verb}'\n(Did you mean verify?)`)).toContain(way);
});

test('no verb of this program is called one of another tool', async () => {
  const program = await createProgram(verbContext(new PassThrough(), [], {}));
  const verbs = program.commands.map((command) => command.name());
  expect(verbs).toContain('plan');
  expect(verbs.filter((verb) => wayHere(`error: unknown command '${verb}'`) !== undefined)).toEqual([]);
});

/** What is printed of a line that can't be understood. */
async function refused(...argv: readonly string[]): Promise<string> {
  const program = await createProgram(verbContext(new PassThrough(), [], {}), argv[0]);
  let printed = '';
  const each = (command: Command): void => {
    command.exitOverride().configureOutput({ ...command.configureOutput(), writeErr: (text) => (printed += text) });
    command.commands.forEach(each);
  };
  each(program);
  await program.parseAsync(argv, { from: 'user' }).catch(() => undefined);
  return printed;
}

test('a near verb is not suggested beside the way of this program; a verb within a verb has ways of its own', async () => {
  expect(await refused('version')).toBe("error: unknown command 'version'\n  → provision --version\n");
  expect(await refused('aply')).toBe(
    "error: unknown command 'aply'\n(Did you mean apply?)\n  → see the verbs: provision --help\n",
  );
  expect(await refused('ca', 'list')).toBe(
    "error: unknown command 'list'\n  → see how to call it: provision ca --help\n",
  );
});

test('an error of a verb within a verb says how that one is called', async () => {
  const missing = "error: missing required argument 'store'\n  → see how to call it: provision ca show --help\n";
  expect(await refused('ca', 'show')).toBe(missing);
  expect(await refused('doctor', 'etcd', '--yess')).toContain('provision doctor etcd --help\n');
  expect(await refused('plan')).toContain('provision plan --help\n');
});
