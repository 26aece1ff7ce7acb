import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Event } from '../../../src/model/events.js';
import { processMark } from '../../../src/model/process-mark.js';
import { createJournal, directoryOf, journalDirectory } from '../../../src/report/journal.js';
import { tickingClock } from '../../support/clock.js';
import { keptRuns } from '../../support/kept-runs.js';
import { BARE_HOSTS } from '../../support/sample-plans.js';
import { FAILING_RUN, ROLLING_RUN } from '../../support/sample-runs.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const BEGUN = new Date('2026-11-21T02:15:00.123Z');

let directory: string;

beforeEach(() => {
  directory = journalDirectory(temporaryDirectory('journal'));
});

function keep(events: readonly Event[], begun = BEGUN): string {
  const sink = createJournal(directory, begun, tickingClock(0));
  events.forEach(sink);
  return join(directory, readdirSync(directory).sort().at(-1) ?? '');
}

test('an inventory is in its directory, or is one, wherever it is typed', () => {
  const root = temporaryDirectory('inventories');
  const several = join(root, 'several');
  mkdirSync(several);
  const typed = [several, relative(process.cwd(), several), `${several}/`, join(several, 'hosts.yaml')];
  expect(typed.map(directoryOf)).toEqual(typed.map(() => several));
  expect(directoryOf(relative(process.cwd(), join(root, 'missing.yaml')))).toBe(root);
});

describe('the journal', () => {
  test('keeps a run for its owner only, and reads it back', async () => {
    const file = keep(ROLLING_RUN);
    expect(file).toMatch(/2026-11-21T02-15-00\.123Z\.ndjson$/);
    expect([statSync(directory).mode & 0o777, statSync(file).mode & 0o777]).toEqual([0o700, 0o600]);
    const [run] = await keptRuns(directory);
    expect(run).toMatchObject({ command: 'apply', end: 'done', changed: 6, unreadable: 0 });
    expect(run?.events.map(({ type }) => type)).toEqual(ROLLING_RUN.map(({ type }) => type));
  });

  test('lists runs, the oldest first, with how each ended', async () => {
    keep(FAILING_RUN, new Date('2026-11-22T00:00:00Z'));
    keep(ROLLING_RUN.slice(0, -1), new Date('2026-11-21T00:00:00Z'));
    expect((await keptRuns(directory)).map(({ end }) => end)).toEqual(['interrupted', 'failed']);
    expect(await keptRuns(join(directory, 'none'))).toEqual([]);
  });

  test.each([
    ['running', processMark(process.pid)],
    ['interrupted', processMark(process.pid).replace(/\d+$/, '1')],
    ['interrupted', ''],
    ['interrupted', undefined],
  ])('a run without an end is %s where its process is %j', async (end, mark) => {
    const [started, ...rest] = ROLLING_RUN.slice(0, -1);
    if (started?.type !== 'run-started') throw new Error('a run begins');
    keep([{ ...started, process: mark }, ...rest]);
    expect(await keptRuns(directory)).toMatchObject([{ end }]);
  });

  test('tells in one line why a run ended, without the colon of what follows', async () => {
    const drift = 'plan.json is not what would be done now:\n  --limit: saved: none; now: etcd-1';
    const failed = (failures: (Event & { type: 'run-failed' })['failures']): Event => ({
      ...{ type: 'run-failed', kind: 'stale', message: drift, hint: undefined, failures },
    });
    const failure = (host: string | undefined, message: string) => ({
      host,
      code: undefined,
      message,
      output: undefined,
    });
    keep([failed([])]);
    keep([failed([failure(undefined, drift)])], new Date('2026-11-22T00:00:00Z'));
    keep([failed([failure('a', 'it differs:\n    x')])], new Date('2026-11-23T00:00:00Z'));
    const stale = 'plan.json is not what would be done now';
    expect((await keptRuns(directory)).map(({ reason }) => reason)).toEqual([stale, stale, 'a: it differs']);
  });

  test('tells who ran what, with which playbook and limit, and why it ended', async () => {
    const [started, ...rest] = FAILING_RUN;
    const planned = { ...BARE_HOSTS, playbook: 'etcd-lb', limit: 'etcd:!etcd-2' };
    if (started?.type !== 'run-started') throw new Error('a run begins');
    keep([{ ...started, by: 'ana@desk' }, { type: 'planned', plan: planned }, ...rest]);
    const [run] = await keptRuns(directory);
    expect(run).toMatchObject({ end: 'failed', by: 'ana@desk', playbook: 'etcd-lb', limit: 'etcd:!etcd-2' });
    expect(run?.reason).toMatch(/^etcd-\d: /);
  });

  test.each(['no-terminal', 'declined', 'locked'] as const)('%s before any play is no failure', async (code) => {
    const failures = [{ code, message: 'there is no terminal to ask on\nmore' }];
    const stopped: Event = { type: 'run-failed', kind: 'failed', message: 'stopped', failures, hint: undefined };
    const planned = ROLLING_RUN.slice(
      0,
      ROLLING_RUN.findIndex(({ type }) => type === 'play-started'),
    );
    keep([...planned, stopped]);
    expect(await keptRuns(directory)).toMatchObject([
      { end: 'not begun', changed: 0, reason: 'there is no terminal to ask on' },
    ]);
  });

  test('writes nothing into a file or a link that others put in its place', () => {
    const others = join(directory, '../others');
    mkdirSync(directory, { recursive: true });
    writeFileSync(others, 'theirs');
    symlinkSync(others, join(directory, '2026-11-21T02-15-00.123Z.ndjson'));
    writeFileSync(join(directory, '2026-11-21T02-15-00.124Z.ndjson'), 'theirs');
    const file = keep(ROLLING_RUN);
    expect(file).toMatch(/00\.125Z\.ndjson$/);
    expect(readFileSync(file, 'utf8')).toContain('run-started');
    expect(
      [others, join(directory, '2026-11-21T02-15-00.124Z.ndjson')].map((path) => readFileSync(path, 'utf8')),
    ).toEqual(['theirs', 'theirs']);
  });

  test('of runs that begin in the same millisecond each has its own', async () => {
    const sinks = [1, 2, 3].map(() => createJournal(directory, BEGUN, tickingClock(0)));
    for (const event of ROLLING_RUN) for (const sink of sinks) sink(event);
    expect(await keptRuns(directory)).toMatchObject([
      { name: '2026-11-21T02-15-00.123Z', end: 'done', changed: 6 },
      { name: '2026-11-21T02-15-00.124Z', end: 'done', changed: 6 },
      { name: '2026-11-21T02-15-00.125Z', end: 'done', changed: 6 },
    ]);
  });

  test('does not look for a name without an end', () => {
    mkdirSync(directory, { recursive: true });
    for (let later = 0; later <= 100; later += 1)
      writeFileSync(
        join(directory, `${new Date(BEGUN.getTime() + later).toISOString().replaceAll(':', '-')}.ndjson`),
        '',
      );
    expect(() => keep(ROLLING_RUN)).toThrow('EEXIST');
  });

  test('makes nothing before the first event', () => {
    createJournal(directory, BEGUN, tickingClock(0));
    expect(existsSync(directory)).toBe(false);
  });

  test.each(['', '{"type":"cha', '{"formatVersion":1,"type":"unknown"}', '\u0000\u0000'])(
    'with a truncated line (%j) tells the rest',
    async (cut) => {
      const sink = createJournal(directory, BEGUN, tickingClock(0));
      ROLLING_RUN.slice(0, 3).forEach(sink);
      writeFileSync(join(directory, readdirSync(directory)[0] ?? ''), `${cut}\n`, { flag: 'a' });
      ROLLING_RUN.slice(3).forEach(sink);
      const [run] = await keptRuns(directory);
      expect(run).toMatchObject({ end: 'done', unreadable: cut === '' ? 0 : 1 });
      expect(run?.events).toHaveLength(ROLLING_RUN.length);
    },
  );

  test('that could not be written begins a new line afterwards', async () => {
    const sink = createJournal(directory, BEGUN, tickingClock(0));
    ROLLING_RUN.slice(0, 2).forEach(sink);
    const file = join(directory, readdirSync(directory)[0] ?? '');
    // The disk takes a part of a line, refuses, and then has room again.
    const aside = `${file}.aside`;
    renameSync(file, aside);
    mkdirSync(file);
    const [third, ...rest] = ROLLING_RUN.slice(2);
    expect(() => {
      if (third !== undefined) sink(third);
    }).toThrow(/EISDIR/);
    rmdirSync(file);
    renameSync(aside, file);
    writeFileSync(file, '{"formatVersion":1,"ti', { flag: 'a' });
    rest.forEach(sink);
    const [run] = await keptRuns(directory);
    expect(run).toMatchObject({ end: 'done', unreadable: 1 });
    expect(run?.events).toHaveLength(ROLLING_RUN.length - 1);
  });
});
