// Test file after test file: all mutants that are called, in one world; then those that run while a module is loaded, each
// in a new one. Keeps a journal, from which a next process goes on where this one ended or hung.
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import TestRunner from 'jest-runner';
import { DOUBTED, DOUBTED_MS } from './mutant-circus.mjs';
import { countCalls, note, state, watchReads } from './state.mjs';

const work = process.env.MUTATION_WORK;
const shard = process.env.MUTATION_SHARD;
/** Modules of a test file that has ended are never freed (nodejs/node#33439): a new process goes on. */
const MOST_HEAP = 1.5 * 1024 ** 3;

function journal() {
  return readdirSync(work)
    .filter((name) => name.startsWith('journal-'))
    .flatMap((name) =>
      readFileSync(join(work, name), 'utf8')
        .split('\n')
        .filter((line) => line.endsWith('}')),
    )
    .map((line) => JSON.parse(line));
}

/** Whether this process, or one before it that ended, is the first to take a test file. */
function isOurs(path, room) {
  const claims = join(work, 'claims', room);
  const claim = join(claims, encodeURIComponent(relative(process.cwd(), path)));
  mkdirSync(claims, { recursive: true });
  try {
    writeFileSync(claim, shard, { flag: 'wx' });
    return true;
  } catch {
    return readFileSync(claim, 'utf8') === shard;
  }
}

/**
 * The tests of the files that have mutants first, by their names; then those of their rooms; of each the small ones: what they
 * notice, the long ones need not try.
 */
function inOrder(tests) {
  // Templates are rendered by roles.
  const roomOf = (file) => (file.endsWith('.j2') ? 'roles' : (dirname(file).split('/')[1] ?? 'playbook'));
  const [isNear, ...beside] = process.env.MUTATION_NEAR.split(' ');
  const rooms = new Set([...state.mutants.map(({ file }) => roomOf(file)), ...beside]);
  // Of the contract tests, which have no rooms, those that import one of them.
  const imports = (path) => [...rooms].some((room) => readFileSync(path, 'utf8').includes(`/src/${room}/`));
  const isOwn = (path) => {
    const [, kind, name] = relative(process.cwd(), path).split('/');
    return rooms.has(name) || (kind === 'contract' && imports(path));
  };
  const names = new Set(state.mutants.map(({ file }) => `${basename(file, '.ts')}.test.ts`));
  const rank = ({ path }) => (names.has(basename(path)) ? 0 : isOwn(path) ? 1e9 : 2e9) + statSync(path).size;
  const taken = isNear === 'yes' ? tests.filter(({ path }) => isOwn(path)) : tests;
  return [...taken].sort((a, b) => rank(a) - rank(b));
}

/** What all processes have noticed; read again from time to time. */
function watchNoticed(tried) {
  let noticed = new Set();
  let readAt = 0;
  return (id) => {
    if (Date.now() - readAt > 2_000) {
      noticed = new Set(
        journal()
          .filter(({ verdict }) => verdict === 'noticed')
          .map((entry) => entry.id),
      );
      readAt = Date.now();
    }
    return noticed.has(id) || tried.has(id);
  };
}

/** Groups in which no mutant lies within another, which would hide it. */
function apart(mutants) {
  const groups = [];
  for (const mutant of mutants) {
    const isFree = (group) =>
      group.every(({ file, start, end }) => file !== mutant.file || end <= mutant.start || mutant.end <= start);
    const group = groups.find(isFree);
    if (group === undefined) groups.push([mutant]);
    else group.push(mutant);
  }
  return groups.map((group) => group.map(({ id }) => id));
}

export default class MutantRunner extends TestRunner {
  async runTests(tests, watcher) {
    watchReads();
    const room = tests[0]?.context.config.displayName?.name;
    for (const test of inOrder(tests)) if (isOurs(test.path, room)) await this.tryFile(test, watcher);
    if (existsSync(work)) note({ verdict: 'room done', room });
  }

  async tryFile(test, watcher) {
    const file = relative(process.cwd(), test.path);
    const entries = journal();
    if (entries.some(({ verdict, by }) => verdict === 'file done' && by === file)) return;
    const ended = ['survived', 'pointless'];
    const tried = new Set(
      entries.filter(({ by, verdict }) => by === file && ended.includes(verdict)).map(({ id }) => id),
    );
    state.isNoticed = watchNoticed(tried);
    state.file = file;
    await this.once(test, watcher);
    const report = state.report;
    if (report === undefined || report.hasFailed) {
      // What a mutant left running in this process may have failed it: only a new one can tell.
      if (!entries.some(({ verdict, by }) => verdict === 'fails here' && by === file)) {
        note({ verdict: 'fails here', by: file });
        process.exit(76);
      }
      note({ verdict: 'file fails', by: file });
    } else {
      note({ verdict: 'loads', by: file, tookMs: report.tookMs });
      this.plainCalls = report.calls;
      this.plainMs = report.tookMs;
      for (const id of report.alone ?? []) await this.tryAlone(test, watcher, id);
      const onLoad = state.mutants.filter(
        ({ id, when }) => !state.isNoticed(id) && (report.onLoad.has(id) || (when === 'load' && report.all.has(id))),
      );
      for (const { id } of onLoad.filter(({ when }) => when === 'data')) await this.tryAlone(test, watcher, id);
      for (const group of apart(onLoad.filter(({ when }) => when !== 'data')))
        await this.tryTogether(test, watcher, group);
    }
    note({ verdict: 'file done', by: file });
    if (process.memoryUsage().rss > MOST_HEAP) process.exit(76);
  }

  /** Most test files only load a module: where nothing fails with all of its mutants at once, none is noticed there. */
  async tryTogether(test, watcher, ids) {
    if (ids.length === 1) return this.tryAlone(test, watcher, ids[0]);
    note({ verdict: 'trying together', by: state.file });
    state.group = new Set(ids);
    await this.once(test, watcher, -1);
    state.group = new Set();
    if (state.report !== undefined && !state.report.hasFailed) {
      for (const id of ids) note({ id, verdict: 'survived', by: state.file });
      return undefined;
    }
    const half = Math.ceil(ids.length / 2);
    await this.tryTogether(test, watcher, ids.slice(0, half));
    return this.tryTogether(test, watcher, ids.slice(half));
  }

  async tryAlone(test, watcher, id) {
    note({ id, verdict: 'trying', by: state.file });
    state.isPointless = false;
    await this.once(test, watcher, id);
    // A time limit of the test's own, met by a busy machine, is no reason.
    if (state.report?.hasFailed && state.report.tookMs > DOUBTED * this.plainMs + DOUBTED_MS)
      await this.once(test, watcher, id);
    const isNoticed = state.report === undefined || state.report.hasFailed;
    const survived = state.isPointless ? 'pointless' : 'survived';
    note({ id, verdict: isNoticed ? 'noticed' : survived, by: state.file });
  }

  /** One run of a test file; `state.report` stays undefined where it can't be loaded. */
  async once(test, watcher, id) {
    state.report = undefined;
    state.active = id;
    countCalls(id === undefined ? undefined : this.plainCalls);
    await super.runTests([test], watcher, { serial: true });
    state.active = undefined;
  }

  on() {
    return () => undefined;
  }
}
