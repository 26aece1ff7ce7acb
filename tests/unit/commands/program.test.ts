import { PassThrough } from 'node:stream';
import { expect, jest, test } from '@jest/globals';
import type { Command } from 'commander';
import { createProgram, runProgram } from '../../../src/commands/program.js';
import { verbContext } from '../../support/verb-context.js';

/** What a line prints as an error, and the verbs whose work it began; none is done. */
async function typed(words: readonly string[]): Promise<{ readonly said: string; readonly begun: readonly string[] }> {
  const program = await createProgram(verbContext(new PassThrough(), [], {}));
  let said = '';
  const begun: string[] = [];
  for (const { command } of everyCommand(program)) {
    command.exitOverride().configureOutput({ ...command.configureOutput(), writeErr: (text) => (said += text) });
    if (command.commands.length === 0) command.action(() => void begun.push(command.name()));
  }
  await program.parseAsync([...words], { from: 'user' }).catch(() => undefined);
  return { said, begun };
}

/** All verbs, and those within verbs, each with the words that are typed for it. */
function everyCommand(command: Command, path: readonly string[] = []): readonly Typed[] {
  return [{ command, path }, ...command.commands.flatMap((below) => everyCommand(below, [...path, below.name()]))];
}

interface Typed {
  readonly command: Command;
  readonly path: readonly string[];
}

/** A line for a verb on which all is there that it demands. */
function lineOf({ command, path }: Typed, word: string): readonly string[] {
  const needed = command.options.filter(({ mandatory }) => mandatory);
  const options = needed.flatMap(({ long, argChoices }) => [long ?? '', argChoices?.[0] ?? 'x']);
  const given = command.registeredArguments.map(({ argChoices }, index) =>
    index === 0 ? word : (argChoices?.[0] ?? 'x'),
  );
  return [...path, ...options, ...given];
}

test('no verb takes an empty word for a path: it would be this directory', async () => {
  const program = await createProgram(verbContext(new PassThrough(), [], {}));
  const verbs = everyCommand(program).filter(({ command: { commands, registeredArguments } }) => {
    const [first] = registeredArguments;
    return commands.length === 0 && first?.variadic === false && first.argChoices === undefined;
  });
  expect(verbs.length).toBeGreaterThan(30);
  for (const verb of verbs) {
    const { said, begun } = await typed(lineOf(verb, ''));
    expect(begun).toEqual([]);
    expect(said).toMatch(/^error: argument '[a-z-]+' is empty; a variable of the shell may not be set\n {2}→ see how/);
    expect(said).toContain(`provision ${verb.path.join(' ')} --help\n`);
    expect((await typed(lineOf(verb, 'a-word'))).begun).toEqual([verb.command.name()]);
  }
});

test('nor for a pattern: it would be all hosts', async () => {
  expect((await typed(['apply', 'hosts.yaml', '--limit', 'etcd'])).begun).toEqual(['apply']);
  const { said, begun } = await typed(['apply', 'hosts.yaml', '--yes', '--limit', '']);
  expect(begun).toEqual([]);
  expect(said).toBe(
    "error: option '-l, --limit <pattern>' argument is empty; a variable of the shell may not be set\n  → see how to call it: provision apply --help\n",
  );
});

test('words of others may be empty', async () => {
  expect((await typed(['lab', 'run', 'printf', ''])).begun).toEqual(['run']);
});

test('in a directory that is gone it says so, and that it is no bug', async () => {
  const stdout = new PassThrough();
  const line = verbContext(stdout, ['explain', 'unreachable'], {});
  const gone = Object.assign(new Error('ENOENT: no such file or directory, uv_cwd'), { code: 'ENOENT' });
  const cwd = jest.spyOn(process, 'cwd').mockImplementation(() => {
    throw gone;
  });
  try {
    await expect(runProgram(line)).rejects.toMatchObject({
      code: 'directory-gone',
      hint: 'go to one that is there: cd',
    });
  } finally {
    cwd.mockRestore();
  }
  await runProgram(line);
  expect(String(stdout.read())).toContain('unreachable');
});
