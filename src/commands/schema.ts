import type { Command } from 'commander';
import { EXIT } from '../model/errors.js';
import type { Context } from './context.js';

/** `provision schema NAME`: the JSON Schema of what is read and written. */
export function addSchemaCommand(program: Command, context: Context): void {
  program
    .command('schema')
    .description(
      'print the JSON Schema of an inventory, a playbook, a plan, a diagnosis, a fleet, the events or answers of init, for editors and checkers',
    )
    .argument('<schema>', 'inventory, playbook, plan, events, diagnosis, fleet or answers')
    .action(async (name: string) => {
      const { jsonSchema } = await import('../report/json-schemas.js');
      context.stdout.write(`${JSON.stringify(jsonSchema(name), undefined, 2)}\n`);
      context.exit(EXIT.done);
    });
}
