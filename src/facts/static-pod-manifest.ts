import { isMap, isScalar, isSeq, parseDocument, type Scalar, type YAMLSeq } from 'yaml';
import { ProvisionError } from '../model/errors.js';

/** One `--name=value` of a container, with its place in the manifest's text. */
export interface Argument {
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

/** A manifest that is not as this program can edit it. */
export function unreadable(path: string, why: string): ProvisionError {
  return new ProvisionError({
    code: 'manifest-unreadable',
    message: `${path}: ${why}; a static pod manifest as kubeadm writes it was expected`,
    hint: 'set kube_apiserver_manifest to the right file, or mend this one',
  });
}
