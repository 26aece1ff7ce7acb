import { Command } from 'commander';
import { wayHere } from './foreign-options.js';
import type { Context } from './context.js';
import { VERSION } from '../model/version.js';
import { VERBS } from './verbs.js';

const ALL_VERBS = 'see the verbs: provision --help';

/** Runs what was typed. */
export async function runProgram(context: Context): Promise<void> {
  const { argv } = context;
  const [word = ''] = argv[0] === 'help' ? argv.slice(1) : argv;
  const program = await createProgram(context, word);
  await program.parseAsync(argv, { from: 'user' });
}

/**
 * The command line: a verb with its options. Nothing runs before it is parsed.
 * @param word the verb that was typed: it alone is there. Another word, or an empty one: all are, of which nothing but the help of
 *   all verbs is known. Without it, all are there, whole.
 */
export async function createProgram(context: Context, word?: string): Promise<Command> {
  const typed = word !== undefined && Object.hasOwn(VERBS, word) ? VERBS[word] : undefined;
  const isAlone = typed !== undefined && typed.tellsOfAll !== true;
  const isWhole = word === undefined || typed !== undefined;
  const program = new Command('provision')
    .description('Highly available etcd for Kubernetes over SSH: an honest plan, a safe apply, no agent on the hosts.')
    .version(VERSION)
    // Long arguments leave little room at 80 columns; what is not wrapped here, a terminal breaks within a word.
    .configureHelp({ minWidthToWrap: 20 })
    .configureOutput({
      // The error stays last: a screenful of help above or below it would hide it.
      outputError(message, write) {
        // Verbs of other tools are those of the program, not of one of its verbs.
        const here = isAlone && message.includes('unknown command') ? undefined : wayHere(message);
        const way = here ?? (isAlone ? `see how to call it: provision ${word} --help` : ALL_VERBS);
        // Where the way is known, a verb that is merely spelt like it would lead astray.
        const shown = here === undefined ? message : message.replace(/\n\(Did you mean [^\n]*/, '');
        write(`${shown.trimEnd()}\n  → ${way}\n`);
      },
    })
    .showSuggestionAfterError();
  for (const [name, { summary, synopsis, hidden = false, load }] of Object.entries(VERBS)) {
    if (isAlone && name !== word) continue;
    const verb = program.command(name, { hidden }).description(summary);
    if (isWhole) (await load(runProgram))(verb, context);
    else outline(verb, synopsis);
  }
  return program;
}

/** As much of a verb as the help of all verbs needs. Commander writes `[options]` for a verb that has an option, whichever it is. */
function outline(verb: Command, synopsis: string): void {
  if (synopsis.startsWith('[options]')) verb.option('--options');
  const words = synopsis.replace(/^\[options\] ?/, '');
  if (words !== '') verb.arguments(words);
}
