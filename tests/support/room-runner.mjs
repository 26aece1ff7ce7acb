// Jest's own runner, but with a number of workers for each room: labs wait more than they work, so more of them run at once
// than there are processors, and files that measure time run alone. The rooms run one after the other.
// `--runInBand` holds for all of them. Files that take longest begin first, so that none of them is left alone at the end.
import TestRunner from 'jest-runner';

export default class RoomRunner extends TestRunner {
  #first;

  /** @param options `workers`: files at once; `first`: ends of paths of the files that begin, in this order */
  constructor(globalConfig, context, { workers, first = [] }) {
    super(globalConfig.runInBand ? globalConfig : { ...globalConfig, maxWorkers: workers }, context);
    this.#first = first;
  }

  async runTests(tests, watcher) {
    const serial = this._globalConfig.runInBand || this._globalConfig.maxWorkers === 1 || tests.length === 1;
    const rank = ({ path }) => {
      const place = this.#first.findIndex((end) => path.endsWith(end));
      return place < 0 ? this.#first.length : place;
    };
    return super.runTests(
      tests.toSorted((a, b) => rank(a) - rank(b)),
      watcher,
      { serial },
    );
  }
}
