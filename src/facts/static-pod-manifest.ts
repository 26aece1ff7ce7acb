import { isAlias, isMap, isScalar, isSeq, type Document, type Scalar, type YAMLSeq } from 'yaml';
import { plainData } from '../model/bounded-yaml.js';
import { ProvisionError } from '../model/errors.js';
import { readFlags } from './command-flags.js';
import { manifestDocument } from './manifest-document.js';

/** The two lists that make up a container's command line, in this order. */
const LISTS = ['command', 'args'] as const;

/** One word of a container's command line, with its place in the manifest. */
export interface Word {
  readonly text: string;
  /** Absent where the text is defined elsewhere: a YAML alias. */
  readonly node: Scalar | undefined;
  readonly list: YAMLSeq;
  /** Where it is in the manifest's data. */
  readonly path: readonly [...(string | number)[], number];
}

/** An argument of a container. */
export interface Argument {
  /** `_` counts as `-`. */
  readonly name: string;
  readonly value: string;
  /** `--name=value`, or the two words `--name` and `value`. */
  readonly words: readonly [Word] | readonly [Word, Word];
}

/** A static pod manifest: its text, and where its container's arguments stand in it. */
export interface StaticPodManifest {
  readonly path: string;
  readonly text: string;
  readonly arguments: readonly Argument[];
}

/**
 * Reads the arguments of one container.
 * @throws ProvisionError `manifest-unreadable` when the text is no such manifest, or its command is no plain list of words
 */
export function readStaticPodManifest(path: string, text: string, container: string): StaticPodManifest {
  const document = parseManifest(path, text);
  const containers: unknown = document.getIn(['spec', 'containers']);
  const named = isSeq(containers)
    ? containers.items.flatMap((item, index) =>
        isMap(item) && item.get('name') === container ? [{ item, index }] : [],
      )
    : [];
  const [found] = named;
  if (found === undefined || named.length > 1)
    throw unreadable(
      path,
      `it has ${found === undefined ? 'no container' : `${named.length} containers`} ${container}`,
    );
  const words = LISTS.flatMap((key) => {
    const list: unknown = found.item.get(key, true);
    if (list === undefined && !found.item.items.some(isMergeKey)) return [];
    if (!isSeq(list)) throw unreadable(path, `${key} of ${container} is not written as a list in its place`);
    return list.items.map((item, index) =>
      readWord(document, item, { path, list, at: ['spec', 'containers', found.index, key, index] }),
    );
  });
  const read = readArguments(words);
  if (read.length === 0) throw unreadable(path, `the command of ${container} is not a list of --name=value words`);
  return { path, text, arguments: read };
}

/** What the text says, as plain data. @throws ProvisionError `manifest-unreadable` */
export function manifestData(path: string, text: string): unknown {
  const document = parseManifest(path, text);
  // An alias without an anchor, or far too many of them.
  return attempt(path, () => plainData(document));
}

function attempt<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw unreadable(path, error instanceof Error ? error.message : String(error));
  }
}

function parseManifest(path: string, text: string): Document.Parsed {
  const document = attempt(path, () => manifestDocument(text));
  const [error] = document.errors;
  if (error === undefined) return document;
  if (error.code === 'MULTIPLE_DOCS')
    throw unreadable(path, 'it holds several YAML documents, of which the kubelet reads only the first');
  throw unreadable(path, error.message);
}

/** `<<: *other`: what the other one holds may hold the list. */
function isMergeKey({ key }: { readonly key: unknown }): boolean {
  return isScalar(key) && key.source === '<<';
}

interface WordPlace {
  readonly path: string;
  readonly list: YAMLSeq;
  readonly at: Word['path'];
}

function readWord(document: Document, item: unknown, { path, list, at }: WordPlace): Word {
  const scalar: unknown = isAlias(item) ? item.resolve(document) : item;
  const value = isScalar(scalar) ? scalar.value : undefined;
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
    throw unreadable(path, `${at.join('.')} is not a plain word`);
  return { text: String(value), node: isScalar(item) ? item : undefined, list, path: at };
}

function readArguments(words: readonly Word[]): readonly Argument[] {
  return readFlags(words.map(({ text }) => text)).flatMap(({ name, value, at, words: count }): Argument[] => {
    const [first, second] = [words[at], words[at + 1]];
    if (first === undefined) return [];
    return [{ name, value, words: count === 2 && second !== undefined ? [first, second] : [first] }];
  });
}

/**
 * The value of an argument; `undefined` when it is not given.
 * @throws ProvisionError when it is given twice, or by a variable of the container
 */
export function argumentOf(manifest: StaticPodManifest, name: string): string | undefined {
  const given = manifest.arguments.filter((argument) => argument.name === name);
  if (given.length > 1) throw unreadable(manifest.path, `--${name} is given ${given.length} times`);
  const value = given[0]?.value;
  // The kubelet puts the variable's value there (k8s.io/kubernetes, third_party/forked/golang/expansion).
  if (value !== undefined && /\$\(.*\)/.test(value))
    throw unreadable(manifest.path, `--${name} is given by a variable: ${value}`);
  return value;
}

/** A manifest that is not as this program can edit it. */
export function unreadable(path: string, why: string): ProvisionError {
  return new ProvisionError({
    code: 'manifest-unreadable',
    message: `${path}: ${why}; a static pod manifest as kubeadm writes it was expected`,
    hint: 'set kube_apiserver_manifest to the right file, or correct this one',
  });
}
