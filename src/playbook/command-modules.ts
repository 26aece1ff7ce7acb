import { isAbsolute, posix } from 'node:path';
import { z } from 'zod';
import { pythonStr } from '../ansible/python-text.js';
import type { Resource } from '../model/change.js';
import { command } from '../resources/command.js';
import { quote } from '../shell/quote.js';
import { splitWords } from '../shell/split-words.js';
import { wrong } from './module.js';
import { onePath } from './parameter-types.js';

/** A word of `argv`: what YAML reads as another value is the text that Python makes of it. */
export const argument = z.union([z.string(), z.number(), z.boolean()]).transform((value) => pythonStr(value));

/** What `command` and `shell` have both, in Ansible's words. */
export const runParameters = {
  cmd: z.string().optional(),
  creates: onePath.optional(),
  removes: onePath.optional(),
  /** Where it runs, and where `creates` and `removes` start. */
  chdir: z.string().startsWith('/', 'expected an absolute path').optional(),
};

type RunParameters = z.infer<z.ZodObject<typeof runParameters>>;

/** What a shell would do something with; to `command` of Ansible it is a word like any other. */
const OPERATOR = /^(?:&&|\|\|?|;|&|\d?>>?|\d?<<?|\d?>&\d?)$/;

/** A command that runs once, by the other parameters of its task. @throws ZodError */
export function runOnce(given: RunParameters, name: string, script: string): Resource {
  const { creates, removes, chdir } = given;
  if (creates === undefined && removes === undefined)
    throw wrong('needs creates or removes: otherwise every apply would run it again');
  return command({
    name,
    script: chdir === undefined ? script : `cd -- ${quote(chdir)} || exit 1\n${script}`,
    creates: inDirectory('creates', creates, chdir),
    removes: inDirectory('removes', removes, chdir),
  });
}

function inDirectory(parameter: string, path: string | undefined, chdir: string | undefined): string | undefined {
  if (path === undefined || isAbsolute(path)) return path;
  if (chdir === undefined) throw wrong('expected an absolute path, or chdir', parameter);
  return posix.join(chdir, path);
}

/**
 * The line of a shell that runs a program with just these words, as Ansible's `command` does: `~` and variables of the environment are
 * expanded in each, those that are not set stay as they are, and nothing else is.
 * @throws ZodError where the text is for a shell
 */
export function programLine(cmd: string | undefined, argv: readonly string[] | undefined): string {
  if ((cmd === undefined) === (argv === undefined)) throw wrong('takes exactly one of cmd and argv');
  const words = argv ?? wordsOf(cmd ?? '');
  if (words.length === 0 || words[0] === '') throw wrong('names no program', cmd === undefined ? 'argv' : 'cmd');
  return words.map(wordLine).join(' ');
}

function wordsOf(cmd: string): readonly string[] {
  // What is quoted is no operator to anybody.
  const bare = cmd
    .replaceAll('\\\n', ' ')
    .replace(/\\.|'[^']*'|"(?:[^"\\]|\\.)*"/g, 'x')
    .split(/\s+/);
  const operator =
    bare.find((word) => OPERATOR.test(word) || /^[^$]*;$/.test(word)) ?? /\$\(|`/.exec(bare.join(' '))?.[0];
  if (operator !== undefined)
    throw wrong(`has ${operator}, which a program would get as a word: what is for a shell, is for shell`, 'cmd');
  try {
    return splitWords(cmd.replaceAll('\\\n', ' '));
  } catch (error) {
    throw wrong((error as Error).message, 'cmd');
  }
}

function wordLine(word: string): string {
  const [, home = '', rest = ''] = /^(~[\w.-]*(?=\/|$))?([\s\S]*)$/.exec(word) ?? [];
  const parts = rest.split(/(\$\w+|\$\{[A-Za-z_]\w*\})/);
  const line = parts.map((part, index) => (index % 2 === 0 ? quotePart(part) : variable(part))).join('');
  return home + line || "''";
}

function quotePart(part: string): string {
  return part === '' ? '' : quote(part);
}

/** As `os.path.expandvars` of Python: one that is not set stays as it was written. */
function variable(written: string): string {
  const name = written.replace(/[${}]/g, '');
  return /^\d/.test(name) ? quote(written) : `"\${${name}-${written.replace(/[$}]/g, '\\$&')}}"`;
}
