import { manifestDiff, type ChangedObject } from '../facts/manifest-diff.js';
import { unlessLost } from '../facts/unless-lost.js';
import { parseBoundedYaml, YamlLimitError } from '../model/bounded-yaml.js';
import { changed, UNCHANGED, type Outcome, type Resource } from '../model/change.js';
import { counted } from '../model/counted.js';
import { ProvisionError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import { applyManifest } from '../shell/apply-manifest.js';
import { isServing } from './kubernetes-host.js';
import { unifiedDiff } from './unified-diff.js';

/** A file of manifests on the control machine. */
export interface ManifestFile {
  /** In full. */
  readonly path: string;
  readonly text: string;
}

/**
 * The objects of a manifest, by server-side apply on the first control plane that serves; where none does, on the first of the inventory,
 * which will. Fields that others have set otherwise are a refusal; objects that are in the manifest no more stay.
 * @param controlPlanes hosts, in the order of the inventory
 */
export function kubernetesManifest(file: ManifestFile, controlPlanes: readonly string[]): Resource {
  const objects = objectsOf(file);
  return {
    address: `kubernetes:manifest:${nameOf(file)}`,
    paths: [],
    async plan(probe) {
      const serving = await Promise.all(controlPlanes.map(async (host) => unlessLost(isServing(probe.on(host)))));
      const first = controlPlanes.find((_, index) => serving[index] === true);
      if ((first ?? controlPlanes[0]) !== probe.host) return UNCHANGED;
      return first === undefined ? applied(file, namesOf(objects, '+'), 'new') : differing(file, objects, probe);
    },
  };
}

async function differing(file: ManifestFile, objects: readonly ManifestObject[], probe: Probe): Promise<Outcome> {
  const found = await probe.ask(manifestDiff, file.text);
  switch (found.kind) {
    case 'compared':
      return found.objects.length === 0 ? UNCHANGED : applied(file, found.objects.flatMap(shown), 'live');
    case 'conflict':
      throw new ProvisionError({
        code: 'objects-conflict',
        message: `${file.path}: fields of it were set otherwise by others, and stay: ${found.reason}`,
        hint: `ssh ${probe.host} sudo kubectl apply --server-side --field-manager=provision --force-conflicts -f FILE   (or set in the file what is there)`,
      });
    case 'failed': {
      if (!isOwnNovelty(found.reason, objects))
        return { kind: 'unknown', because: `the API server can't compare it: ${found.reason}` };
      const why = `not compared, for the file makes what it needs first: ${found.reason}`;
      return applied(file, [why, ...namesOf(objects, '~')], 'live');
    }
  }
}

/** A kind, or a namespace, that is not there because this very file makes it. */
function isOwnNovelty(reason: string, objects: readonly ManifestObject[]): boolean {
  const [, kind] = /no matches for kind "([^"]+)"/.exec(reason) ?? [];
  const [, namespace] = /namespaces "([^"]+)" not found/.exec(reason) ?? [];
  return objects.some(
    (each) =>
      (kind !== undefined && each.makesKind === kind) ||
      (namespace !== undefined && each.words === `Namespace ${namespace}`),
  );
}

function shown({ name, before, after }: ChangedObject): readonly string[] {
  if (/(?:^|\.)v1\.Secret\./.test(name)) return [`~ ${name}: [redacted]`];
  return unifiedDiff(name, before, after);
}

function namesOf(objects: readonly ManifestObject[], sign: string): readonly string[] {
  return objects.map(({ words }) => `${sign} ${words}`);
}

function applied(file: ManifestFile, diff: readonly string[], cluster: 'new' | 'live'): Outcome {
  const name = nameOf(file);
  return changed({
    summary: `apply ${name} (kubectl apply --server-side)`,
    diff,
    actions: [
      { kind: 'run', command: applyManifest(name, file.text), undo: { lasting: 'objects that were applied stay' } },
    ],
    // Of a network that runs, pods may be replaced.
    effect: 'change',
    disruptive: cluster === 'live',
  });
}

function nameOf({ path }: ManifestFile): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** An object of a manifest. */
interface ManifestObject {
  /** `DaemonSet kube-system/net`. */
  readonly words: string;
  /** The kind that it defines. */
  readonly makesKind: string | undefined;
}

/** Of each document. @throws ProvisionError `objects-unreadable` */
function objectsOf({ path, text }: ManifestFile): readonly ManifestObject[] {
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
    };
  } catch (error) {
    if (error instanceof YamlLimitError) return undefined;
    throw error;
  }
}

function notAnObject(path: string, number: number): never {
  throw unreadable(path, `document ${number} of it is no object of Kubernetes (apiVersion, kind)`);
}

/** A file of manifests that can't be applied. */
export function unreadable(path: string, why: string): ProvisionError {
  return new ProvisionError({
    code: 'objects-unreadable',
    message: `${path}: ${why}`,
    hint: 'kube_cluster_cni_manifest names a file on this machine, in full or relative to the inventory',
  });
}
