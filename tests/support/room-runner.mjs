// Jest's own runner, once for each number of files at a time. Lab files wait more than they work, so more of them run at once
// than there are processors, and unit and contract tests run beside them. Files that measure how long a client waits come
// last, and alone. `--runInBand` holds for all. Files that take longest begin first, so that none of them is left alone at the
// end. Of the lab files a part is run, unless files are named.
import TestRunner from 'jest-runner';

const LAB_FILE = /\/tests\/e2e\/([^/]+)\.test\.ts$/;

/** The name of a lab file, or nothing for other tests. */
const labFile = ({ path }) => LAB_FILE.exec(path)?.[1];

/**
 * One part of the files, and those that are in every part. The parts take about the same time: files in the order of theirs
 * are dealt out like cards.
 * @param names in the order in which they begin
 */
export function dealOut(names, { always, parts, part }) {
  const dealt = names.filter((name) => !always.includes(name)).filter((_, index) => index % parts === part);
  return names.filter((name) => always.includes(name) || dealt.includes(name));
}

export default class RoomRunner extends TestRunner {
  #options;
  #listeners = [];

  /**
   * @param options `labs`, `others`: files at once; and names of lab files: `alone`, those that nothing runs beside; `first`,
   * those that begin, in this order; `parts`, `part`: which of how many parts of the lab files, from 0; `always`, those of every part
   */
  constructor(globalConfig, context, options) {
    super(globalConfig, context);
    this.#options = options;
  }

  /** What the runners below tell is told by this one. */
  on(event, listener) {
    this.#listeners.push([event, listener]);
    return () => undefined;
  }

  async runTests(tests, watcher) {
    const { labs, others } = this.#options;
    const chosen = this.#labFiles(tests.filter(labFile));
    const isAlone = (test) => this.#options.alone.includes(labFile(test));
    const beside = [
      [chosen.filter((test) => !isAlone(test)), labs],
      [tests.filter((test) => !labFile(test)), others],
    ];
    const inTurn = this._globalConfig.runInBand ? beside.map((some) => [some]) : [beside];
    for (const together of [...inTurn, [[chosen.filter(isAlone), 1]]])
      await Promise.all(together.map(async ([files, atOnce]) => this.#run(files, atOnce, watcher)));
  }

  /** Of these lab files those of this run, in the order in which they begin. */
  #labFiles(tests) {
    const { first, alone } = this.#options;
    const rank = (name) => (first.includes(name) ? first.indexOf(name) : first.length);
    const inOrder = tests.toSorted((a, b) => rank(labFile(a)) - rank(labFile(b)) || a.path.localeCompare(b.path));
    if (this._globalConfig.testPathPatterns.patterns.length > 0) return inOrder;
    // Each kind by itself: else one part could have all that run alone.
    const names = inOrder.map(labFile);
    const dealt = [
      ...dealOut(
        names.filter((name) => !alone.includes(name)),
        this.#options,
      ),
      ...dealOut(
        names.filter((name) => alone.includes(name)),
        this.#options,
      ),
    ];
    const left = names.length - dealt.length;
    if (left > 0) console.info(`${dealt.length} lab files of this commit's part; ${left} are in the parts of others`);
    return inOrder.filter((test) => dealt.includes(labFile(test)));
  }

  async #run(tests, atOnce, watcher) {
    if (tests.length === 0) return;
    const runner = new TestRunner({ ...this._globalConfig, maxWorkers: atOnce }, this._context);
    for (const [event, listener] of this.#listeners) runner.on(event, listener);
    const serial = this._globalConfig.runInBand || atOnce === 1 || tests.length === 1;
    await runner.runTests(tests, watcher, { serial });
  }
}
