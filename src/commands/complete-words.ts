import type { Argument, Command, Option } from 'commander';

/** A word that may be typed next. */
export interface Candidate {
  readonly name: string;
  readonly description?: string | undefined;
}

/** What may be typed next: one of some words, or whatever the shell itself completes. */
export type Completion = { readonly kind: 'words'; readonly words: readonly Candidate[] } | { readonly kind: 'files' };

/** Words that depend on more than the command line's own definition. */
export interface WordSources {
  /** Hosts of the inventory that was typed; `groups`: its groups, and `all`, too. None where it can't be read. */
  hosts(inventory: string | undefined, which: 'hosts' | 'groups'): Promise<readonly string[]>;
  readonly playbooks: readonly string[];
  readonly codes: readonly string[];
  readonly schemas: readonly string[];
}

const FILES: Completion = { kind: 'files' };

/**
 * What may come next on the command line.
 * @param typed the words after the program's name; the last one is being typed, and may be empty
 */
export async function completeWords(
  program: Command,
  typed: readonly string[],
  sources: WordSources,
): Promise<Completion> {
  const current = typed.at(-1) ?? '';
  const { command, given, open } = walk(program, typed.slice(0, -1));
  const inventory = given[0];
  if (open !== undefined) return valuesOf(open, valueName(open), { inventory, current, sources });
  if (current.startsWith('-')) return words(optionsOf(command));
  if (command.commands.length > 0) return words(verbsOf(command));
  const expected = argumentAt(command, given.length);
  return expected === undefined ? words([]) : valuesOf(expected, expected.name(), { inventory, current, sources });
}

interface Place {
  readonly command: Command;
  /** Arguments before the current word. */
  readonly given: readonly string[];
  /** The option whose value comes now. */
  readonly open: Option | undefined;
}

/** Where the words lead: through verbs, options and their values. */
function walk(program: Command, before: readonly string[]): Place {
  let command = program;
  let open: Option | undefined;
  const given: string[] = [];
  for (const word of before) {
    if (open !== undefined) open = undefined;
    else if (word.startsWith('-')) open = openedBy(command, word);
    else {
      const verb = command.commands.find((each) => each.name() === word);
      if (verb === undefined) given.push(word);
      else command = verb;
    }
  }
  return { command, given, open };
}

/** `-l` and `--limit` take the next word; `--limit=x` and flags take none. */
function openedBy(command: Command, word: string): Option | undefined {
  const option = command.options.find(({ short, long }) => short === word || long === word);
  return option?.required === true ? option : undefined;
}

function argumentAt(command: Command, index: number): Argument | undefined {
  const last = command.registeredArguments.at(-1);
  return command.registeredArguments[index] ?? (last?.variadic === true ? last : undefined);
}

/** `-l, --limit <pattern>` → `pattern`; what is only a name is called after its option. */
function valueName({ flags, long }: Option): string {
  const [, name = ''] = /<([^>]+)>/.exec(flags) ?? [];
  return name === 'name' ? (long ?? '').slice(2) : name;
}

interface Asked {
  readonly inventory: string | undefined;
  readonly current: string;
  readonly sources: WordSources;
}

async function valuesOf(
  { argChoices }: Pick<Option, 'argChoices'>,
  name: string,
  { inventory, current, sources }: Asked,
): Promise<Completion> {
  if (argChoices !== undefined) return wordsOf(argChoices);
  const named = async (which: 'hosts' | 'groups'): Promise<Completion> =>
    wordsOf(await sources.hosts(inventory, which));
  switch (name) {
    case 'host':
      return named('hosts');
    case 'pattern':
      return named('groups');
    case 'playbook':
      // Or a file of one's own.
      return sources.playbooks.some((name) => name.startsWith(current)) ? wordsOf(sources.playbooks) : FILES;
    case 'codes':
      return wordsOf(sources.codes);
    case 'schema':
      return wordsOf(sources.schemas);
    case 'number':
    case 'seconds':
    case 'failures':
    case 'percent':
    case 'i/n':
    case 'revision':
    case 'user':
    case 'become-user':
      return words([]);
    default:
      return FILES;
  }
}

function words(candidates: readonly Candidate[]): Completion {
  return { kind: 'words', words: candidates };
}

function wordsOf(names: readonly string[]): Completion {
  return words(names.map((name) => ({ name })));
}

function verbsOf(command: Command): readonly Candidate[] {
  const verbs = command.createHelp().visibleCommands(command);
  return verbs.map((verb) => ({ name: verb.name(), description: verb.description() }));
}

function optionsOf(command: Command): readonly Candidate[] {
  const options = command.createHelp().visibleOptions(command);
  return options.map(({ long, short, description }) => ({ name: long ?? short ?? '', description }));
}
