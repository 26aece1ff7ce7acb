import type { AppliedObject } from '../facts/applied-objects.js';
import { parseBoundedYaml } from '../model/bounded-yaml.js';
import { counted } from '../model/counted.js';
import { ProvisionError } from '../model/errors.js';

/** A file of manifests on the control machine. */
export interface ManifestFile {
  /** In full. */
  readonly path: string;
  readonly text: string;
}

/** An object of a manifest. */
export interface ManifestObject {
  /** `DaemonSet kube-system/net`. */
  readonly words: string;
  /** The kind that it defines. */
  readonly makesKind: string | undefined;
  /** By what it is found again: itself, or what a list has in it; none where it has no name. */
  readonly identities: readonly AppliedObject[];
}

/** Of each document. @throws ProvisionError `objects-unreadable` */
export function objectsOf({ path, text }: ManifestFile): readonly ManifestObject[] {
  const documents = text.split(/^---(?:[ \t].*)?$/m).filter((each) => /^[^#\s]/m.test(each));
  const objects = documents.map((each, index) => describe(each) ?? notAnObject(path, index + 1));
  if (objects.length > 0) return objects;
  throw unreadable(path, `it holds ${counted(0, 'object')} of Kubernetes`);
}

function describe(document: string): ManifestObject | undefined {
  try {
    const parsed = parseBoundedYaml(document);
    if (parsed.errors.length > 0) return undefined;
    const { kind, apiVersion, metadata, spec } = (parsed.toJS() ?? {}) as Partial<Record<string, unknown>>;
    if (typeof kind !== 'string' || typeof apiVersion !== 'string') return undefined;
    const { name, namespace } = (metadata ?? {}) as Partial<Record<string, unknown>>;
    const { names } = (spec ?? {}) as { readonly names?: { readonly kind?: unknown } | null };
    const makesKind = kind === 'CustomResourceDefinition' && typeof names?.kind === 'string' ? names.kind : undefined;
    return {
      words: [kind, [namespace, name].filter((word) => typeof word === 'string').join('/')].join(' ').trim(),
      makesKind,
      identities: identitiesIn(parsed.toJS()),
    };
  } catch {
    // Too large, or with an alias that leads nowhere.
    return undefined;
  }
}

function identitiesIn(value: unknown): readonly AppliedObject[] {
  const { apiVersion, kind, metadata, items } = (value ?? {}) as Partial<Record<string, unknown>>;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return [];
  if (kind.endsWith('List') && Array.isArray(items)) return items.flatMap(identitiesIn);
  const { name, namespace } = (metadata ?? {}) as Partial<Record<string, unknown>>;
  return typeof name === 'string'
    ? [{ apiVersion, kind, namespace: typeof namespace === 'string' ? namespace : '', name }]
    : [];
}

function notAnObject(path: string, number: number): never {
  throw unreadable(path, `document ${number} of it is no object of Kubernetes (apiVersion, kind)`);
}

/** A file of manifests that can't be applied. */
function unreadable(path: string, why: string): ProvisionError {
  return new ProvisionError({
    code: 'objects-unreadable',
    message: `${path}: ${why}`,
    hint: 'correct that document, or kube_cluster_cni_manifest, which names the file',
  });
}
