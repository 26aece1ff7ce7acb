// Jest's own runner, but with a number of workers for each room: labs wait more than they work, so more of them run at once
// than there are processors, and files that measure time run alone. The rooms run one after the other.
// `--runInBand` holds for all of them. Files that take longest begin first, so that none of them is left alone at the end.
// Of a room with parts one part is run, unless files are named.
import TestRunner from 'jest-runner';

/** A number of the order in which files begin. */
const rankOf = (first, path) => {
  const place = first.findIndex((end) => path.endsWith(end));
  return place < 0 ? first.length : place;
};

/**
 * One part of the files, and those that are in every part. The parts take about the same time: files in the order of theirs
 * are dealt out like cards.
 * @param paths in the order in which they begin
 */
export function dealOut(paths, { always, parts, part }) {
  const isAlways = (path) => always.some((end) => path.endsWith(end));
  const dealt = paths.filter((path) => !isAlways(path)).filter((_, index) => index % parts === part);
  return paths.filter((path) => isAlways(path) || dealt.includes(path));
}

export default class RoomRunner extends TestRunner {
  #options;

  /**
   * @param options `workers`: files at once; `first`: ends of paths of the files that begin, in this order; `parts`, `part`: which
   * of how many parts of the files, from 0; `always`: ends of paths of the files that are in every part
   */
  constructor(globalConfig, context, options) {
    super(globalConfig.runInBand ? globalConfig : { ...globalConfig, maxWorkers: options.workers }, context);
    this.#options = { first: [], always: [], parts: 1, part: 0, ...options };
  }

  async runTests(tests, watcher) {
    const { first } = this.#options;
    const inOrder = tests.toSorted(
      (a, b) => rankOf(first, a.path) - rankOf(first, b.path) || a.path.localeCompare(b.path),
    );
    const isNamed = this._globalConfig.testPathPatterns.patterns.length > 0;
    const chosen = isNamed
      ? inOrder
      : inOrder.filter(({ path }) =>
          dealOut(
            inOrder.map((test) => test.path),
            this.#options,
          ).includes(path),
        );
    const left = inOrder.length - chosen.length;
    if (left > 0) console.info(`${chosen.length} files of this commit's part; ${left} are in the parts of others`);
    const serial = this._globalConfig.runInBand || this._globalConfig.maxWorkers === 1 || chosen.length === 1;
    return super.runTests(chosen, watcher, { serial });
  }
}
