import { dirname, resolve } from 'node:path';
import { InputError, type Problem, ProvisionError } from '../model/errors.js';
import { fileReason } from '../model/file-reason.js';
import { didYouMean } from '../model/did-you-mean.js';
import { readTextBounded, TYPED_FILE_BYTES } from '../model/read-bounded.js';
import { insteadOf } from './ansible-words.js';
import { moduleNamed, moduleNames } from './modules.js';
import { importSchema, playSchema, taskWords, type RawImport, type RawPlay } from './playbook-schema.js';
import { parseYaml, problemsOf, type YamlSource } from './yaml-source.js';

const WHAT_TASKS_HAVE = `a task has one module: ${moduleNames().join(', ')}; and these keywords: ${taskWords.join(', ')}`;

/** One play as it is in its file. */
export interface ReadPlay {
  readonly source: YamlSource;
  /** Its place in the file's list. */
  readonly index: number;
  readonly play: RawPlay;
  /** Absolute; relative paths of `copy` and `template` start here. */
  readonly directory: string;
}

/** A playbook, its imports in their places, with every file that was read. */
export interface Playbook {
  readonly file: string;
  readonly plays: readonly ReadPlay[];
}

/**
 * Reads and checks a playbook.
 * @throws InputError with all that is wrong in a file, each with its place
 */
export async function readPlaybook(file: string): Promise<Playbook> {
  return { file, plays: await readPlays(file, []) };
}

async function readPlays(file: string, importedBy: readonly string[]): Promise<readonly ReadPlay[]> {
  const source = parseYaml(file, await readText(file));
  if (!Array.isArray(source.value))
    throw new InputError([
      { severity: 'error', at: source.at([]), subject: file, message: 'expected a list of plays' },
    ]);
  const problems: Problem[] = [];
  const ofTasks: Problem[] = [];
  const read: (ReadPlay | RawImport)[] = [];
  for (const [index, entry] of source.value.entries()) {
    const parsed = readEntry(source, index, entry, problems);
    if (parsed === undefined) continue;
    read.push(parsed);
    if ('play' in parsed) ofTasks.push(...taskProblems(source, index, parsed.play));
  }
  if (problems.length + ofTasks.length > 0)
    throw new InputError([...problems, ...ofTasks], ofTasks.length > 0 ? WHAT_TASKS_HAVE : undefined);
  const chain = [...importedBy, resolve(file)];
  const plays = await Promise.all(
    read.map(async (entry) => ('import_playbook' in entry ? readImport(entry, file, chain) : [entry])),
  );
  return plays.flat();
}

async function readImport(
  { import_playbook: name, when }: RawImport,
  from: string,
  chain: readonly string[],
): Promise<readonly ReadPlay[]> {
  const file = resolve(dirname(from), name);
  if (chain.includes(file))
    throw new ProvisionError({ code: 'import-circle', message: `${from} imports ${name}, which imports it again` });
  const plays = await readPlays(file, chain);
  if (when === undefined) return plays;
  // As Ansible: what is said of the import holds of each of its plays.
  return plays.map(({ play, ...read }) => ({ ...read, play: { ...play, when: [when, play.when ?? []].flat() } }));
}

function readEntry(
  source: YamlSource,
  index: number,
  entry: unknown,
  problems: Problem[],
): ReadPlay | RawImport | undefined {
  if (typeof entry === 'object' && entry !== null && 'import_playbook' in entry) {
    const parsed = importSchema.safeParse(entry);
    if (parsed.success) return parsed.data;
    problems.push(...problemsAt(source, [index], parsed.error.issues, () => Object.keys(importSchema.shape)));
    return undefined;
  }
  const parsed = playSchema.safeParse(entry);
  if (!parsed.success) {
    problems.push(...problemsAt(source, [index], parsed.error.issues, playWords));
    return undefined;
  }
  return { source, index, play: parsed.data, directory: dirname(resolve(source.file)) };
}

type Issues = Parameters<typeof problemsOf>[1];

type WordsAt = Parameters<typeof problemsOf>[2];

/** The words that may stand at a place of a play, or where one may stand. */
function playWords(path: readonly PropertyKey[]): readonly string[] {
  if (path.includes('gates')) return ['before', 'after'];
  if (path.includes('roles')) return ['role', 'when', 'vars'];
  return [...Object.keys(playSchema.shape), 'import_playbook'];
}

function problemsAt(
  source: YamlSource,
  path: readonly PropertyKey[],
  issues: Issues,
  known: WordsAt,
): readonly Problem[] {
  return problemsOf(
    source,
    issues.map((issue) => ({ ...issue, path: [...path, ...issue.path] })),
    known,
    insteadOf,
  );
}

/** Each task names just one module, and no word that is not known. */
function taskProblems(source: YamlSource, index: number, play: RawPlay): readonly Problem[] {
  return (play.tasks ?? []).flatMap((task, at): Problem[] => {
    const path = [index, 'tasks', at];
    const words: readonly string[] = taskWords;
    const others = Object.keys(task).filter((key) => !words.includes(key));
    const unknown = others.filter((key) => moduleNamed(key) === undefined);
    const problems = unknown.map((key): Problem => {
      const message = whyNot(key);
      return { severity: 'error', at: source.atKey(path, key), subject: key, message };
    });
    if (others.length === 1 || unknown.length > 0) return problems;
    const message = others.length === 0 ? 'names no module' : `names ${others.length} modules; one was expected`;
    return [{ severity: 'error', at: source.at(path), subject: 'task', message }];
  });
}

function whyNot(key: string): string {
  const near = didYouMean(key, [...moduleNames(), ...taskWords]);
  return insteadOf(key) ?? `is neither a module nor a keyword of a task${near}`;
}

async function readText(file: string): Promise<string> {
  try {
    return await readTextBounded(file, TYPED_FILE_BYTES);
  } catch (cause) {
    throw new ProvisionError({
      code: 'playbook-unreadable',
      message: `playbook ${file} can't be read: ${fileReason(cause)}`,
      hint: 'name a shipped playbook, as the help of `plan` lists them, or the path of a file',
      cause,
    });
  }
}
