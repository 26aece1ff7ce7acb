#!/usr/bin/env node
import { printableQuestions, type Context } from './commands/context.js';
import { runProgram } from './commands/program.js';
import { EXIT, ProvisionError } from './model/errors.js';
import type { Questions } from './model/questions.js';
import { textOutput } from './report/text-output.js';
import { wayToExplain } from './report/way-to-explain.js';

/** Loaded with the first question: most runs ask none. */
async function questions(): Promise<Questions> {
  const { terminalQuestions } = await import('./wizard/terminal-questions.js');
  return terminalQuestions({ input: process.stdin, output: process.stderr });
}

const ask: Questions = {
  secret: async (question) => (await questions()).secret(question),
  passphrase: async (question, kind) => (await questions()).passphrase(question, kind),
  typed: async (question, otherWay) => (await questions()).typed(question, otherWay),
  confirm: async (question) => (await questions()).confirm(question),
};

const context: Context = {
  stdin: process.stdin,
  stdout: textOutput(process.stdout),
  stderr: textOutput(process.stderr),
  streams: { stdout: process.stdout, stderr: process.stderr },
  argv: process.argv.slice(2),
  env: process.env,
  ask: printableQuestions(ask),
  exit(code) {
    process.exitCode = code;
  },
};

// A reader that has gone (`| head`), a full disk or a closed terminal ends no verb: a run says so where it still can.
for (const stream of [process.stdin, process.stdout, process.stderr]) stream.on('error', () => undefined);
// But what was asked for and is not there is no success, or an empty file would pass for an answer. A reader that has gone
// has had enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') return;
  process.once('exit', () => {
    context.stderr.write(`error: standard output can't be written, and is incomplete: ${error.message}\n`);
    process.exitCode ||= EXIT.failed;
  });
});

/** An error as a person should see it: what is wrong, and what to do next. A bug keeps its stack. */
async function describe(error: unknown): Promise<string> {
  if (!(error instanceof ProvisionError)) {
    const { stackOf } = await import('./report/stack-of.js');
    return error instanceof Error ? stackOf(error) : String(error);
  }
  const hints = [...(error.hint?.split('\n') ?? []), ...wayToExplain([error.code])];
  return [`error: ${error.message}`, ...hints.map((hint) => `  → ${hint}`)].join('\n');
}

/** A program reads stdout: an error must be there, too, in a form that it can read. */
function asksForJson(argv: readonly string[]): boolean {
  return (
    argv.includes('--format=json') || argv.some((word, index) => word === '--format' && argv[index + 1] === 'json')
  );
}

/** What was typed; `provision` alone asks, where a person can be asked. */
async function wordsToRun(): Promise<readonly string[]> {
  if (context.argv.length > 0) return context.argv;
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new ProvisionError({
      code: 'no-terminal',
      message: 'no verb was given, and there is no terminal to ask for one on',
      hint: 'see the verbs: provision --help',
    });
  const { startHere } = await import('./commands/start-here.js');
  return startHere({ input: process.stdin, output: process.stderr }, process.env);
}

try {
  const argv = await wordsToRun();
  await runProgram({ ...context, argv });
} catch (error) {
  if (asksForJson(context.argv) && error instanceof ProvisionError) {
    const { failureAsJson } = await import('./report/run-failed.js');
    context.stdout.write(`${failureAsJson(error)}\n`);
  } else {
    context.stderr.write(`${await describe(error)}\n`);
  }
  const { failureKindOf } = await import('./engine/failure-kind.js');
  context.exit(EXIT[failureKindOf(error)]);
}
