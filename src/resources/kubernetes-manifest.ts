import { manifestDiff, type ChangedObject } from '../facts/manifest-diff.js';
import { unlessLost } from '../facts/unless-lost.js';
import type { Action } from '../model/action.js';
import { changed, UNCHANGED, type Outcome, type Resource } from '../model/change.js';
import { ProvisionError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import { applyManifest } from '../shell/apply-manifest.js';
import { isServing } from './kubernetes-host.js';
import { objectsOf, type ManifestFile, type ManifestObject } from './manifest-objects.js';
import { deletedByHand, noted, objectsGone, wordsOf, type ObjectsGone } from './objects-gone.js';
import { unifiedDiff } from './unified-diff.js';

/**
 * The objects of a manifest, by server-side apply on the first control plane that serves; where none does, on the first of the inventory,
 * which will. Fields that others have set otherwise are a refusal; objects that were applied, and are in the manifest no more, stay, and are named.
 * @param controlPlanes hosts, in the order of the inventory
 */
export function kubernetesManifest(file: ManifestFile, controlPlanes: readonly string[]): Resource {
  const objects = objectsOf(file);
  return {
    address: `kubernetes:manifest:${nameOf(file)}`,
    paths: [],
    async plan(probe) {
      const first = await serving(probe);
      if ((first ?? controlPlanes[0]) !== probe.host) return UNCHANGED;
      return first === undefined ? madeWithCluster(file, objects) : differing(file, objects, probe);
    },
    async doubt(probe) {
      if ((await serving(probe)) !== probe.host) return undefined;
      const { gone } = await objectsGone(objects, probe);
      if (gone.length === 0) return undefined;
      return `${nameOf(file)} has no more ${gone.map(wordsOf).join(', ')}, which stay: delete by hand what nobody needs, on a control plane: ${gone.map(deletedByHand).join('; ')}`;
    },
  };

  async function serving(probe: Probe): Promise<string | undefined> {
    const found = await Promise.all(controlPlanes.map(async (host) => unlessLost(isServing(probe.on(host)))));
    return controlPlanes.find((_, index) => found[index] === true);
  }
}

async function differing(file: ManifestFile, objects: readonly ManifestObject[], probe: Probe): Promise<Outcome> {
  const [found, gone] = await Promise.all([changesOf(file, objects, probe), objectsGone(objects, probe)]);
  return found.kind === 'compared' ? applied(file, found.diff, gone) : found;
}

async function changesOf(
  file: ManifestFile,
  objects: readonly ManifestObject[],
  probe: Probe,
): Promise<Outcome | { readonly kind: 'compared'; readonly diff: readonly string[] }> {
  const found = await probe.ask(manifestDiff, file.text);
  switch (found.kind) {
    case 'compared':
      return { kind: 'compared', diff: found.objects.flatMap(shown) };
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
      return { kind: 'compared', diff: [why, ...namesOf(objects, '~')] };
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

/** On a cluster that is made by this very run. */
function madeWithCluster(file: ManifestFile, objects: readonly ManifestObject[]): Outcome {
  return changed({
    summary: `apply ${nameOf(file)} (kubectl apply --server-side)`,
    diff: namesOf(objects, '+'),
    actions: [noted(objects.flatMap(({ identities }) => identities)), applying(file)],
    effect: 'change',
    disruptive: false,
  });
}

function applying(file: ManifestFile): Action {
  const command = applyManifest(nameOf(file), file.text);
  return { kind: 'run', command, undo: { lasting: 'objects that were applied stay' } };
}

/** The list first: an object that is there is always on it. */
function applied(file: ManifestFile, diff: readonly string[], { note }: ObjectsGone): Outcome {
  const isFelt = diff.length > 0;
  if (!isFelt && note.length === 0) return UNCHANGED;
  const name = nameOf(file);
  return changed({
    summary: isFelt ? `apply ${name} (kubectl apply --server-side)` : `note which objects are those of ${name}`,
    diff,
    actions: [...note, ...(isFelt ? [applying(file)] : [])],
    // Of a network that runs, pods may be replaced.
    effect: 'change',
    disruptive: isFelt,
  });
}

function nameOf({ path }: ManifestFile): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
