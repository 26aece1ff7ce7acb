import { createHash } from 'node:crypto';
import { expect } from '@jest/globals';
import { changed, UNCHANGED, type Resource } from '../../src/model/change.js';
import { fakeProbe, type FakeAnswers } from './fake-probe.js';
import { shownChange } from './shown-change.js';

/** What a host says of a file with a text, root's and 0644 but for `more`. */
export function fileOf(text: string, more: object = {}): object {
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { kind: 'file', ...ROOT, mode: '0644', changedAt: 0, sha256, ...more };
}

/** What a host says of a directory of root. */
export function directoryOf(mode: string, more: object = {}): object {
  return { kind: 'directory', ...ROOT, mode, changedAt: 0, sha256: undefined, ...more };
}

/** What a host says of a path where nothing is. */
export const GONE = { kind: 'absent' };

/** Whose most files are. */
export const ROOT = { owner: 'root', group: 'root' };

/** A case by name: a resource, what its host answers, and the whole change ({@link shownChange}). */
export type ChangeCase = readonly [string, Resource, FakeAnswers, readonly string[]];

/** Expects of a case's resource just its change: no line more, none less. */
export async function expectChange([, resource, answers, expected]: ChangeCase): Promise<void> {
  expect(shownChange(await resource.plan(fakeProbe(answers)))).toEqual(expected);
}

/** A resource that keeps `/c`, and has something to do there, or nothing. */
export function planned(kind: 'change' | 'unchanged'): Resource {
  const change = changed({ summary: '', diff: [], actions: [], effect: 'change', disruptive: false });
  return { address: 'x', paths: ['/c'], plan: () => Promise.resolve(kind === 'change' ? change : UNCHANGED) };
}
