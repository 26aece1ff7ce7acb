import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { stumblesIn, toldIn } from '../../support/plain-words.js';

/** What people read: messages and comments, playbooks, example inventories, documents. */
const FOLDERS = ['src', 'playbooks', 'inventory', 'docs'];
/**
 * Their bytes reach hosts and images: another comment in a template would restart services of a cluster that has
 * converged, and one in the lab's assets would build its images again.
 */
const KEPT_AS_THEY_ARE = /^(playbooks\/templates|src\/lab\/assets)\//;
const PAGES = readdirSync('.').filter((name) => name.endsWith('.md'));

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
  );
}

describe('what people read', () => {
  test('is in words of the field', () => {
    const files = FOLDERS.flatMap(filesBelow);
    const read = files.filter((file) => !KEPT_AS_THEY_ARE.test(file));
    expect(read.length).toBeGreaterThan(300);
    const stumbles = [...read, ...PAGES].flatMap((file) =>
      stumblesIn(readFileSync(file, 'utf8')).map((each) => `${file}: ${each}`),
    );
    expect(stumbles).toEqual([]);
  });

  test('in tests nothing is told where nobody tells anybody', () => {
    const files = filesBelow('tests').filter((file) => !file.includes('plain-words'));
    const stumbles = files.flatMap((file) => toldIn(readFileSync(file, 'utf8')).map((each) => `${file}: ${each}`));
    expect(stumbles).toEqual([]);
  });
});

describe('the search for other words', () => {
  test.each([
    ["hint: 'mend the reason'", 'fix, repair'],
    ['/**\n * Nothing of an etcd that others\n * made.\n */', 'existing cluster; made by another tool'],
    ['# certificates are signed\n# elsewhere', 'signed by an external CA'],
    ['`gate x stayed shut`', 'does not open, did not open'],
    ['/** A node that nobody\n * named is told. */', 'is reported, is shown'],
    ["'1 changes'", 'counted(1, …)'],
  ])('finds what is planted: %j', (text, say) => {
    expect(stumblesIn(text)).toEqual([expect.stringContaining(`say "${say}"`)]);
  });

  test.each(['21 changes', 'names are told apart', 'as well as', 'the recommended way', 'black', 'a slack channel'])(
    'lets pass: %j',
    (text) => {
      expect(stumblesIn(text)).toEqual([]);
    },
  );
});
