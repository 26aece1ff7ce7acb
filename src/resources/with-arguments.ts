import {
  argumentOf,
  manifestData,
  unreadable,
  type Argument,
  type StaticPodManifest,
  type Word,
} from '../facts/static-pod-manifest.js';
import { editProblem, withValueAt } from './prove-edit.js';

/**
 * The manifest's text with these arguments: only their own characters change, so that every comment, order and quote
 * stays. What is missing is added after `anchor`, as its twin. The result is read again before it is given.
 * @param wanted argument name → value
 * @param anchor an argument that is there
 * @throws ProvisionError `manifest-unreadable`
 */
export function withArguments(
  manifest: StaticPodManifest,
  wanted: ReadonlyMap<string, string>,
  anchor: string,
): string {
  const { path, text } = manifest;
  const target = manifest.arguments.find((argument) => argument.name === anchor);
  if (target === undefined) throw unreadable(path, `it gives no --${anchor}`);
  const wrong = [...wanted].filter(([name, value]) => argumentOf(manifest, name) !== value);
  const replaced = wrong.flatMap(([name, value]): NewWord[] => {
    const existing = manifest.arguments.find((argument) => argument.name === name);
    return existing === undefined ? [] : [replacement(existing, value)];
  });
  const names = new Set(manifest.arguments.map(({ name }) => name));
  const added = wrong.flatMap(([name, value]) => (names.has(name) ? [] : [`--${name}=${value}`]));
  const after = applied(manifest, [
    ...replaced.map((word) => inPlace(manifest, word)),
    ...(added.length === 0 ? [] : [insertion(manifest, target.words.at(-1) ?? target.words[0], added)]),
  ]);
  const change = (data: unknown): unknown => inserted(replacedIn(data, replaced), target, added);
  const problem = editProblem({ before: text, after, read: (each) => manifestData(path, each), change });
  if (problem !== undefined) throw unreadable(path, `changed as text, it could not be proved right (${problem})`);
  return after;
}

/** A word, and what it is to be. */
interface NewWord {
  readonly word: Word;
  readonly text: string;
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

function replacement({ words: [first, second] }: Argument, value: string): NewWord {
  if (second !== undefined) return { word: second, text: value };
  return { word: first, text: `${first.text.slice(0, first.text.indexOf('=') + 1)}${value}` };
}

function applied({ text }: StaticPodManifest, edits: readonly Edit[]): string {
  // From the end, so that no edit moves the place of another; what is added stands after what is replaced.
  return edits
    .toSorted((a, b) => b.start - a.start)
    .reduce((result, edit) => result.slice(0, edit.start) + edit.text + result.slice(edit.end), text);
}

function replacedIn(data: unknown, words: readonly NewWord[]): unknown {
  return words.reduce((result, { word, text }) => withValueAt(result, word.path, text), data);
}

function inserted(data: unknown, { words }: Argument, added: readonly string[]): unknown {
  const path = words.at(-1)?.path ?? [];
  const at = Number(path.at(-1)) + 1;
  const list = path.slice(0, -1).reduce<unknown>((held, key) => (held as Record<string | number, unknown>)[key], data);
  if (!Array.isArray(list)) throw new Error(`${path.join('.')} is in no list`);
  return withValueAt(data, path.slice(0, -1), list.toSpliced(at, 0, ...added));
}

function inPlace(manifest: StaticPodManifest, { word, text }: NewWord): Edit {
  return { ...placeOf(manifest, word), text: asYaml(text, word) };
}

function insertion(manifest: StaticPodManifest, after: Word, added: readonly string[]): Edit {
  const { path, text } = manifest;
  const { start, end } = placeOf(manifest, after);
  const words = added.map((word) => asYaml(word, after));
  if (after.list.flow === true) return { start: end, end, text: words.map((word) => `, ${word}`).join('') };
  const [dash = ''] = /^ *- +/.exec(text.slice(text.lastIndexOf('\n', start - 1) + 1, start)) ?? [];
  if (dash === '')
    throw unreadable(path, `nothing can be added after ${after.text}: it is not on the line of its dash`);
  const at = end + (/\r?\n|$/.exec(text.slice(end))?.index ?? 0);
  const newLine = text.includes('\r\n') ? '\r\n' : '\n';
  return { start: at, end: at, text: words.map((word) => `${newLine}${dash}${word}`).join('') };
}

/** Without the line end of a block scalar, which belongs to the line. */
function placeOf({ path, text }: StaticPodManifest, { node, text: word }: Word): Pick<Edit, 'start' | 'end'> {
  if (!node?.range) throw unreadable(path, `${word} is defined elsewhere in the file: it is a YAML alias`);
  const [start, end] = node.range;
  return { start, end: start + text.slice(start, end).trimEnd().length };
}

/** In the quotes that the other word has; in a flow list, `,` and brackets need some. */
function asYaml(word: string, { node, list }: Word): string {
  if (node?.type === 'QUOTE_SINGLE') return `'${word.replaceAll("'", "''")}'`;
  const isBare = /^(--)?[\w/]/.test(word) && !/[:\s]$|: | #|[\n"']/.test(word);
  const isPlain = node?.type !== 'QUOTE_DOUBLE' && isBare && !(list.flow === true && /[,[\]{}]/.test(word));
  return isPlain ? word : JSON.stringify(word);
}
