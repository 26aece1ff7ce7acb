import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { CAUSE_NAMES } from '../../../src/diagnosis/finding.js';
import { PROXY_NAMES } from '../../../src/model/virtual-service.js';

// Whoever has a name from `verify` or `doctor etcd` finds it on the page, with what to do.

const PAGE = readFileSync('docs/troubleshooting.md', 'utf8');

/** The names that the checks give their items, as their sources have them; a service's backends by its proxy. */
function checkNames(): readonly string[] {
  const files = readdirSync('src/checks').map((name) => readFileSync(`src/checks/${name}`, 'utf8'));
  const named = files.flatMap((text) =>
    [...text.matchAll(/\b(?:check: |CHECK = )'([a-z-]+)'/g)].map(([, name = '']) => name),
  );
  return [...new Set([...named, ...PROXY_NAMES])].toSorted();
}

/** The names in the first column of the table below a heading, each with the last column. */
function rowsBelow(heading: string, page: string): ReadonlyMap<string, string> {
  const [, section = ''] = page.split(`## ${heading}\n`);
  const [own = ''] = section.split('\n## ');
  const rows = own.split('\n').flatMap((line) => {
    const cells = line.split(' | ');
    const names = [...(cells[0] ?? '').matchAll(/`([a-z-]+)`/g)].map(([, name = '']) => name);
    return line.startsWith('| `')
      ? names.map((name) => [name, cells.at(-1)?.replace(/\|$/, '').trim() ?? ''] as const)
      : [];
  });
  return new Map(rows);
}

test('every check of verify is on the page, and no other', () => {
  const rows = rowsBelow('Checks of `verify`', PAGE);
  expect([...rows.keys()].toSorted()).toEqual(checkNames());
  expect(checkNames()).toEqual(
    expect.arrayContaining(['drift', 'etcd-member', 'kubeadm-config', 'virtual-ip-answers']),
  );
});

test('every cause of doctor etcd is on the page, and no other', () => {
  expect([...rowsBelow('Causes of `doctor etcd`', PAGE).keys()].toSorted()).toEqual(CAUSE_NAMES.toSorted());
});

test('each says what to do', () => {
  for (const heading of ['Checks of `verify`', 'Causes of `doctor etcd`'])
    expect([...rowsBelow(heading, PAGE)].filter(([, fix]) => fix.length < 10)).toEqual([]);
});

test('what shows a symptom is a check or a cause', () => {
  const [, table = ''] = PAGE.split('## What someone notices\n');
  const [own = ''] = table.split('\n## ');
  const shown = own.split('\n').flatMap((line) => [...(line.split(' | ')[1] ?? '').matchAll(/`([a-z-]+)`/g)]);
  const known = new Set([...checkNames(), ...CAUSE_NAMES]);
  expect(shown.length).toBeGreaterThan(20);
  expect(shown.map(([, name = '']) => name).filter((name) => !known.has(name))).toEqual([]);
});

test('a row that is missing, and one that nothing is called by, would be noticed', () => {
  const page = PAGE.replace('| `drift` ', '| `drifts` ');
  expect([...rowsBelow('Checks of `verify`', page).keys()].toSorted()).not.toEqual(checkNames());
});
