import type { Command } from 'commander';
import { EXIT } from '../model/errors.js';
import type { Context } from './context.js';

/** `provision explain [CODE…]`: why an error comes, and what to do next; without a code, all of them. */
export function defineExplainCommand(verb: Command, context: Context): void {
  verb.argument('[codes...]', 'as an error names them: quorum-at-risk').action(async (codes: readonly string[]) => {
    const { explainCode, listCodes } = await import('../report/explain-text.js');
    const text = codes.length === 0 ? listCodes() : codes.map(explainCode).join('\n\n');
    context.stdout.write(`${text}\n`);
    context.exit(EXIT.done);
  });
}
