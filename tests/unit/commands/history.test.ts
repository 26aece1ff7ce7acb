import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { beforeEach, expect, test } from '@jest/globals';
import { runProgram } from '../../../src/commands/program.js';
import { processMark } from '../../../src/model/process-mark.js';
import { createJournal, journalDirectory } from '../../../src/report/journal.js';
import { tickingClock } from '../../support/clock.js';
import { ROLLING_RUN } from '../../support/sample-runs.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { verbContext } from '../../support/verb-context.js';

let directory: string;
let inventory: string;
beforeEach(() => {
  directory = temporaryDirectory('history');
  inventory = join(directory, 'hosts.yml');
  writeFileSync(inventory, 'all: {}\n');
});

/** What is printed. @throws ProvisionError */
async function history(...words: readonly string[]): Promise<string> {
  const stream = new PassThrough();
  await runProgram(verbContext(stream, ['history', ...words], {}));
  return String(stream.read() ?? '');
}

test('before the first run it says so, where it looked, and what to do', async () => {
  const none = `there has been no run yet: none is kept in ${journalDirectory(directory)}`;
  expect(await history(inventory)).toBe(`${none}\n→ see what the first one would do: provision plan ${inventory}\n`);
  for (const run of ['last', '2026-11-21T02-15-00.123Z'])
    await expect(history(inventory, run)).rejects.toMatchObject({
      code: 'unknown-run',
      message: none,
      hint: `see what the first one would do: provision plan ${inventory}`,
    });
});

test('an inventory that is not there is what is wrong, where no run is kept beside it either', async () => {
  const other = join(directory, 'inventroy.yaml');
  const refusal = { code: 'unreadable', message: `${other}: no such file, and no run is kept beside it` };
  await expect(history(other)).rejects.toMatchObject(refusal);
  await expect(history(other, 'last')).rejects.toMatchObject(refusal);
});

test('of runs that are kept, another name than theirs is refused with the list to look at', async () => {
  ROLLING_RUN.forEach(
    createJournal(journalDirectory(directory), new Date('2026-11-21T02:15:00.123Z'), tickingClock(0)),
  );
  expect(await history(inventory, 'last')).toMatch(/^2026-11-21T02-15-00\.123Z {2}apply/);
  await expect(history(inventory, 'lsat')).rejects.toMatchObject({
    message: 'there is no run lsat, of 1 run that is kept',
    hint: `list them with: provision history ${inventory}`,
  });
});

test('a run that goes on is called running, what it did so far is shown, and no report is made of it', async () => {
  const [started, ...rest] = ROLLING_RUN.slice(0, -1);
  if (started?.type !== 'run-started') throw new Error('a run begins');
  const keep = createJournal(journalDirectory(directory), new Date('2026-11-21T02:15:00.123Z'), tickingClock(0));
  [{ ...started, process: processMark(process.pid) }, ...rest].forEach(keep);
  expect(await history(inventory)).toMatch(/^\S+ {2}apply {2}running /);
  expect(await history(inventory, 'last')).toContain('change-done');
  const report = join(directory, 'run.html');
  await expect(history(inventory, 'last', '--report', report)).rejects.toMatchObject({
    code: 'still-running',
    message: 'the run 2026-11-21T02-15-00.123Z still runs: there is no report of it yet',
  });
  expect(existsSync(report)).toBe(false);
  ROLLING_RUN.slice(-1).forEach(keep);
  await history(inventory, 'last', '--report', report);
  expect(existsSync(report)).toBe(true);
});

test('a run that can not be read hides no other, and is refused where it is asked for', async () => {
  const kept = journalDirectory(directory);
  for (const day of ['20', '22'])
    ROLLING_RUN.forEach(createJournal(kept, new Date(`2026-11-${day}T02:15:00.123Z`), tickingClock(0)));
  mkdirSync(join(kept, '2026-11-21T02-15-00.123Z.ndjson'));
  const lines = (await history(inventory)).trimEnd().split('\n');
  expect(lines).toEqual([
    expect.stringMatching(/^2026-11-20\S+ {2}apply {2}done /),
    expect.stringMatching(/^2026-11-21\S+ {2}\S+\.123Z\.ndjson cannot be read: it is not a regular file$/),
    expect.stringMatching(/^2026-11-22\S+ {2}apply {2}done /),
  ]);
  expect(await history(inventory, 'last')).toMatch(/^2026-11-22/);
  await expect(history(inventory, '2026-11-21T02-15-00.123Z')).rejects.toMatchObject({ code: 'unreadable' });
});

test('of inventories in one directory each has its last run, and a list says which are of another one', async () => {
  for (const [day, typed] of [
    ['20', inventory],
    ['21', 'clusters/hosts.yml'],
    ['22', join(directory, 'staging.yaml')],
  ] as const)
    ROLLING_RUN.map((event) => (event.type === 'run-started' ? { ...event, inventory: typed } : event)).forEach(
      createJournal(journalDirectory(directory), new Date(`2026-11-${day}T02:15:00.123Z`), tickingClock(0)),
    );
  const lines = (await history(inventory)).trimEnd().split('\n');
  expect(lines.map((line) => line.includes('inventory staging.yaml'))).toEqual([false, false, true]);
  expect(await history(inventory, 'last')).toMatch(/^2026-11-21/);
  expect(await history(join(directory, 'staging.yaml'), 'last')).toMatch(/^2026-11-22/);
  expect(await history(inventory, '2026-11-22T02-15-00.123Z')).toMatch(/inventory staging\.yaml/);
  const report = join(directory, 'report.md');
  await history(inventory, '2026-11-22T02-15-00.123Z', '--report', report);
  expect(readFileSync(report, 'utf8')).toContain('staging.yaml');
  // Of one that has got another name.
  expect(await history(join(directory, 'other.yaml'), 'last')).toMatch(/^2026-11-22.* inventory staging\.yaml/);
});

test('the columns of a list stay below each other, however long a verb is', async () => {
  for (const [day, command] of [
    ['20', 'apply'],
    ['21', 'snapshot save'],
    ['22', 'drill'],
  ] as const)
    ROLLING_RUN.map((event) => (event.type === 'run-started' ? { ...event, command } : event)).forEach(
      createJournal(journalDirectory(directory), new Date(`2026-11-${day}T02:15:00.123Z`), tickingClock(0)),
    );
  const lines = (await history(inventory)).trimEnd().split('\n');
  expect(lines.map((line) => line.replace(/^\S+ {2}/, '').replace(/ {2}playbook.*/, ''))).toEqual([
    'apply          done         6 changes ',
    'snapshot save  done         6 changes ',
    'drill          done         6 changes ',
  ]);
  expect(await history(inventory, 'last')).toMatch(/^\S+ {2}drill {2}done /);
});

test('of an inventory of several files the runs are in its directory, and those of a file beside it are not', async () => {
  const several = join(directory, 'production');
  mkdirSync(several);
  writeFileSync(join(several, 'hosts.yaml'), '');
  const keep = createJournal(journalDirectory(several), new Date('2026-11-21T02:15:00.123Z'), tickingClock(0));
  ROLLING_RUN.forEach(keep);
  for (const typed of [several, `${several}/`, join(several, 'hosts.yaml')])
    expect(await history(typed, 'last')).toMatch(/^2026-11-21/);
  expect(await history(inventory)).toContain('there has been no run yet');
});

test('a directory of journals that is none is no history without runs', async () => {
  writeFileSync(join(directory, '.provision'), '');
  await expect(history(inventory)).rejects.toMatchObject({
    code: 'unreadable',
    message: expect.stringContaining('not a directory (ENOTDIR)'),
  });
});

test('a pipe among the runs is not waited for, by its own name or another', async () => {
  const runs = journalDirectory(directory);
  ROLLING_RUN.forEach(createJournal(runs, new Date('2026-11-21T02:15:00.123Z'), tickingClock(0)));
  const told = await history(inventory);
  execFileSync('mkfifo', [join(runs, '2098-01-01T00-00-00.000Z.ndjson')]);
  symlinkSync(join(runs, '2098-01-01T00-00-00.000Z.ndjson'), join(runs, '2099-01-01T00-00-00.000Z.ndjson'));
  const refused = (name: string): string =>
    `${name}  ${join(runs, name)}.ndjson cannot be read: it is not a regular file\n`;
  expect(await history(inventory)).toBe(
    told + refused('2098-01-01T00-00-00.000Z') + refused('2099-01-01T00-00-00.000Z'),
  );
  await expect(history(inventory, 'last')).rejects.toMatchObject({ code: 'unreadable' });
});

test('a run of an inventory of several files is its own, wherever both were typed', async () => {
  const several = join(directory, 'several');
  mkdirSync(several);
  const [started, ...rest] = ROLLING_RUN;
  if (started?.type !== 'run-started') throw new Error('a run begins');
  for (const [index, typed] of ['.', './', 'several', '../several/', several].entries())
    [{ ...started, inventory: typed }, ...rest].forEach(
      createJournal(journalDirectory(several), new Date(Date.UTC(2026, 10, 21, 0, 0, index)), tickingClock(0)),
    );
  for (const typed of [several, `${several}/`, join(several, '.')])
    expect((await history(typed)).split('\n').filter((line) => line.includes('inventory'))).toEqual([]);
  const others = { ...started, inventory: 'others' };
  [others, ...rest].forEach(
    createJournal(journalDirectory(several), new Date(Date.UTC(2026, 10, 22)), tickingClock(0)),
  );
  expect((await history(several)).split('\n').filter((line) => line.includes('inventory others'))).toHaveLength(1);
});
