// npm run mutate: plants one wrong line after the other, and tells which of them no test notices. Ends with 3 where one is not
// listed in survivors.yaml, and with 4 where some were not judged.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { compiles } from './compiles.js';
import { partsTogether, takeUp, type Part } from './kept.js';
import { readKnown } from './known.js';
import { mutationPage } from './page.js';
import { plantMutants, type Lines } from './plant-mutants.js';
import { readJournal, runRoom } from './run-tests.js';
import { judge, roomTable, survivorLines, type Judged } from './verdicts.js';

/** Rooms whose mistakes change hosts. */
const ROOMS = ['engine', 'gates', 'facts', 'pki', 'ssh', 'shell', 'resources', 'playbook', 'roles'].map(
  (room) => `src/${room}`,
);

function git(...args: readonly string[]): string {
  return execFileSync('git', args, { encoding: 'utf8' });
}

function filesBelow(paths: readonly string[]): readonly string[] {
  const listed = git('ls-files', '--cached', '--others', '--exclude-standard', '--', ...paths).split('\n');
  return listed
    .filter((file) => /^src\/.*\.ts$|^playbooks\/.*\.(yaml|j2)$/.test(file))
    .filter((file) => !file.startsWith('src/lab/'));
}

/** The lines that a branch changed since it left its base, by file. */
function changedLines(base: string): ReadonlyMap<string, Lines> {
  const found = new Map<string, Set<number>>();
  let file = '';
  for (const line of git(
    'diff',
    '-U0',
    '--no-prefix',
    git('merge-base', base, 'HEAD').trim(),
    '--',
    'src',
    'playbooks',
  ).split('\n')) {
    const named = /^\+\+\+ (.*)$/.exec(line)?.[1];
    if (named !== undefined) file = named;
    const hunk = /^@@ \S+ \+(\d+)(?:,(\d+))? @@/.exec(line);
    if (hunk === null || !filesBelow([file]).includes(file)) continue;
    const lines = found.get(file) ?? new Set();
    for (let at = 0; at < Number(hunk[2] ?? 1); at += 1) lines.add(Number(hunk[1]) + at);
    found.set(file, lines);
  }
  return found;
}

const USAGE = `Usage: npm run mutate -- [PATH…] [options]

Plants one wrong line after the other in PATH (a file, a folder, playbooks; without one: all rooms), and lists what no test notices.

  --changed BASE  only in the lines that the branch changed since it left BASE
  --each          one file after the other
  --most N        a sample of N for each PATH
  --minutes N     ends in time; what was not judged by then is no survivor
  --keep DIR      goes on from what an earlier run of one PATH has noticed in DIR
  --unit          without the contract tests
  --near          without the tests of other rooms
  --beside ROOM   with --near: the tests of ROOM, too; may be repeated
  --page          writes each room into docs/mutation-run.md

Ends with 3 where one survived that tests/mutation/survivors.yaml does not list, and with 4 where some were not judged.`;

/** @throws TypeError for an option that is not known */
function readWords() {
  return parseArgs({
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      changed: { type: 'string' },
      each: { type: 'boolean' },
      most: { type: 'string' },
      minutes: { type: 'string' },
      keep: { type: 'string' },
      unit: { type: 'boolean' },
      near: { type: 'boolean' },
      beside: { type: 'string', multiple: true },
      page: { type: 'boolean' },
    },
  });
}

function wordsOrUsage(): ReturnType<typeof readWords> {
  try {
    return readWords();
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}

const { values, positionals } = wordsOrUsage();
if (values.help === true) {
  console.log(USAGE);
  process.exit();
}
/** Status of a run that a mutant survived; what goes wrong with the run itself ends it with another one. */
const SURVIVED = 3;
/** Status of a run whose time was up, or whose tests ended, before all mutants were judged, and which none is known to have survived. */
const UNTRIED = 4;
/** Rooms whose tests are run beside those of the rooms that have mutants; undefined: those of all rooms. */
const near = values.near === true ? (values.beside ?? []) : undefined;
const ROOMS_OF_TESTS = values.unit === true ? (['unit'] as const) : (['unit', 'contract'] as const);
const PAGE = 'docs/mutation-run.md';
const most = Number(values.most ?? Infinity);
const endAt = Date.now() + Number(values.minutes ?? Infinity) * 60_000;

const commit = git('rev-parse', '--short', 'HEAD').trim();
if (values.keep !== undefined && (values.each === true || positionals.length !== 1))
  throw new Error('--keep goes on with one path, tried as a whole');
/** The parts of this run: one, but where it goes on from what `--keep` has. */
let parts: readonly Part[] = [];

/** Plants the mutants of files, and has them judged by the tests. */
async function tryFiles(files: ReadonlyMap<string, Lines>): Promise<readonly Judged[]> {
  const started = Date.now();
  const work = values.keep === undefined ? mkdtempSync(join(tmpdir(), 'mutate-')) : resolve(values.keep);
  mkdirSync(work, { recursive: true });
  // Tests act as other users in it.
  chmodSync(work, 0o755);
  // Of one file most is noticed by the test of its name: a second process would try with others meanwhile, for nothing.
  const shards = files.size <= 1 ? 1 : availableParallelism();
  const taken = takeUp({ work, shards, part: { commit, began: started } }, () => plantMutants(files, work, most));
  const { mutants } = taken;
  parts = [...(values.keep === undefined ? parts : []), ...taken.parts];
  console.log(`${mutants.length} mutants in ${files.size} files`);
  const related = mutants.some(({ when }) => when === 'data') ? [] : [...files.keys()];
  const stopped: string[] = [];
  let left = mutants.length;
  for (const room of ROOMS_OF_TESTS) {
    if (left === 0) break;
    stopped.push(...(await runRoom({ room, related, work, shards, near, endAt })));
    const noticed = new Set(
      readJournal(work, shards).flatMap(({ verdict, id }) => (verdict === 'noticed' ? [id] : [])),
    );
    const seconds = Math.round((Date.now() - started) / 1000);
    console.log(`${room}: ${noticed.size} of ${mutants.length} noticed after ${seconds} s`);
    left = mutants.length - noticed.size;
  }
  const entries = readJournal(work, shards);
  if (values.keep === undefined) rmSync(work, { recursive: true });
  for (const line of stopped) console.log(`not all tests ran, the rest is not judged: ${line}`);
  const hung = entries.filter(({ verdict, how }) => verdict === 'noticed' && how === 'hangs').length;
  if (hung > 0) console.log(`${hung} of them because a test came to no end with it, twice`);
  for (const { by } of entries.filter(({ verdict }) => verdict === 'file fails'))
    console.log(`not used, it fails as it is: ${by ?? ''}`);
  const judged = judge({ mutants, entries, isWhole: stopped.length === 0 }, readKnown(), compiles);
  for (const line of survivorLines(judged, 'untried')) console.log(`not yet noticed: ${line}`);
  console.log(survivorLines(judged).join('\n'));
  return judged;
}

/** What is tried at once, and the path that was asked for. */
interface Run {
  readonly path: string;
  readonly files: ReadonlyMap<string, Lines>;
}

/** A path at a time, or each file of it: a run that is ended has told about those before. */
function runsOf(path: string): readonly Run[] {
  const files = filesBelow([path]);
  const groups = values.each === true ? files.map((file) => [file]) : [files];
  return groups.map((group) => ({ path, files: new Map(group.map((file) => [file, undefined])) }));
}

const asked = positionals.length === 0 ? [...ROOMS, 'playbooks'] : positionals;
const runs: readonly Run[] =
  values.changed === undefined ? asked.flatMap(runsOf) : [{ path: '', files: changedLines(values.changed) }];
const all: Judged[] = [];
let ofPath: { readonly path: string; readonly judged: Judged[]; tried: number } | undefined;
for (const { path, files } of runs) {
  if (ofPath?.path !== path) {
    ofPath = { path, judged: [], tried: 0 };
    parts = [];
  }
  const judged = await tryFiles(files);
  all.push(...judged);
  ofPath.judged.push(...judged);
  ofPath.tried += files.size;
  if (values.page !== true || values.changed !== undefined) continue;
  const bounds = Object.entries(values).flatMap(([name, value]) =>
    name === 'page' || name === 'keep'
      ? []
      : [value].flat().map((each) => (typeof each === 'string' ? ` --${name} ${each}` : ` --${name}`)),
  );
  const measured = {
    date: new Date().toISOString().slice(0, 10),
    command: `npm run mutate -- ${path}${bounds.join('')}`,
    ...partsTogether(parts),
    files: [ofPath.tried, filesBelow([path]).length] as const,
  };
  writeFileSync(PAGE, mutationPage(existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '', ofPath.judged, measured));
}
console.log(roomTable(all).join('\n'));
const untried = all.filter(({ verdict }) => verdict === 'untried').length;
if (untried > 0) console.log(`${untried} of ${all.length} mutants were not judged`);
const survived = all.some(({ verdict }) => verdict === 'survived');
process.exitCode = survived ? SURVIVED : untried > 0 ? UNTRIED : 0;
