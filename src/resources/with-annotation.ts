import { isMap, isScalar, type Node, type Pair, type YAMLMap } from 'yaml';
import { manifestDocument } from '../facts/manifest-document.js';
import { manifestData, unreadable } from '../facts/static-pod-manifest.js';
import { editProblem, withValueAt } from './prove-edit.js';

/** A manifest's text, and where it is. */
interface ManifestText {
  readonly path: string;
  readonly text: string;
}

/** An annotation of a pod, as a text. @returns undefined where there is none */
export function annotationOf({ text }: Pick<ManifestText, 'text'>, name: string): string | undefined {
  const value: unknown = manifestDocument(text).getIn(['metadata', 'annotations', name]);
  return typeof value === 'string' ? value : undefined;
}

/**
 * The manifest's text with this annotation of its pod: all other characters stay. The result is read again before it is
 * given.
 * @param value of letters and digits
 * @throws ProvisionError `manifest-unreadable`
 */
export function withAnnotation(manifest: ManifestText, name: string, value: string): string {
  const { path, text } = manifest;
  const after = edited(manifest, name, `"${value}"`);
  const problem = editProblem({
    before: text,
    after,
    read: (each) => manifestData(path, each),
    change: (data) => withValueAt(data, ['metadata'], annotated(data, name, value)),
  });
  if (problem !== undefined) throw unreadable(path, `changed as text, it could not be proved right (${problem})`);
  return after;
}

interface Annotated {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, unknown>> | null };
}

function annotated(data: unknown, name: string, value: string): unknown {
  const { metadata } = data as Annotated;
  return { ...metadata, annotations: { ...metadata?.annotations, [name]: value } };
}

function edited({ path, text }: ManifestText, name: string, value: string): string {
  const metadata: unknown = manifestDocument(text).get('metadata', true);
  if (!isMap(metadata) || metadata.items.length === 0) throw unreadable(path, 'its pod has no metadata');
  const annotations: unknown = metadata.get('annotations', true);
  if (annotations !== undefined && !isMap(annotations))
    throw unreadable(path, 'the annotations of its pod are no list of names with values');
  const held = annotations?.items.find(({ key }) => isScalar(key) && key.value === name);
  if (held !== undefined) return replaced(text, held, value);
  if (annotations !== undefined && annotations.items.length > 0)
    return inserted(
      text,
      annotations,
      (indent) => [`${name}: ${value}`].map((line) => indent + line),
      `"${name}": ${value}`,
    );
  if (annotations !== undefined) throw unreadable(path, 'the annotations of its pod are empty');
  return inserted(
    text,
    metadata,
    (indent) => [`${indent}annotations:`, `${indent}  ${name}: ${value}`],
    `"annotations": {"${name}": ${value}}`,
  );
}

function replaced(text: string, { value: node }: Pair, value: string): string {
  const [start = 0, end = 0] = (node as Node | null)?.range ?? [];
  return text.slice(0, start) + value + text.slice(end);
}

/** Before the first entry of a map, as it is written: in a line of its own, or within braces. */
function inserted(text: string, map: YAMLMap, lines: (indent: string) => readonly string[], inBraces: string): string {
  const [first] = map.items;
  const start = (first?.key as Node | undefined)?.range?.[0] ?? 0;
  if (map.flow === true) return `${text.slice(0, start)}${inBraces}, ${text.slice(start)}`;
  const line = text.lastIndexOf('\n', start - 1) + 1;
  const newLine = text.includes('\r\n') ? '\r\n' : '\n';
  const added = lines(text.slice(line, start)).map((each) => each + newLine);
  return text.slice(0, line) + added.join('') + text.slice(line);
}
