// Test file after test file: all mutants that are called, in one world; then those that run while a module is loaded, each
// in a new one. Keeps a journal, from which a next process goes on where this one ended or hung.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import TestRunner from 'jest-runner';
import { note, state, watchReads } from './state.mjs';

const work = process.env.MUTATION_WORK;
const [shard, shards] = process.env.MUTATION_SHARD.split('-of-').map(Number);
/** Modules of a test file that has ended are never freed (nodejs/node#33439): a new process goes on. */
const MOST_HEAP = 2.5 * 1024 ** 3;

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
      const alone = new Set(report.alone ?? []);
      for (const { id, when } of state.mutants)
        if (
          alone.has(id) ||
          (!state.isNoticed(id) && (report.onLoad.has(id) || (when === 'load' && report.all.has(id))))
        )
          await this.tryAlone(test, watcher, id);
    }
    note({ verdict: 'file done', by: file });
    if (process.memoryUsage().rss > MOST_HEAP) process.exit(76);
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
