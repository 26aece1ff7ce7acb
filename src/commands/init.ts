import type { Command } from 'commander';
import type { Context } from './context.js';
import type { InitEdges, InitOptions } from './run-init.js';

/**
 * `provision init [FILE]`: asks for hosts and addresses, and writes an inventory.
 * @param edges runs what is offered at the end, and looks at hosts
 */
export function defineInitCommand(verb: Command, context: Context, edges: InitEdges): void {
  verb
    .argument('[file]', 'the inventory to write', 'inventory.yaml')
    .option('--answers <file>', 'answers in YAML, whose questions are not asked (see `provision schema answers`)')
    .option('--save-answers <file>', 'write all answers to this file, for --answers; there is no secret among them')
    .option('--defaults', 'ask nothing: take the default of each question that --answers leaves open')
    .action(async (file: string, options: InitOptions) => {
      const { runInit } = await import('./run-init.js');
      await runInit(file, options, context, edges);
    });
}
