// npm run tried -- [WORDS]…: plants each wrong line of tried.yaml, in whose invariant or slip one of these is, in a copy of the
// repository, and runs the test file that is to notice it. Ends with 3 where one is not noticed.
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { compiles } from './compiles.js';
import { plant } from './mutant.js';
import { readTried, slipOf, type Tried } from './tried-lines.js';

const SURVIVED = 3;
const words = process.argv.slice(2).map((each) => each.toLowerCase());
const wanted = readTried().filter(({ invariant, says }) => {
  const text = `${invariant}: ${says}`.toLowerCase();
  return words.length === 0 || words.some((each) => text.includes(each));
});

/** The files that git has, and those that it is to have. */
function copyOfRepository(): string {
  const copy = mkdtempSync(join(tmpdir(), 'tried-'));
  for (const file of execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { encoding: 'utf8' }).split('\n')) {
    if (file === '' || !existsSync(file)) continue;
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(file, join(copy, file), { verbatimSymlinks: true });
  }
  symlinkSync(resolve('node_modules'), join(copy, 'node_modules'));
  return copy;
}

/** The tests of some files that fail, by their names; undefined where none of them could be run. */
async function failuresIn(copy: string, tests: readonly string[]): Promise<readonly string[] | undefined> {
  const result = join(copy, 'result.json');
  rmSync(result, { force: true });
  const options = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];
  const jest = ['--json', '--outputFile', result, '--maxWorkers', '1'];
  const files = tests.map((test) => `tests/${test}`);
  const child = spawn(process.execPath, [...options, ...jest, '--runTestsByPath', ...files], {
    cwd: copy,
    stdio: 'ignore',
  });
  await new Promise((done) => child.once('close', done));
  if (!existsSync(result)) return undefined;
  const { numTotalTests, testResults } = JSON.parse(readFileSync(result, 'utf8')) as JestResult;
  const all = testResults.flatMap(({ assertionResults }) => assertionResults);
  return numTotalTests === 0
    ? undefined
    : all.flatMap(({ status, fullName }) => (status === 'failed' ? [fullName] : []));
}

/** What jest writes, as far as it is read here. */
interface JestResult {
  readonly numTotalTests: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** What came of a wrong line. A test that fails without it, too, was failed by a busy machine, and has noticed nothing. */
async function tryLine(tried: Tried, copy: string): Promise<string> {
  const [text, path] = [readFileSync(tried.file, 'utf8'), join(copy, tried.file)];
  const slip = slipOf(tried, text);
  if (!compiles({ ...slip, id: 1, file: tried.file, line: 1 })) return 'THE COMPILER REFUSES IT';
  writeFileSync(path, plant(text, slip));
  const failed = await failuresIn(copy, [tried.test]);
  writeFileSync(path, text);
  if (failed === undefined) return 'NO TEST COULD BE RUN';
  const [first, ...more] = failed;
  if (first === undefined) return 'NOT NOTICED';
  const without = await failuresIn(copy, [tried.test]);
  if (without?.length !== 0) return 'THE TESTS FAIL WITHOUT IT, TOO';
  return `noticed by "${first}"${more.length === 0 ? '' : ` and ${more.length} more`}`;
}

const started = Date.now();
const queue = [...wanted];
let missed = 0;
/** Each process has a copy of its own, and takes what is next. */
async function work(): Promise<void> {
  const copy = copyOfRepository();
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const came = await tryLine(next, copy);
    if (!came.startsWith('noticed')) missed += 1;
    console.log(`${came}: ${next.invariant}: ${next.says} (${next.test})`);
  }
  rmSync(copy, { recursive: true });
}

await Promise.all(Array.from({ length: availableParallelism() }, work));
const seconds = Math.round((Date.now() - started) / 1000);
console.log(`${wanted.length - missed} of ${wanted.length} wrong lines noticed, in ${seconds} s`);
process.exitCode = missed > 0 ? SURVIVED : 0;
