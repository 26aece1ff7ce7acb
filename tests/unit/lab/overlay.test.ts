import { describe, expect, test } from '@jest/globals';
import { overlayDifference } from '../../../src/lab/overlay.js';
import type { OverlayChange } from '../../../src/lab/overlay.js';

const FILE: OverlayChange = {
  path: '/etc/hosts',
  kind: 'file',
  mode: '0644',
  uid: 0,
  gid: 0,
  size: 3,
  mtimeMs: 1000,
  content: 'aa',
};

describe('overlayDifference', () => {
  test('nothing written is no difference', () => {
    expect(overlayDifference([FILE], [{ ...FILE }])).toEqual([]);
  });

  test.each<[string, Partial<OverlayChange>]>([
    ['content', { content: 'bb' }],
    ['mode', { mode: '0600' }],
    ['owner', { uid: 1000 }],
    ['time', { mtimeMs: 1000.5 }],
    ['kind', { kind: 'removed' }],
  ])('another %s is one', (_, change) => {
    const after = { ...FILE, ...change };
    expect(overlayDifference([FILE], [after])).toEqual([{ path: FILE.path, before: FILE, after }]);
  });

  test('what came and what went are differences, by path', () => {
    const other = { ...FILE, path: '/a' };
    expect(overlayDifference([FILE], [other])).toEqual([
      { path: '/a', before: undefined, after: other },
      { path: '/etc/hosts', before: FILE, after: undefined },
    ]);
  });
});
