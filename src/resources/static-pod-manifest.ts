import { isMap, isScalar, isSeq, parseDocument, type Scalar, type YAMLSeq } from 'yaml';
import { ProvisionError } from '../model/errors.js';

/** One `--name=value` of a container, with its place in the manifest's text. */
interface Argument {
  readonly name: string;
  readonly value: string;
  readonly node: Scalar;
  readonly list: YAMLSeq;
}

/** A static pod manifest: its text, and where its container's arguments stand in it. */
export interface StaticPodManifest {
  readonly path: string;
  readonly text: string;
  readonly arguments: readonly Argument[];
}

/**
 * Reads the arguments of one container.
 * @throws ProvisionError `manifest-unreadable` when the text is no such manifest, or its command is no plain list of
 * `--name=value` words
 */
export function readStaticPodManifest(path: string, text: string, container: string): StaticPodManifest {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) throw unreadable(path, error.message);
  const containers: unknown = document.getIn(['spec', 'containers']);
  const found = isSeq(containers)
    ? containers.items.find((item) => isMap(item) && item.get('name') === container)
    : undefined;
  if (!isMap(found)) throw unreadable(path, `it has no container ${container}`);
  const lists = ['command', 'args'].map((key): unknown => found.get(key)).filter((list) => isSeq(list));
  const read = lists.flatMap((list) => list.items.flatMap((item) => readArgument(item, list)));
  if (read.length === 0) throw unreadable(path, `the command of ${container} is no list of --name=value words`);
  return { path, text, arguments: read };
}

function readArgument(item: unknown, list: YAMLSeq): readonly Argument[] {
  if (!isScalar(item) || typeof item.value !== 'string') return [];
  const [, name, value] = /^--([A-Za-z0-9-]+)=(.*)$/s.exec(item.value) ?? [];
  return name === undefined || value === undefined ? [] : [{ name, value, node: item, list }];
}

/** The value of an argument; `undefined` when it is not given. @throws ProvisionError when it is given twice */
export function argumentOf(manifest: StaticPodManifest, name: string): string | undefined {
  const given = manifest.arguments.filter((argument) => argument.name === name);
  if (given.length > 1) throw unreadable(manifest.path, `--${name} is given ${given.length} times`);
  return given[0]?.value;
}

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

function unreadable(path: string, why: string): ProvisionError {
  return new ProvisionError({
    code: 'manifest-unreadable',
    message: `${path}: ${why}; a static pod manifest as kubeadm writes it was expected`,
    hint: 'set kube_apiserver_manifest to the right file, or mend this one',
  });
}
