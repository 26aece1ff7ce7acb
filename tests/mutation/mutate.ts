// npm run mutate -- [PATH…] [--changed] [--most N] [--page]: plants one wrong line after the other, and tells which of
// them no test notices.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compiles } from './compiles.js';
import { readKnown } from './known.js';
import { plantMutants, type Lines } from './plant-mutants.js';
import { readJournal, runRoom, type Entry } from './run-tests.js';
import { judge, mutationPage, roomTable, survivorLines, type Judged } from './verdicts.js';

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

/** The lines that a branch changed, by file. */
function changedLines(base: string): ReadonlyMap<string, Lines> {
  const found = new Map<string, Set<number>>();
  let file = '';
  for (const line of git('diff', '-U0', '--no-prefix', base, '--', 'src', 'playbooks').split('\n')) {
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

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { changed: { type: 'string' }, most: { type: 'string' }, page: { type: 'boolean' } },
});

const started = Date.now();
const files: ReadonlyMap<string, Lines> =
  values.changed === undefined
    ? new Map(
        filesBelow(positionals.length === 0 ? [...ROOMS, 'playbooks'] : positionals).map((file) => [file, undefined]),
      )
    : changedLines(values.changed);
const work = mkdtempSync(join(tmpdir(), 'mutate-'));
const mutants = plantMutants(files, work, Number(values.most ?? Infinity));
console.log(`${mutants.length} mutants in ${files.size} files`);

const shards = availableParallelism();
const hasData = mutants.some(({ when }) => when === 'data');
const related = hasData ? [] : [...files.keys()];
const said: string[] = [];
for (const room of mutants.length === 0 ? [] : (['unit', 'contract'] as const)) {
  said.push(...(await runRoom({ room, related, work, shards })));
  const noticed = new Set(readJournal(work, shards).flatMap(({ verdict, id }) => (verdict === 'noticed' ? [id] : [])));
  console.log(
    `${room}: ${noticed.size} of ${mutants.length} noticed after ${Math.round((Date.now() - started) / 1000)} s`,
  );
}

const entries: readonly Entry[] = readJournal(work, shards);
const judged: readonly Judged[] = judge(mutants, entries, readKnown(), compiles);
for (const line of said) console.log(`stopped: ${line}`);
for (const { by } of entries.filter(({ verdict }) => verdict === 'file fails'))
  console.log(`not used, it fails as it is: ${by ?? ''}`);
console.log(survivorLines(judged).join('\n'));
console.log(roomTable(judged).join('\n'));
if (values.page === true)
  writeFileSync(
    'docs/mutation-run.md',
    mutationPage(judged, git('rev-parse', '--short', 'HEAD').trim(), Date.now() - started),
  );
rmSync(work, { recursive: true });
const unlisted = judged.filter(({ verdict }) => verdict === 'survived');
process.exitCode = unlisted.length > 0 ? 1 : 0;
