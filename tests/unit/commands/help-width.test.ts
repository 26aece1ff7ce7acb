import { PassThrough } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import type { Command } from 'commander';
import { createProgram } from '../../../src/commands/program.js';
import { verbContext } from '../../support/verb-context.js';

const program = await createProgram(verbContext(new PassThrough(), [], {}));

function allOf(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(allOf)];
}

/** What `--help` prints on a terminal of this width. */
function helpOf(command: Command, columns: number): readonly string[] {
  let printed = '';
  command.configureOutput({
    writeOut: (text) => {
      printed += text;
    },
    getOutHelpWidth: () => columns,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return printed.split('\n');
}

describe('no line of a help is wider than the terminal, which would break it within a word:', () => {
  test.each(allOf(program).map((command) => [command.name(), command] as const))('%s', (_, command) => {
    for (const columns of [80, 100])
      expect(helpOf(command, columns).filter((line) => line.length > columns)).toEqual([]);
  });

  test('there are many verbs, and wide lines are noticed', () => {
    expect(allOf(program).length).toBeGreaterThan(40);
    expect(helpOf(program, 80).filter((line) => line.length > 40).length).toBeGreaterThan(10);
  });
});
