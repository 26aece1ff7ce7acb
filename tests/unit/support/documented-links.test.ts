import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from '@jest/globals';

// A link of the documentation leads to a file of this repository, and to a heading of it.

function documents(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return documents(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

/** What GitHub makes of a heading: its letters, digits and dashes, in lower case. */
function anchorsOf(markdown: string): readonly string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function deadLinks(path: string, markdown: string): readonly string[] {
  const prose = markdown.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)].flatMap(([, link = '']) => {
    const [file = '', anchor] = link.split('#');
    const target = file === '' ? path : normalize(join(dirname(path), file));
    if (!existsSync(target)) return [`${path}: ${link}: there is no such file`];
    if (anchor === undefined || statSync(target).isDirectory()) return [];
    return anchorsOf(readFileSync(target, 'utf8')).includes(anchor) ? [] : [`${path}: ${link}: no such heading`];
  });
}

test('every link leads somewhere', () => {
  const files = [
    'README.md',
    'ARCHITECTURE.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    'CHANGELOG.md',
    ...documents('docs'),
  ];
  expect(files.flatMap((path) => deadLinks(path, readFileSync(path, 'utf8')))).toEqual([]);
});

test('a link to nowhere is found', () => {
  const found = deadLinks(
    'README.md',
    'a [b](docs/none.md), [c](docs/lab.md#none), [d](docs/lab.md#in-tests) `[e](f)`',
  );
  expect(found).toEqual([
    'README.md: docs/none.md: there is no such file',
    'README.md: docs/lab.md#none: no such heading',
  ]);
});
