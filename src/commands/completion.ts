import { Argument, type Command } from 'commander';
import { EXIT } from '../model/errors.js';
import type { Completion, WordSources } from './complete-words.js';
import type { Context } from './context.js';
import { programOf } from './program-of.js';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

/** `provision completion SHELL`: the script by which a shell completes what is typed. */
export function defineCompletionCommand(verb: Command, context: Context): void {
  verb.addArgument(new Argument('<shell>', 'which shell').choices(SHELLS)).action(async (shell: Shell) => {
    const { default: tabtab } = await import('@pnpm/tabtab');
    const script = await tabtab.getCompletionScript({ name: 'provision', completer: 'provision', shell });
    context.stdout.write(script);
    context.exit(EXIT.done);
  });
}

/** What that script asks. Its words are those of a command line in the making. */
export function defineCompletionServer(verb: Command, context: Context): void {
  verb
    .argument('[words...]')
    .helpOption(false)
    .allowUnknownOption()
    .action(async (words: readonly string[]) => {
      await serve(programOf(verb), words.slice(1), context);
    });
}

async function serve(program: Command, typed: readonly string[], context: Context): Promise<void> {
  const { completeWords } = await import('./complete-words.js');
  const completion = await completeWords(program, typed, await sourcesOf(context));
  const shell = SHELLS.find((name) => name === context.env['SHELL']) ?? 'bash';
  context.stdout.write(linesOf(completion, shell, typed.at(-1) ?? ''));
  context.exit(EXIT.done);
}

/** As the scripts of @pnpm/tabtab read it: a line for each word, with what it means where the shell shows that. */
function linesOf(completion: Completion, shell: Shell, current: string): string {
  if (completion.kind === 'files') return '__tabtab_complete_files__\n';
  const fitting = completion.words.filter(({ name }) => name.startsWith(current));
  return fitting
    .map(({ name, description }) => {
      if (shell === 'bash' || description === undefined)
        return `${shell === 'zsh' ? name.replaceAll(':', '\\:') : name}\n`;
      const [line = ''] = description.split('\n');
      return shell === 'fish'
        ? `${name}\t${line}\n`
        : `${name.replaceAll(':', '\\:')}:${line.replaceAll(':', '\\:')}\n`;
    })
    .join('');
}

async function sourcesOf(context: Context): Promise<WordSources> {
  const [{ PLAYBOOKS }, { ERROR_CODES }, { SCHEMA_NAMES }] = await Promise.all([
    import('./run-options.js'),
    import('../model/error-codes.js'),
    import('../report/json-schemas.js'),
  ]);
  return {
    hosts: async (inventory, which) => hostsOf(inventory, which, context),
    playbooks: PLAYBOOKS,
    codes: Object.keys(ERROR_CODES),
    schemas: SCHEMA_NAMES,
  };
}

/** What can't be read completes nothing: the verb itself will say why. */
async function hostsOf(
  file: string | undefined,
  which: 'hosts' | 'groups',
  context: Context,
): Promise<readonly string[]> {
  if (file === undefined) return [];
  try {
    const { openInventory } = await import('./inventory-options.js');
    const { hosts, groups } = await openInventory(file, {}, context);
    return which === 'hosts' ? [...hosts.keys()] : [...groups.keys(), ...hosts.keys()];
  } catch {
    return [];
  }
}
