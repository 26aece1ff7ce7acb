import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readPage, readSteps, unreadCommands } from '../../support/page.js';

// Every tutorial and runbook is worked through by a lab test, from its text; or it is in this list, with the reason.

const NOT_WORKED_THROUGH: Readonly<Record<string, string>> = {};

const FOLDERS = ['tutorials', 'runbooks'];
const PAGES = FOLDERS.flatMap((folder) =>
  readdirSync(`docs/${folder}`).map((file) => `${folder}/${file.replace(/\.md$/, '')}`),
);

/** The pages that a test's source names. */
function workedThroughIn(source: string): readonly string[] {
  return [...source.matchAll(/'((?:tutorials|runbooks)\/[a-z-]+)'/g)].map(([, page = '']) => page);
}

const WORKED_THROUGH = readdirSync('tests/e2e').flatMap((file) =>
  workedThroughIn(readFileSync(`tests/e2e/${file}`, 'utf8')),
);

/** The lab tests that a reason names, and that are no files. */
function missingTests(reason: string): readonly string[] {
  const [, names = 'none'] = /lab tests? ([a-z-]+(?: and [a-z-]+)*)/.exec(reason) ?? [];
  return names.split(' and ').filter((name) => !existsSync(`tests/e2e/${name}.test.ts`));
}

/** What is wrong with how a page is tested. */
function problemOf(page: string, workedThrough: readonly string[], reasons: typeof NOT_WORKED_THROUGH): string[] {
  if (workedThrough.includes(page))
    return page in reasons ? [`${page} is worked through: take it out of the list`] : [];
  return page in reasons ? [] : [`${page} is worked through by no test`];
}

describe('a page that people follow', () => {
  test('is worked through by a lab test, or it is listed why not', () => {
    expect(PAGES.length).toBeGreaterThan(20);
    expect(PAGES.flatMap((page) => problemOf(page, WORKED_THROUGH, NOT_WORKED_THROUGH))).toEqual([]);
    expect(Object.keys(NOT_WORKED_THROUGH).filter((page) => !PAGES.includes(page))).toEqual([]);
    expect(WORKED_THROUGH.filter((page) => !PAGES.includes(page))).toEqual([]);
    expect(Object.values(NOT_WORKED_THROUGH).flatMap(missingTests)).toEqual([]);
  });

  test.each(PAGES.filter((page) => WORKED_THROUGH.includes(page)))(
    '%s has its commands where they are read',
    (page) => {
      const text = readPage(page);
      expect(unreadCommands(text)).toEqual([]);
      expect(readSteps(text).filter(({ kind }) => kind === 'command')).not.toEqual([]);
    },
  );

  test('that is planted is noticed', () => {
    const source = "await workThroughPage('runbooks/one', at);";
    expect(workedThroughIn(source)).toEqual(['runbooks/one']);
    const problems = ['runbooks/one', 'runbooks/two', 'runbooks/three'].flatMap((page) =>
      problemOf(page, workedThroughIn(source), { 'runbooks/one': 'no longer true', 'runbooks/three': 'a reason' }),
    );
    expect(missingTests('done by the lab test nowhere and bypass, whose commands are its own')).toEqual(['nowhere']);
    expect(problems).toEqual([
      'runbooks/one is worked through: take it out of the list',
      'runbooks/two is worked through by no test',
    ]);
  });
});

test('each test that ARCHITECTURE.md names is there', () => {
  const named = [...readFileSync('ARCHITECTURE.md', 'utf8').matchAll(/\b([a-z-]+\.test\.ts)\b/g)].map(([name]) => name);
  const there = new Set(readdirSync('tests', { recursive: true, encoding: 'utf8' }).map((path) => basename(path)));
  expect(named.length).toBeGreaterThan(100);
  expect([...new Set(named)].filter((name) => !there.has(name))).toEqual([]);
});
