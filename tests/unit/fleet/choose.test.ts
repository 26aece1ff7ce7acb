import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { affectedClusters } from '../../../src/fleet/affected.js';
import { githubMatrix } from '../../../src/fleet/matrix.js';
import { takeShard } from '../../../src/fleet/shard.js';

const CLUSTERS = ['eu/east/inventory.yaml', 'eu/west/hosts.ini', 'lab.yaml', 'old.ini'].map((path) => ({
  name: path.replace(/(?:\/inventory|\/hosts)?\.\w+$/, ''),
  inventory: `fleet/${path}`,
}));

const NAMES = CLUSTERS.map(({ name }) => name);

describe('what changed files concern', () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ['nothing', [], []],
    ['an inventory', ['lab.yaml'], ['lab']],
    ['an inventory in its directory', ['eu/west/hosts.ini'], ['eu/west']],
    ['variables of one', ['eu/east/group_vars/all.yaml'], ['eu/east']],
    ['variables of another one', ['eu/west/group_vars/all.yaml'], ['eu/west']],
    ['a file of no cluster, whatever its name begins with', ['x/notes.txt'], NAMES],
    ['two of them', ['old.ini', 'eu/east/host_vars/a.yaml'], ['eu/east', 'old']],
    ['variables beside several', ['group_vars/all.yaml'], NAMES],
    ['a shared playbook', ['playbooks/site.yaml'], NAMES],
    ['a directory with the same beginning', ['eu/east-2/notes.txt'], NAMES],
  ])('%s', (_, changed, expected) => {
    expect(affectedClusters(CLUSTERS, 'fleet', changed).map(({ name }) => name)).toEqual(expected);
  });

  test('does not depend on how the directory was typed', () => {
    const typed = CLUSTERS.map((cluster) => ({ ...cluster, inventory: `./${cluster.inventory}` }));
    expect(affectedClusters(typed, './fleet/', ['lab.yaml']).map(({ name }) => name)).toEqual(['lab']);
  });
});

test('the parts of a fleet differ by one at most, and together have each cluster once', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 40 }), fc.integer({ min: 1, max: 9 }), (items, of) => {
      const marked = items.map((item, index) => `${index}:${item}`);
      const parts = Array.from({ length: of }, (_, index) => takeShard(marked, { part: index + 1, of }));
      expect(parts.flat().toSorted()).toEqual(marked.toSorted());
      const sizes = parts.map(({ length }) => length);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }),
  );
});

describe('a matrix for GitHub', () => {
  test('has a name for files that no other cluster has', () => {
    const of = (names: readonly string[]): readonly string[] =>
      githubMatrix(names.map((name) => ({ name, inventory: name }))).include.map(({ id }) => id);
    const ids = of(['eu/a', 'eu-a', 'eu a', 'prod.1_x', 'ä']);
    expect(new Set(ids).size).toBe(5);
    for (const id of ids) expect(id).toMatch(/^[\w.-]+$/);
    expect(ids.slice(1, 2)).toEqual(['eu-a']);
  });

  test('with more jobs than one may have is refused, with the parts to take', () => {
    const of = (count: number): unknown =>
      githubMatrix(Array.from({ length: count }, (_, index) => ({ name: `c${index}`, inventory: '' })));
    expect(() => of(256)).not.toThrow();
    expect(() => of(257)).toThrow('257 clusters');
    try {
      of(513);
    } catch (error) {
      expect(error).toMatchObject({ code: 'fleet-too-large', hint: expect.stringContaining('--shard 1/3') as unknown });
    }
  });
});
