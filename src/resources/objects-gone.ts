import {
  appliedObjects,
  liveObject,
  NETWORK_OBJECTS,
  objectKey,
  type AppliedObject,
} from '../facts/applied-objects.js';
import type { Action } from '../model/action.js';
import type { Probe } from '../model/remote.js';
import { keepAppliedObjects } from '../shell/apply-manifest.js';
import type { ManifestObject } from './manifest-objects.js';

/** What the list of the cluster says beside the file. */
export interface ObjectsGone {
  /** Applied once, there still by this program, and in the file no more. */
  readonly gone: readonly AppliedObject[];
  /** Keeps the list, where an object of the file is not on it yet. */
  readonly note: readonly Action[];
}

/** Compares the file with the list that the cluster has of what was applied. What others have taken over is theirs. */
export async function objectsGone(objects: readonly ManifestObject[], probe: Probe): Promise<ObjectsGone> {
  const listed = (await probe.ask(appliedObjects, NETWORK_OBJECTS)) ?? [];
  const named = objects.flatMap(({ identities }) => identities);
  const there = new Set(named.map(identityOf));
  const missing = listed.filter((each) => !there.has(identityOf(each)));
  const live = await Promise.all(
    missing.map(async (object) => ({ object, is: await probe.ask(liveObject, objectKey(object)) })),
  );
  const known = new Set(listed.map(identityOf));
  const kept = live.flatMap(({ object, is }) => (is === 'absent' ? [] : [object]));
  return {
    gone: live.flatMap(({ object, is }) => (is === 'ours' ? [object] : [])),
    note: named.every((each) => known.has(identityOf(each))) ? [] : [noted([...named, ...kept])],
  };
}

/** Keeps the list of these objects. */
export function noted(objects: readonly AppliedObject[]): Action {
  const lines = new Map(objects.map((object) => [identityOf(object), objectKey(object)]));
  const command = keepAppliedObjects([...lines.values()].toSorted());
  return { kind: 'run', command, undo: { lasting: 'the list of what was applied stays' } };
}

/** `DaemonSet net/agent`. */
export function wordsOf({ kind, namespace, name }: AppliedObject): string {
  return `${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`;
}

/** What a person types to delete one. */
export function deletedByHand({ apiVersion, kind, namespace, name }: AppliedObject): string {
  const [group = '', version = ''] = apiVersion.split('/');
  const resource = apiVersion.includes('/') ? `${kind}.${version}.${group}` : kind;
  return `kubectl delete ${resource} ${name}${namespace === '' ? '' : ` -n ${namespace}`}`;
}

/** Another version of an API has the same objects; and a namespace that is not named is the default one. */
function identityOf({ apiVersion, kind, namespace, name }: AppliedObject): string {
  const group = apiVersion.includes('/') ? apiVersion.replace(/\/.*/, '') : '';
  return [group, kind, namespace === '' ? 'default' : namespace, name].join(' ');
}
