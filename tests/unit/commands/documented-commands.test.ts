import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import type { Command } from 'commander';
import { createProgram } from '../../../src/commands/program.js';
import { ERROR_CODES } from '../../../src/model/error-codes.js';
import { verbContext } from '../../support/verb-context.js';

// Commands that people copy: those of the documentation and of the explained errors are commands that this program has.

const program = await createProgram(verbContext(new PassThrough(), [], {}));

/** Every command of this program in a text: on lines of their own, and between backticks. */
function commandsIn(text: string): readonly string[] {
  const inline = [...text.matchAll(/`(provision(?: [^`]*)?)`/g)].map(([, command = '']) =>
    command.replaceAll(/\s+/g, ' '),
  );
  const blocks = [...text.matchAll(/^```(?:console|sh|bash|yaml)\n([\s\S]*?)^```/gm)].map(([, block = '']) => block);
  const lines = blocks.flatMap((block) => block.replaceAll(/\\\n\s*/g, '').split('\n'));
  const typed = lines.flatMap((line) => /^\s*(?:(?:\$|- run:|run:) )?(provision .*)$/.exec(line)?.[1] ?? []);
  return [...inline, ...typed.map((line) => line.replace(/\s+#.*$/, ''))];
}

/** What is wrong with a command: a verb or an option that there is not. */
function problemOf(command: string): string | undefined {
  // What follows `--` is a command of its own, or words for one.
  const [own = '', ...behind] = command.split(/ -- (?=provision )/);
  const words =
    own
      .split(/ (?:\||&&|;|>|<|2>&1) ?/)[0]
      ?.split(' ')
      .slice(1) ?? [];
  const end = words.indexOf('--');
  let verb: Command = program;
  for (const word of end < 0 ? words : words.slice(0, end)) {
    if (word.startsWith('-')) {
      const problem = optionProblem(verb, word);
      if (problem !== undefined) return problem;
    } else if (verb.commands.length > 0) {
      const names = word.split('|').filter((name) => /^[a-z]/.test(name));
      const known = names.map((name) => verb.commands.find((each) => each.name() === name));
      if (known.includes(undefined)) return `${verb.name()} has no verb ${word}`;
      verb = known[0] ?? verb;
    }
  }
  return behind.map(problemOf).find((problem) => problem !== undefined);
}

function optionProblem(verb: Command, word: string): string | undefined {
  const name = /^--?[a-z][a-z-]*/i.exec(word)?.[0];
  if (name === undefined || ['--help', '--version', '-h', '-V'].includes(name)) return undefined;
  const isKnown = verb.options.some(({ long, short }) => long === name || short === name);
  return isKnown ? undefined : `${verb.name()} has no option ${name}`;
}

function documents(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return documents(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

const FILES = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...documents('docs')];

describe('a documented command is one of this program:', () => {
  test.each(FILES)('%s', (path) => {
    const wrong = commandsIn(readFileSync(path, 'utf8')).flatMap((command) => {
      const problem = problemOf(command);
      return problem === undefined ? [] : [`${command}: ${problem}`];
    });
    expect(wrong).toEqual([]);
  });

  test('the explanations of errors', () => {
    const wrong = Object.entries<{ why: string; next: string }>(ERROR_CODES).flatMap(([code, { why, next }]) =>
      commandsIn(`${why} ${next}`).flatMap((command) => {
        const problem = problemOf(command);
        return problem === undefined ? [] : [`${code}: ${command}: ${problem}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  test('there are many, and a wrong one is noticed', () => {
    expect(FILES.flatMap((path) => commandsIn(readFileSync(path, 'utf8'))).length).toBeGreaterThan(100);
    const text =
      '`provision pan x`\n```console\n$ provision plan x --limits y   # why\n$ provision lab run -- provision aply x\n```\n';
    expect(commandsIn(text).map(problemOf)).toEqual([
      'provision has no verb pan',
      'plan has no option --limits',
      'provision has no verb aply',
    ]);
    for (const good of [
      'provision',
      'provision fleet list|plan DIR',
      'provision plan x -l y | less',
      'provision lab ssh HOST -- ls -l',
    ])
      expect(problemOf(good)).toBeUndefined();
  });
});
