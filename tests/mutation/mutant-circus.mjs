// Loads a test file once, runs it once to see which test meets which mutant, and then once for each mutant that is called:
// only the tests that met it, until one fails. With a mutant that was switched on before, it is a single run.
import { createRequire } from 'node:module';
import { countCalls, firstOf, isMutant, note, noteHang, state } from './state.mjs';

const require = createRequire(import.meta.url);
const circus = createRequire(require.resolve('jest-runner')).resolve('jest-circus/runner');
const INIT = circus.replace(/runner\.js$/, 'jestAdapterInit.js');
/** A mutant may be this many times slower than the plain run, and this much. */
const [SLOWER, LONGEST_MS] = [5, 10_000];
/** A test that fails, and took so many times its plain run, and so much, may have met a time limit of its own: it is tried again. */
export const [DOUBTED, DOUBTED_MS] = [3, 500];

function testsOf(block) {
  return block.children.flatMap((child) => (child.type === 'test' ? [child] : testsOf(child)));
}

export default async function mutantCircus(globalConfig, config, environment, runtime, testPath) {
  const { initialize, runAndTransformResultsToJestFormat } = runtime.requireInternalModule(INIT);
  const run = { circus: undefined, met: new Map(), current: undefined, failed: false, chosen: undefined };
  environment.global.isMutant = isMutant;
  environment.global.firstOf = firstOf;
  environment.handleTestEvent = async (event, circusState) => {
    run.circus = circusState;
    if (event.name === 'test_start') {
      run.met.set(undefined, new Set([...(run.met.get(undefined) ?? []), ...state.met]));
      state.met = new Set();
      if (run.failed) event.test.mode = 'skip';
    }
    if (event.name === 'test_done') {
      run.met.set(event.test, new Set(state.met));
      state.met = new Set();
      if (event.test.errors.length > 0) run.failed = true;
    }
    if (event.name === 'error') run.failed = true;
  };
  const failed = () => (run.failed = true);
  process.on('unhandledRejection', failed);
  process.on('uncaughtException', failed);
  try {
    await initialize({
      config,
      environment,
      globalConfig,
      localRequire: runtime.requireModule.bind(runtime),
      parentProcess: process,
      runtime,
      setGlobalsForRuntime: runtime.setGlobalsForRuntime.bind(runtime),
      testPath,
    });
    state.met = new Set();
    await runtime.unstable_importModule(testPath);
    const onLoad = state.met;
    state.met = new Set();
    const once = async () => {
      run.failed = false;
      await runAndTransformResultsToJestFormat({ config, globalConfig, setupAfterEnvPerfStats: {}, testPath });
      return run.failed || run.circus.unhandledErrors.length > 0;
    };
    const started = Date.now();
    const hasFailed = (await once()) || state.isCircling;
    const { calls } = state;
    state.report = {
      onLoad,
      inHooks: run.met.get(undefined) ?? new Set(),
      hasFailed,
      calls,
      tookMs: Date.now() - started,
    };
    for (const id of state.met) state.report.inHooks.add(id);
    state.report.all = new Set([...onLoad, ...[...run.met.values()].flatMap((met) => [...met])]);
    if (state.active === undefined && !hasFailed) await tryAll(run, once, state.report);
  } finally {
    process.off('unhandledRejection', failed);
    process.off('uncaughtException', failed);
    state.active = undefined;
  }
  return { ...EMPTY, testFilePath: testPath };
}

async function tryAll(run, once, { onLoad, inHooks, calls, tookMs }) {
  const tests = testsOf(run.circus.rootDescribeBlock);
  const modes = new Map(tests.map((test) => [test, test.mode]));
  const metBy = new Map(tests.map((test) => [test, run.met.get(test) ?? new Set()]));
  /** Every test that meets a mutant, all where a hook does. */
  const choose = (id) => tests.filter((test) => inHooks.has(id) || metBy.get(test).has(id));
  const durations = new Map(tests.map((test) => [test, test.duration ?? 0]));
  const isSlow = (chosen, ms) => ms > DOUBTED * chosen.reduce((sum, test) => sum + durations.get(test), 0) + DOUBTED_MS;
  const again = async (chosen, id) => {
    for (const test of tests) {
      test.mode = chosen.includes(test) ? modes.get(test) : 'skip';
      test.errors = [];
      test.status = null;
      test.retryReasons = [];
    }
    run.circus.unhandledErrors = [];
    state.active = id;
    state.isPointless = false;
    const timer = setTimeout(
      () => {
        noteHang(id);
        process.exit(75);
      },
      tookMs * SLOWER + LONGEST_MS,
    );
    countCalls(calls);
    const failed = await once();
    clearTimeout(timer);
    state.active = undefined;
    return failed || state.isCircling;
  };
  let since = [];
  for (const { id, when } of state.mutants) {
    if (when === 'load' || onLoad.has(id) || state.isNoticed(id)) continue;
    const chosen = choose(id);
    if (chosen.length === 0) continue;
    note({ id, verdict: 'trying', by: state.file });
    const began = Date.now();
    const failed = await again(chosen, id);
    const noticed =
      failed && isSlow(chosen, Date.now() - began) && !state.isCircling ? await again(chosen, id) : failed;
    if (noticed) since.push(id);
    else note({ id, verdict: state.isPointless ? 'pointless' : 'survived', by: state.file });
    // What a mutant left behind must not pass for a test that noticed the next one.
    if (since.length >= 25) since = await confirm(since, again, tests);
  }
  await confirm(since, again, tests);
}

/** Verdicts hold only when the plain tests still pass afterwards; else each is tried alone, in a world of its own. */
async function confirm(ids, again, tests) {
  if (ids.length === 0) return [];
  const spoilt = await again(tests, -1);
  for (const id of ids)
    if (spoilt) state.report.alone = [...(state.report.alone ?? []), id];
    else note({ id, verdict: 'noticed', by: state.file });
  return [];
}

const EMPTY = {
  leaks: false,
  numFailingTests: 0,
  numPassingTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  openHandles: [],
  perfStats: {
    end: 0,
    loadTestEnvironmentEnd: 0,
    loadTestEnvironmentStart: 0,
    runtime: 0,
    setupAfterEnvEnd: 0,
    setupAfterEnvStart: 0,
    setupFilesEnd: 0,
    setupFilesStart: 0,
    slow: false,
    start: 0,
  },
  skipped: false,
  snapshot: { added: 0, fileDeleted: false, matched: 0, unchecked: 0, uncheckedKeys: [], unmatched: 0, updated: 0 },
  testResults: [],
};
