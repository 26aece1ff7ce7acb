import type { Scalar, YAMLSeq } from 'yaml';
import { argumentOf, unreadable, type Argument, type StaticPodManifest } from '../facts/static-pod-manifest.js';

/**
 * The manifest's text with these arguments: only their own characters change, so that every comment, order and quote
 * stays. What is missing is added after `anchor`, as its twin.
 * @param wanted argument name → value
 * @param anchor an argument that is there
 * @throws ProvisionError `manifest-unreadable`
 */
export function withArguments(
  manifest: StaticPodManifest,
  wanted: ReadonlyMap<string, string>,
  anchor: string,
): string {
  const target = manifest.arguments.find((argument) => argument.name === anchor);
  if (target === undefined) throw unreadable(manifest.path, `it gives no --${anchor}`);
  const edits = [...wanted].flatMap(([name, value], index): Edit[] => {
    if (argumentOf(manifest, name) === value) return [];
    const existing = manifest.arguments.find((argument) => argument.name === name);
    const word = `--${name}=${value}`;
    return [existing === undefined ? insertion(manifest.text, target, word, index) : replacement(existing, word)];
  });
  // From the end, so that no edit moves the place of another; what is added at one place keeps its order.
  return edits
    .toSorted((a, b) => b.start - a.start || b.index - a.index)
    .reduce((text, { start, end, text: part }) => text.slice(0, start) + part + text.slice(end), manifest.text);
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly index: number;
}

function replacement({ node, list }: Argument, word: string): Edit {
  const [start, end] = rangeOf(node);
  return { start, end, text: asYaml(word, node, list), index: 0 };
}

function insertion(text: string, { node, list }: Argument, word: string, index: number): Edit {
  const [start, end] = rangeOf(node);
  const value = asYaml(word, node, list);
  if (list.flow === true) return { start: end, end, text: `, ${value}`, index };
  const lineStart = text.lastIndexOf('\n', start - 1) + 1;
  const nextLine = text.indexOf('\n', end);
  const lineEnd = nextLine < 0 ? text.length : nextLine;
  return { start: lineEnd, end: lineEnd, text: `\n${text.slice(lineStart, start)}${value}`, index };
}

function rangeOf(node: Scalar): readonly [number, number] {
  if (!node.range) throw new Error('a parsed scalar has a range');
  return [node.range[0], node.range[1]];
}

/** In the quotes that the other word has; in a flow list, `,` and brackets need some. */
function asYaml(word: string, like: Scalar, list: YAMLSeq): string {
  if (like.type === 'QUOTE_SINGLE') return `'${word.replaceAll("'", "''")}'`;
  const isPlain =
    like.type === 'PLAIN' && !/[:\s]$|: | #|[\n"']/.test(word) && !(list.flow === true && /[,[\]{}]/.test(word));
  return isPlain ? word : JSON.stringify(word);
}
