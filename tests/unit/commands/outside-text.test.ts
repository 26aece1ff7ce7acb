import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Command } from 'commander';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { printableQuestions, type Context } from '../../../src/commands/context.js';
import { defineHistoryCommand } from '../../../src/commands/history.js';
import { RemoteError } from '../../../src/model/errors.js';
import type { Event } from '../../../src/model/events.js';
import { Secret } from '../../../src/model/secret.js';
import { renderNewVariables } from '../../../src/report/adopt-text.js';
import { createLiveReporter } from '../../../src/report/live.js';
import { createJournal, journalDirectory } from '../../../src/report/journal.js';
import { createNdjsonReporter } from '../../../src/report/ndjson.js';
import { createPlainReporter } from '../../../src/report/plain.js';
import { runFailed } from '../../../src/report/run-failed.js';
import { textOutput } from '../../../src/report/text-output.js';
import { renderCheckUp } from '../../../src/report/verify-text.js';
import { createFakeTerminal } from '../../support/terminal.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

/** Writes the clipboard, moves the cursor, reorders, and poses as lines of ours: in C0, in C1 and in plain text. */
const PLANTED = '\u001b]52;c;cm0gLXJmIC8=\u0007\u009d52;c;cm0=\u009c\u001b[2A\u202etxt\r\nDone: 1 changed';
/** What must not reach a terminal. */
const HARM = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/;

const PLACE = { play: 'etcd', host: 'etcd-1', address: 'file:/etc/x' };

const EVENTS: readonly Event[] = [
  { type: 'run-started', command: 'apply', inventory: 'inventory.yaml', hosts: ['etcd-1'] },
  { type: 'notice', host: 'etcd-1', message: PLANTED },
  { type: 'change-started', ...PLACE, summary: PLANTED },
  { type: 'change-failed', ...PLACE, summary: PLANTED, message: PLANTED },
  { type: 'gate-waiting', gate: 'etcd-healthy', hosts: ['etcd-1'], reason: PLANTED },
  runFailed(
    new RemoteError({ code: 'command-failed', host: 'etcd-1', message: PLANTED, output: PLANTED, hint: PLANTED }),
  ),
];

/** What a piece of the program writes through a stream of its own. */
async function written(work: (stream: PassThrough) => unknown): Promise<string> {
  const stream = new PassThrough();
  await work(stream);
  stream.end();
  return text(stream);
}

let directory: string;
beforeEach(() => {
  directory = temporaryDirectory('outside-text');
});

test('the control: the planted text is harmful as it is', () => {
  expect(PLANTED).toMatch(HARM);
});

describe('what a host said does no harm to a terminal', () => {
  test('in plain lines', async () => {
    const output = await written((stream) => {
      const reporter = createPlainReporter(
        (line) => stream.write(line),
        () => new Date(),
      );
      for (const event of EVENTS) reporter.sink(event);
      return reporter.close();
    });
    expect(output).not.toMatch(HARM);
    expect(output).toContain('\u241b]52');
  });

  /** What no drawing of ours has, and the planted text is made of. */
  const NOT_OURS = /\u001b\]|\u009d|\u009c|\u202e|\u0007|\r\nDone/;

  async function drawn(hosts: readonly string[], events: readonly Event[]): Promise<string> {
    const terminal = createFakeTerminal(80);
    const size = () => ({ columns: 80, rows: 24 });
    const reporter = createLiveReporter({ stdout: terminal.stdout, size, now: () => new Date(0), colour: true });
    reporter.sink({ type: 'run-started', command: 'apply', inventory: PLANTED, hosts });
    for (const event of events) reporter.sink(event);
    await reporter.close();
    return terminal.raw();
  }

  const ACTING: readonly Event[] = [
    { type: 'play-started', play: PLANTED, hosts: ['etcd-1'] },
    { type: 'batch-started', play: 'etcd', hosts: ['etcd-1'] },
    ...EVENTS.slice(1, -1),
    { type: 'rolled-back', ...PLACE, summary: PLANTED },
    EVENTS.at(-1) ?? runFailed(new Error(PLANTED)),
  ];

  test.each([1, 20])('in the live display of %i hosts', async (count) => {
    const hosts = Array.from({ length: count }, (_, index) => `etcd-${index + 1}`);
    const output = await drawn(hosts, ACTING);
    expect(output).not.toMatch(NOT_OURS);
    expect(output).toContain('\u241b]52');
  });

  test('the control: what reaches a terminal as it is is found there', () => {
    const terminal = createFakeTerminal(80);
    terminal.stdout.write(PLANTED);
    expect(terminal.raw()).toMatch(NOT_OURS);
  });

  test('in events and in the journal as it is on the disk', async () => {
    const output = await written((stream) => {
      const { sink } = createNdjsonReporter(
        (line) => stream.write(line),
        () => new Date(),
      );
      EVENTS.forEach(sink);
    });
    expect(output).not.toMatch(HARM);
    expect(JSON.parse(output.split('\n')[1] ?? '')).toMatchObject({ message: PLANTED });
  });

  test('in the history, where it does not pose as a line either', async () => {
    EVENTS.forEach(createJournal(journalDirectory(directory), new Date(0), () => new Date(0)));
    const output = await written(async (stream) => {
      const program = new Command();
      const context = { stdout: textOutput(stream), exit: () => undefined };
      defineHistoryCommand(program.command('history'), context as unknown as Context);
      await program.parseAsync(['history', join(directory, 'inventory.yaml'), 'last'], { from: 'user' });
    });
    expect(output).not.toMatch(HARM);
    expect(output).toContain('\u241b]52');
    expect(output).not.toMatch(/^Done/m);
  });

  test.each([
    [
      'a health check',
      () =>
        renderCheckUp([{ check: 'etcd', host: 'etcd-1', verdict: 'fail', evidence: PLANTED, next: PLANTED }], {
          colour: true,
        }),
    ],
    [
      'the variables that adopt found',
      () => renderNewVariables([{ shown: PLANTED, before: undefined, variables: [] }], PLANTED, { colour: true }),
    ],
    ['any text of a verb: unlock, ca request, errors', () => `error: ${PLANTED}\n`],
  ])('in %s', async (_, render) => {
    const output = await written((stream) => {
      textOutput(stream).write(render());
    });
    expect(output.replaceAll(/\u001b\[\d+m/g, '')).not.toMatch(HARM);
  });

  test('in questions', async () => {
    const asked: string[] = [];
    const ask =
      <T>(answer: T) =>
      (question: string): Promise<T> => {
        asked.push(question);
        return Promise.resolve(answer);
      };
    const secret = new Secret('');
    const questions = printableQuestions({
      secret: ask(secret),
      passphrase: ask(secret),
      typed: async (question, otherWay) => ask(`prod, or ${otherWay}`)(question),
      confirm: ask(true),
    });
    await Promise.all([questions.secret(PLANTED), questions.passphrase(PLANTED, 'new'), questions.confirm(PLANTED)]);
    expect(await questions.typed(PLANTED, 'the other way')).toBe('prod, or the other way');
    expect(asked).toHaveLength(4);
    for (const question of asked) expect(question).not.toMatch(HARM);
  });
});

test('a host that says too much fills neither the screen nor the disk', async () => {
  const flood = 'x'.repeat(20_000_000);
  const events: Event[] = [
    { type: 'notice', host: 'etcd-1', message: flood },
    runFailed(new RemoteError({ code: 'command-failed', host: 'etcd-1', message: flood, output: flood })),
  ];
  for (const create of [createPlainReporter, createNdjsonReporter]) {
    const output = await written((stream) => {
      const reporter = create(
        (line) => stream.write(line),
        () => new Date(),
      );
      for (const event of events) reporter.sink(event);
      return reporter.close();
    });
    expect(output.length).toBeLessThan(100_000);
    expect(output).toContain('more characters)');
  }
});
