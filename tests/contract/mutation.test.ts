import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeEach, expect, test } from '@jest/globals';
import { temporaryDirectory } from '../support/temporary-directory.js';

// A small repository with the real tool in it: what CI says about a change whose tests would not notice a wrong line.
let repository: string;

const TOOL = ['jest.config.mjs', 'package.json', 'tsconfig.json', 'tests/mutation', 'tests/support'];
const OLD = 'export const mayRestart = (stopped: number): boolean => stopped === 0;\n';
const CHANGED = `${OLD}export const hasQuorum = (up: number, all: number): boolean => up * 2 > all;\n`;
const test_ = (cases: string): string => `import { expect, test } from '@jest/globals';
import { hasQuorum } from '../../src/gates/quorum.js';
test.each([${cases}])('%i of %i', (up, all, is) => { expect(hasQuorum(up, all)).toBe(is); });
`;

function git(...args: readonly string[]): void {
  const config = ['-c', 'user.name=t', '-c', 'user.email=t@example.org', '-c', 'commit.gpgsign=false'];
  execFileSync('git', [...config, ...args], { cwd: repository, stdio: 'ignore' });
}

function write(file: string, text: string): void {
  const path = join(repository, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function commit(message: string): void {
  git('add', '-A');
  git('commit', '-q', '-m', message);
}

function mutate(...args: readonly string[]): { readonly status: number | null; readonly said: string } {
  const command = ['--import', 'tsx', 'tests/mutation/mutate.ts', ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: repository, encoding: 'utf8' });
  return { status, said: stdout + stderr };
}

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 50_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`still not true: ${String(condition)}`);
    await pause(20);
  }
}

beforeEach(() => {
  repository = temporaryDirectory('mutated');
  for (const path of TOOL) cpSync(path, join(repository, path), { recursive: true });
  symlinkSync(resolve('node_modules'), join(repository, 'node_modules'));
  write('.gitignore', 'node_modules\n');
  write('tests/mutation/survivors.yaml', '[]\n');
  write('src/gates/quorum.ts', OLD);
  git('init', '-q');
  commit('begin');
});

test.each(['--help', '-h'])('%s tells how it is used, and plants nothing', (flag) => {
  const { status, said } = mutate(flag, 'src/gates');
  expect(said).toMatch(/^Usage: npm run mutate -- /);
  expect(said).not.toMatch(/mutants in|\n\s+at /);
  expect(status).toBe(0);
});

test('an option that is not known is named beside those that are', () => {
  const { status, said } = mutate('--nope', 'src/gates');
  expect(said).toMatch(/'--nope'[^]*Usage: npm run mutate -- /);
  expect(said).not.toMatch(/mutants in|\n\s+at /);
  expect(status).toBe(2);
});

test('a change whose tests would not notice a wrong line fails, and names the line; one that has such tests passes', () => {
  write('src/gates/quorum.ts', CHANGED);
  write('tests/unit/quorum.test.ts', test_('[3, 3, true], [1, 3, false]'));
  commit('change');
  const weak = mutate('--changed', 'HEAD~1');
  expect(weak.said).toContain('src/gates/quorum.ts:2 comparison: up * 2 > all → up * 2 >= all');
  // The line that was there before has no test at all, and is no business of this change.
  expect(weak.said).not.toContain('quorum.ts:1 ');
  expect(weak.status).toBe(3);

  write('tests/unit/quorum.test.ts', test_('[3, 3, true], [1, 3, false], [2, 4, false]'));
  commit('test it');
  expect(mutate('--changed', 'HEAD~2')).toMatchObject({ status: 0 });
});

test('a test that fails because the machine was slow once has noticed nothing', () => {
  write('src/gates/quorum.ts', CHANGED);
  // The first time that it sees a wrong answer it fails at a time limit of its own; the next time it passes.
  const slowOnce = `import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { hasQuorum } from '../../src/gates/quorum.js';
test('of three', async () => {
  const is = [hasQuorum(3, 3), hasQuorum(1, 3), hasQuorum(2, 4)].join();
  if (is === 'true,false,false' || existsSync('once-' + is)) return;
  writeFileSync('once-' + is, '');
  await wait(1_500);
  expect(is).toBe('in time');
});
`;
  write('tests/unit/quorum.test.ts', slowOnce);
  commit('change');
  const { said, status } = mutate('--changed', 'HEAD~1', '--unit');
  expect(said).toContain('unit: 0 of ');
  expect(status).toBe(3);
});

test('a run that is kept goes on: what was noticed stays so, and only tests that are new or have changed are run', () => {
  write('src/gates/quorum.ts', CHANGED);
  write('tests/unit/quorum.test.ts', test_('[3, 3, true], [1, 3, false]'));
  commit('change');
  const kept = temporaryDirectory('kept');
  const go = () => mutate('src/gates/quorum.ts', '--unit', '--keep', kept);
  expect(go()).toMatchObject({ status: 3, said: expect.stringContaining('up * 2 >= all') as unknown });
  write('tests/unit/halves.test.ts', test_('[2, 4, false]'));
  commit('test it');
  const { said } = go();
  expect(said).not.toContain('up * 2 >= all');
  // It would notice nothing any more; it is not asked.
  const journals = readdirSync(kept).filter((name) => name.startsWith('journal-'));
  const journal = journals.map((name) => readFileSync(join(kept, name), 'utf8')).join('');
  expect(journal.split('\n').filter((line) => line.includes('"loads"'))).toEqual([
    expect.stringContaining('halves.test.ts'),
  ]);

  write('src/gates/quorum.ts', OLD);
  expect(go().said).toContain('has the mutants of other sources');
}, 180_000);

test('a run that has no time left says so, has a status of its own, and calls nothing a survivor', () => {
  write('src/gates/quorum.ts', CHANGED);
  commit('change');
  const hurried = mutate('--changed', 'HEAD~1', '--minutes', '0');
  expect(hurried.said).toMatch(/(\d+) of \1 mutants were not judged/);
  expect(hurried).toMatchObject({ status: 4, said: expect.stringContaining('not all tests ran') as unknown });
});

test('a run that is ended takes with it what its tests have started', async () => {
  write('src/gates/quorum.ts', CHANGED);
  const endless = `import { spawn } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { test } from '@jest/globals';
import '../../src/gates/quorum.js';
test('waits', async () => {
  const script = spawn('sleep', ['1000']);
  writeFileSync('new', String(script.pid));
  renameSync('new', 'started');
  await once(script, 'exit');
}, 1_000_000);
`;
  write('tests/unit/quorum.test.ts', endless);
  commit('change');
  const run = spawn(process.execPath, ['--import', 'tsx', 'tests/mutation/mutate.ts', 'src/gates', '--unit'], {
    cwd: repository,
    stdio: 'ignore',
  });
  const ended = once(run, 'exit');
  const started = join(repository, 'started');
  try {
    await until(() => existsSync(started));
  } catch (error) {
    run.kill('SIGTERM');
    throw error;
  }
  // One that has ended is there as a zombie until its parent has asked for it.
  const isThere = (): boolean =>
    /^[^Z]/.test(spawnSync('ps', ['-o', 'stat=', '-p', readFileSync(started, 'utf8')], { encoding: 'utf8' }).stdout);
  expect(isThere()).toBe(true);
  run.kill('SIGTERM');
  expect(await ended).toEqual([143, null]);
  await until(() => !isThere());
}, 60_000);
