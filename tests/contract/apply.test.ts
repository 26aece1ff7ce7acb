import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { runApply, type ApplyOptions } from '../../src/commands/apply.js';
import type { Context } from '../../src/commands/context.js';
import { runPlan, type PlanOptions } from '../../src/commands/plan.js';
import { EXIT, ProvisionError } from '../../src/model/errors.js';
import { processMark } from '../../src/model/process-mark.js';
import { eventSchema, type EventJson } from '../../src/report/event-schema.js';
import { textOutput } from '../../src/report/text-output.js';
import { terminalQuestions } from '../../src/wizard/terminal-questions.js';
import { forgetRuns, startRealHosts, type RealHosts } from '../support/real-run.js';

// The verbs in this process, on a real host behind a real sshd; only the person is not real.

let hosts: RealHosts;
let work: string;
let planned: string;

beforeAll(async () => {
  hosts = await startRealHosts('one');
  work = join(hosts.lab.directory, 'work');
  planned = join(hosts.lab.directory, 'saved-plan.json');
});
afterAll(() => hosts.remove());

beforeEach(() => {
  mkdirSync(work);
  wants('new');
});
afterEach(() => {
  rmSync(work, { recursive: true });
  rmSync(planned, { force: true });
  forgetRuns(hosts);
});

function wants(...contents: readonly string[]): void {
  hosts.write(
    contents.map((content, index) => `copy: { dest: ${work}/${index}.conf, content: ${content}, mode: "0600" }`),
  );
}

const written = (): readonly string[] =>
  readdirSync(work)
    .toSorted()
    .map((name) => readFileSync(join(work, name), 'utf8'));

interface Outcome {
  readonly code: number | undefined;
  readonly asked: readonly string[];
  readonly events: readonly EventJson[];
}

type Answer = boolean | 'no terminal' | (() => boolean);

/** Runs a verb. @param answer what the person says when asked to confirm */
async function run(
  verb: (context: Context, options: ApplyOptions & PlanOptions) => Promise<void>,
  answer: Answer = 'no terminal',
  more: Partial<ApplyOptions & PlanOptions> = {},
): Promise<Outcome> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const asked: string[] = [];
  let code: number | undefined;
  let text = '';
  stdout.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
  stderr.resume();
  const nobody = terminalQuestions({ input: new PassThrough(), output: stderr });
  const context: Context = {
    stdin: new PassThrough() as never,
    stdout: textOutput(stdout as never),
    stderr: textOutput(stderr as never),
    streams: { stdout: stdout as never, stderr: stderr as never },
    argv: [],
    env: { HOME: hosts.lab.home, PATH: process.env['PATH'] },
    ask: {
      ...nobody,
      confirm(question) {
        asked.push(question);
        if (answer === 'no terminal') return nobody.confirm(question);
        return Promise.resolve(typeof answer === 'function' ? answer() : answer);
      },
    },
    exit(status) {
      code = status;
    },
  };
  await verb(context, { playbook: hosts.playbook, format: 'json', forks: 5, becomeUser: 'root', ...more });
  const lines = text.split('\n').filter((line) => line !== '');
  return { code, asked, events: lines.map((line) => eventSchema.parse(JSON.parse(line))) };
}

const apply = (answer: Answer, more: Partial<ApplyOptions> = {}): Promise<Outcome> =>
  run((context, options) => runApply(hosts.inventory, options, context), answer, more);
const plan = (more: Partial<PlanOptions> = {}): Promise<Outcome> =>
  run((context, options) => runPlan(hosts.inventory, options, context), 'no terminal', more);

const types = ({ events }: Outcome): readonly string[] => events.map(({ type }) => type);
const LOOKED = ['run-started', 'host-looking', 'host-looked', 'planned'];

/** Why the run failed. */
function reason({ events }: Outcome): string {
  const last = events.at(-1);
  return last?.type === 'run-failed'
    ? last.failures.map(({ message }) => message).join('\n')
    : `ended with ${last?.type}`;
}

async function locks(): Promise<string> {
  return (await hosts.onHosts('ls -A /run/provision 2>/dev/null || :')).stdout.trim();
}

describe('apply asks', () => {
  test('what it asks, once, after the plan is shown; "yes" performs it', async () => {
    wants('new', 'other');
    const outcome = await apply(true);
    expect([outcome.code, outcome.asked]).toEqual([0, ['Perform 2 changes?']]);
    expect(written()).toEqual(['new', 'other']);
    expect(outcome.events.at(-1)).toMatchObject({ type: 'run-finished', result: { changed: 2, failed: 0 } });
  });

  test('before anything is touched: no file, no lock, no change begun', async () => {
    const seen: unknown[] = [];
    const outcome = await apply(() => {
      seen.push(written());
      return false;
    });
    expect(seen).toEqual([[]]);
    expect(types(outcome)).toEqual([...LOOKED, 'run-failed']);
  });

  test('"no" changes nothing, and is a failure', async () => {
    const outcome = await apply(false);
    expect([outcome.code, outcome.asked, written(), await locks()]).toEqual([1, ['Perform 1 change?'], [], '']);
    expect(reason(outcome)).toBe('declined: nothing was changed');
  });

  test('where nobody can be asked, nothing is changed, and it says what to give', async () => {
    const outcome = await apply('no terminal');
    expect([outcome.code, outcome.asked, written()]).toEqual([1, ['Perform 1 change?'], []]);
    expect(outcome.events.at(-1)).toMatchObject({
      type: 'run-failed',
      hint: 'give --yes; to `apply`, a saved plan is consent, too: --plan FILE',
    });
  });

  test('nothing with --yes', async () => {
    const outcome = await apply('no terminal', { yes: true });
    expect([outcome.code, outcome.asked, written()]).toEqual([0, [], ['new']]);
  });

  test('nothing where there is nothing to do, with every exit code', async () => {
    await apply('no terminal', { yes: true });
    for (const more of [{}, { yes: true }, { detailedExitcode: true }]) {
      const outcome = await apply('no terminal', more);
      expect([outcome.code, outcome.asked]).toEqual([0, []]);
      expect(types(outcome)).toEqual([...LOOKED, 'run-finished']);
    }
  });

  test.each([
    [{ yes: true }, 0],
    [{ yes: true, detailedExitcode: true }, 2],
  ])('and %j ends with %s', async (more, code) => {
    expect((await apply('no terminal', more)).code).toBe(code);
  });
});

describe('a saved plan', () => {
  test('is for its owner’s eyes, changes nothing, and is then applied without a question', async () => {
    expect((await plan({ out: planned })).code).toBe(0);
    expect([statSync(planned).mode & 0o777, written()]).toEqual([0o600, []]);
    const outcome = await apply('no terminal', { plan: planned });
    expect([outcome.code, outcome.asked, written()]).toEqual([0, [], ['new']]);
  });

  async function refused(options: Partial<ApplyOptions> = {}, code: number = EXIT.stale): Promise<string> {
    const before = written();
    const outcome = await apply('no terminal', { plan: planned, ...options });
    expect([outcome.code, outcome.asked, written()]).toEqual([code, [], before]);
    return reason(outcome);
  }

  test('is refused where the host is otherwise now', async () => {
    await plan({ out: planned });
    writeFileSync(join(work, '0.conf'), 'of another tool');
    expect(await refused()).toMatch(/work \/ one file:.*0\.conf: saved: create .*; now: update/);
  });

  test('is refused where the playbook wants other contents, under the same summary', async () => {
    await plan({ out: planned });
    wants('newer');
    expect(await refused()).toMatch(/work \/ one file:.*0\.conf: saved: create .*; now: create/);
  });

  test('is refused where there is a step more, a step less, or none', async () => {
    await plan({ out: planned });
    wants('new', 'more');
    expect(await refused()).toMatch(/1\.conf: saved: nothing to do; now: create/);
    await plan({ out: planned });
    wants('new');
    expect(await refused()).toMatch(/1\.conf: saved: create .*; now: nothing to do/);
    await apply('no terminal', { yes: true });
    expect(await refused()).toMatch(/0\.conf: saved: create .*; now: nothing to do/);
  });

  test('is refused where the inventory is another one, or --limit', async () => {
    await plan({ out: planned });
    const inventory = readFileSync(hosts.inventory, 'utf8');
    expect(await refused({ limit: 'one' })).toMatch(/--limit: saved: none; now: one/);
    writeFileSync(hosts.inventory, inventory.replace('  vars:\n', '  vars:\n    of_mine: 1\n'));
    expect(await refused()).toMatch(/the inventory: saved: [0-9a-f]{12}; now: [0-9a-f]{12}/);
    writeFileSync(hosts.inventory, inventory);
    expect((await apply('no terminal', { plan: planned })).code).toBe(0);
  });

  test('is refused where it can’t be read, and where it is of another version', async () => {
    expect(await refused({}, EXIT.failed)).toMatch(/is not a saved plan: .*ENOENT/);
    writeFileSync(planned, '{');
    expect(await refused({}, EXIT.failed)).toMatch(/is not a saved plan/);
    await plan({ out: planned });
    writeFileSync(planned, readFileSync(planned, 'utf8').replace(/"formatVersion": \d+/, '"formatVersion": 1'));
    expect(await refused()).toMatch(/is a saved plan of format 1; this version of provision reads format \d/);
  });
});

describe('a run', () => {
  test('that plans keeps no journal; one that applies does, also when it is declined', async () => {
    await plan();
    expect(existsSync(join(hosts.directory, '.provision'))).toBe(false);
    const declined = await apply(false);
    expect(hosts.journal().map(({ type }) => type)).toEqual(types(declined));
    // By it, `history` tells a run that goes on from one that was killed.
    expect(hosts.journal()[0]).toMatchObject({ type: 'run-started', process: processMark(process.pid) });
  });

  test.each([
    [{}, 0],
    [{ detailedExitcode: true }, 2],
  ])('that plans with %j ends with %s, and with 0 where nothing is to do', async (more, code) => {
    expect((await plan(more)).code).toBe(code);
    await apply('no terminal', { yes: true });
    expect((await plan(more)).code).toBe(0);
  });

  test('that fails ends with 1, and takes the lock away', async () => {
    hosts.write([`copy: { dest: ${work}/0.conf, content: new, validate: "false %s" }`]);
    const outcome = await apply('no terminal', { yes: true });
    expect([outcome.code, outcome.events.at(-1)?.type, written(), await locks()]).toEqual([1, 'run-failed', [], '']);
  });

  test('takes its signals back when it ends', async () => {
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
    const before = signals.map((signal) => process.listenerCount(signal));
    await apply(false);
    expect(signals.map((signal) => process.listenerCount(signal))).toEqual(before);
  });

  test('whose fault is ours is thrown, not only told', async () => {
    const broken = (): boolean => {
      throw new TypeError('a bug');
    };
    await expect(apply(broken)).rejects.toBeInstanceOf(TypeError);
    await expect(apply(broken)).rejects.not.toBeInstanceOf(ProvisionError);
  });
});
