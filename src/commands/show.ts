import type { Command } from 'commander';
import { EXIT } from '../model/errors.js';
import type { Context } from './context.js';
import { formatOption } from './format-option.js';

/** The options of `show`. */
interface ShowOptions {
  readonly format: 'auto' | 'text' | 'json';
}

/** `provision show FILE`: a saved plan, as `plan` has shown it. It connects to nothing. */
export function defineShowCommand(verb: Command, context: Context): void {
  verb
    .argument('<file>', 'what `plan -o FILE` has written')
    .addOption(formatOption('one object'))
    .action(async (file: string, options: ShowOptions) => {
      await show(file, options, context);
    });
}

async function show(file: string, { format }: ShowOptions, context: Context): Promise<void> {
  const { stdout, env } = context;
  const { readGivenPlan } = await import('./given-plan.js');
  const saved = await readGivenPlan(file);
  if (format === 'json') {
    const { printableJson } = await import('../report/terminal-text.js');
    stdout.write(`${printableJson(saved, 2)}\n`);
  } else {
    const { planOutline } = await import('../engine/plan-json.js');
    const { renderPlan } = await import('../report/plan-text.js');
    const { wantsColour } = await import('../report/create-reporter.js');
    stdout.write(renderPlan(planOutline(saved), { colour: wantsColour({ isTTY: stdout.isTTY, env }) }));
  }
  context.exit(EXIT.done);
}
