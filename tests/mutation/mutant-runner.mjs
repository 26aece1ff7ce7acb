// Test file after test file: all mutants that are called, in one world; then those that run while a module is loaded, each
// in a new one. Keeps a journal, from which a next process goes on where this one ended or hung.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import TestRunner from 'jest-runner';
import { note, state, watchReads } from './state.mjs';

const work = process.env.MUTATION_WORK;
const [shard, shards] = process.env.MUTATION_SHARD.split('-of-').map(Number);
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
    const files = tests.filter((_, index) => index % shards === shard);
    for (const test of files) await this.tryFile(test, watcher);
    if (existsSync(work)) note({ verdict: 'room done', room: tests[0]?.context.config.displayName?.name });
  }

  async tryFile(test, watcher) {
    const file = relative(process.cwd(), test.path);
    const entries = journal();
    if (entries.some(({ verdict, by }) => verdict === 'file done' && by === file)) return;
    const ended = ['survived', 'pointless'];
    const tried = new Set(
      entries.filter(({ by, verdict }) => by === file && ended.includes(verdict)).map(({ id }) => id),
    );
    const noticed = new Set(entries.filter(({ verdict }) => verdict === 'noticed').map(({ id }) => id));
    state.isNoticed = (id) => noticed.has(id) || tried.has(id);
    state.file = file;
    await this.once(test, watcher);
    const report = state.report;
    if (report === undefined || report.hasFailed) {
      note({ verdict: 'file fails', by: file });
    } else {
      note({ verdict: 'loads', by: file, tookMs: report.tookMs });
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
    const isNoticed = state.report === undefined || state.report.hasFailed;
    const survived = state.isPointless ? 'pointless' : 'survived';
    note({ id, verdict: isNoticed ? 'noticed' : survived, by: state.file });
  }

  /** One run of a test file; `state.report` stays undefined where it can't be loaded. */
  async once(test, watcher, id) {
    state.report = undefined;
    state.active = id;
    await super.runTests([test], watcher, { serial: true });
    state.active = undefined;
  }

  on() {
    return () => undefined;
  }
}
