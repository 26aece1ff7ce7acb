// Jest's own runner, but with a number of workers for each room: labs wait more than they work, so more of them run at once
// than there are processors, and files that measure time run alone. The rooms run one after the other.
// `--runInBand` holds for all of them.
import TestRunner from 'jest-runner';

export default class RoomRunner extends TestRunner {
  constructor(globalConfig, context, { workers }) {
    super(globalConfig.runInBand ? globalConfig : { ...globalConfig, maxWorkers: workers }, context);
  }

  async runTests(tests, watcher) {
    const serial = this._globalConfig.runInBand || this._globalConfig.maxWorkers === 1 || tests.length === 1;
    return super.runTests(tests, watcher, { serial });
  }
}
