import type { Command } from 'commander';
import { EXIT } from '../model/errors.js';
import type { Context } from './context.js';

/** `provision schema NAME`: the JSON Schema of what is read and written. */
export function defineSchemaCommand(verb: Command, context: Context): void {
  verb
    .argument('<schema>', 'inventory, playbook, plan, events, diagnosis, fleet or answers')
    .action(async (name: string) => {
      const { jsonSchema } = await import('../report/json-schemas.js');
      context.stdout.write(`${JSON.stringify(jsonSchema(name), undefined, 2)}\n`);
      context.exit(EXIT.done);
    });
}
