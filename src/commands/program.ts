import { Command } from 'commander';
import { ProvisionError } from '../model/errors.js';
import { VERSION } from '../model/version.js';
import { wayHere } from './foreign-options.js';
import type { Context } from './context.js';
import { VERBS } from './verbs.js';

const ALL_VERBS = 'see the verbs: provision --help';

/** Runs what was typed. */
export async function runProgram(context: Context): Promise<void> {
  const { argv } = context;
  const [word = ''] = argv[0] === 'help' ? argv.slice(1) : argv;
  const program = await createProgram(context, word);
  await program.parseAsync(withoutIdleHelp(argv, program), { from: 'user' });
}

const ASKS_FOR_HELP = ['help', '-h', '--help'];

/** `help WORD` and `WORD --help` are what WORD is where there is no such verb, an error: commander shows the help of all. */
function withoutIdleHelp(argv: readonly string[], program: Command): readonly string[] {
  let command = program;
  for (const word of argv) {
    if (word === 'help') continue;
    const isLast = command.commands.length === 0 || command.registeredArguments.length > 0;
    if (isLast || word.startsWith('-')) return argv;
    const below = command.commands.find((each) => each.name() === word || each.aliases().includes(word));
    if (below === undefined) return argv.filter((each) => !ASKS_FOR_HELP.includes(each));
    command = below;
  }
  return argv;
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
      outputError(message, write) {
        const way = wayHere(message);
        // Where the way is known, a verb that is merely spelt like it would lead astray.
        const shown = way === undefined ? message : message.replace(/\n\(Did you mean [^\n]*/, '');
        write(`${shown.trimEnd()}\n  → ${way ?? ALL_VERBS}\n`);
      },
    })
    .showSuggestionAfterError()
    .hook('preAction', (_program, verb) => {
      refuseEmptyWords(verb);
      refuseGoneDirectory();
    });
  for (const [name, { summary, synopsis, hidden = false, load }] of Object.entries(VERBS)) {
    if (isAlone && name !== word) continue;
    const verb = program.command(name, { hidden }).description(summary);
    if (isWhole) (await load(runProgram))(verb, context);
    else outline(verb, synopsis);
    showWay(verb, name);
  }
  return program;
}

/**
 * Has an error of a verb, and of those below it, say how that one is called. It stays last: a screenful of help would hide it.
 * @param path the words that were typed for it: `ca show`
 */
function showWay(verb: Command, path: string): void {
  verb.configureOutput({
    outputError(message, write) {
      // Verbs of other tools are those of the program, not of one of its verbs.
      const here = message.includes('unknown command') ? undefined : wayHere(message);
      write(`${message.trimEnd()}\n  → ${here ?? `see how to call it: provision ${path} --help`}\n`);
    },
  });
  for (const below of verb.commands) showWay(below, `${path} ${below.name()}`);
}

/**
 * A variable of a shell that is not set leaves an empty word: as a path it would be this directory, as a pattern all hosts. What a
 * verb takes any number of are words of others, and may be empty.
 */
function refuseEmptyWords(verb: Command): void {
  const argument = verb.registeredArguments.find(({ variadic }, index) => !variadic && verb.args[index] === '');
  const option = verb.options.find((each) => verb.getOptionValue(each.attributeName()) === '');
  if (argument === undefined && option === undefined) return;
  const what = argument === undefined ? `option '${option?.flags}' argument` : `argument '${argument.name()}'`;
  verb.error(`error: ${what} is empty; a variable of the shell may not be set`);
}

/** A shell stays in a directory that another has removed; there is no path from there. @throws ProvisionError `directory-gone` */
function refuseGoneDirectory(): void {
  try {
    process.cwd();
  } catch (cause) {
    throw new ProvisionError({
      code: 'directory-gone',
      message: 'the directory that this was started in has been removed',
      hint: 'go to one that is there: cd',
      cause,
    });
  }
}

/** As much of a verb as the help of all verbs needs. Commander writes `[options]` for a verb that has an option, whichever it is. */
function outline(verb: Command, synopsis: string): void {
  if (synopsis.startsWith('[options]')) verb.option('--options');
  const words = synopsis.replace(/^\[options\] ?/, '');
  if (words !== '') verb.arguments(words);
}
