import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, jest, test } from '@jest/globals';
import { CommanderError, type Command } from 'commander';
import type { Context } from '../../../src/commands/context.js';
import { createProgram, runProgram } from '../../../src/commands/program.js';

/** A command of this program in a text of the sources, up to what ends it for a reader. */
const PRINTED = /provision (?!itself|again|reads|did)[a-z](?:\$\{[^}]*\}|[^`'";,()\\\n])*/g;

/** Every command that the sources print, with what a template fills in as one word; comments print nothing. */
function printedCommands(): readonly string[] {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  return files.flatMap((file) =>
    readFileSync(join('src', file), 'utf8')
      .split('\n')
      .filter((line) => !/^\s*(\*|\/\/|\/\*)/.test(line))
      .flatMap((line) => line.match(PRINTED) ?? [])
      .map((command) =>
        command
          .replaceAll(/\$\{[^}]*\}/g, 'X')
          .split(/ {2,}/)[0]
          ?.trim(),
      )
      .filter((command) => command !== undefined)
      .map((command) => `${file}: ${command}`),
  );
}

/** What the real command line says against a command; `undefined` where it takes it. Nothing is run. */
async function refusal(command: string): Promise<string | undefined> {
  const [, ...words] = command.split(' ');
  const context = { stdout: { write: () => undefined }, exit: () => undefined } as unknown as Context;
  const program = await createProgram(context, words[0]);
  const visit = (each: Command): void => {
    each.exitOverride().configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
    if (each.commands.length === 0) each.action(() => undefined);
    each.commands.forEach(visit);
  };
  visit(program);
  try {
    program.parse(words, { from: 'user' });
    return undefined;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.message;
  }
}

test('the real command line takes every command that a message prints', async () => {
  const printed = printedCommands();
  expect(printed.length).toBeGreaterThan(40);
  const refused = await Promise.all(
    printed.map(async (each) => {
      const reason = await refusal(each.slice(each.indexOf(': ') + 2));
      return reason === undefined ? [] : [`${each} (${reason})`];
    }),
  );
  expect(refused.flat()).toEqual([]);
});

test.each([
  'provision ca show',
  'provision plan',
  'provision aply X',
  'provision plan X --no-such',
  'provision bypass X up',
])('it would refuse %j', async (command) => {
  expect(await refusal(command)).toBeDefined();
});

const SILENT = { stdout: { write: () => undefined }, exit: () => undefined } as unknown as Context;

test('each verb alone is what it is beside the others', async () => {
  const { commands } = await createProgram(SILENT);
  expect(commands.length).toBeGreaterThan(20);
  for (const verb of commands) {
    const alone = (await createProgram(SILENT, verb.name())).commands;
    const tellsOfAll = ['man', 'completion-server'].includes(verb.name());
    expect(alone).toHaveLength(tellsOfAll ? commands.length : 1);
    expect(alone.find((each) => each.name() === verb.name())?.helpInformation()).toBe(verb.helpInformation());
  }
});

test('help of all verbs, which loads none, says what it would say with all of them', async () => {
  const whole = (await createProgram(SILENT)).helpInformation();
  expect(whole).toContain('plan [options] <inventory>');
  expect(whole).not.toContain('completion-server');
  for (const word of ['', 'no-verb']) expect((await createProgram(SILENT, word)).helpInformation()).toBe(whole);
});

test.each([
  [['help', 'plan'], 'Usage: provision plan [options] <inventory>'],
  [['--help', 'plan'], 'Usage: provision [options] [command]'],
  [['plan', '-h'], 'Usage: provision plan [options] <inventory>'],
  [['-h'], 'Usage: provision [options] [command]'],
  [['help'], 'Usage: provision [options] [command]'],
  [['help', 'help'], 'Usage: provision [options] [command]'],
  [['ca', 'help', 'show'], 'Usage: provision ca show [options] <store>'],
])('%j shows the help that was asked for, whole', async (argv, usage) => {
  const shown = await helpShown(argv);
  expect(shown.startsWith(`${usage}\n`)).toBe(true);
  expect(shown.includes('--options')).toBe(false);
  expect(shown.includes('--limit')).toBe(usage.includes('plan'));
});

test.each([
  [['no-verb'], 'see the verbs: provision --help'],
  [['ca', 'no-verb'], 'see how to call it: provision ca --help'],
])('help of %j, which is no verb, is the error that it is itself', async (words, way) => {
  const error = `error: unknown command 'no-verb'\n  → ${way}\n`;
  const verbs = words.slice(0, -1);
  for (const argv of [words, [...verbs, 'help', 'no-verb'], [...words, '--help'], [...words, '-h']])
    expect(await helpShown(argv)).toBe(error);
});

/** What a command line writes that asks for help; commander ends the process then. */
async function helpShown(argv: readonly string[]): Promise<string> {
  const wrote = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  const complained = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  const exit = jest.spyOn(process, 'exit').mockImplementation(() => {
    throw new Error('it would end here');
  });
  try {
    await runProgram({ ...SILENT, argv }).catch(() => undefined);
    return [...wrote.mock.calls, ...complained.mock.calls].map(([text]) => String(text)).join('');
  } finally {
    for (const each of [wrote, complained, exit]) each.mockRestore();
  }
}

test('what a check gives to type names the inventory as one word, whatever its name holds', () => {
  const unquoted = (source: string): readonly string[] => source.match(/provision [a-z ]+\$\{inventory\}/g) ?? [];
  const checks = readdirSync('src/checks').map((file) => readFileSync(join('src/checks', file), 'utf8'));
  expect(checks.flatMap(unquoted)).toEqual([]);
  expect(unquoted('`provision plan ${' + 'inventory}`')).toHaveLength(1);
});
