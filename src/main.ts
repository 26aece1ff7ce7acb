#!/usr/bin/env node
import { Command } from 'commander';
import { addAdoptCommand } from './commands/adopt.js';
import { addApplyCommand } from './commands/apply.js';
import { printableQuestions, type Context } from './commands/context.js';
import { addDrillCommand } from './commands/drill.js';
import { addBypassCommand } from './commands/bypass.js';
import { addHistoryCommand } from './commands/history.js';
import { addInventoryCommand } from './commands/inventory.js';
import { addCaCommand } from './commands/ca.js';
import { addCertsCommand } from './commands/certs.js';
import { addInitCommand } from './commands/init.js';
import { addLabCommand } from './commands/lab.js';
import { addSnapshotCommand } from './commands/snapshot.js';
import { addPlanCommand } from './commands/plan.js';
import { addUnlockCommand } from './commands/unlock.js';
import { addVerifyCommand } from './commands/verify.js';
import { EXIT, ProvisionError } from './model/errors.js';
import { textOutput } from './report/text-output.js';
import { VERSION } from './model/version.js';
import { terminalQuestions } from './wizard/terminal-questions.js';

const context: Context = {
  stdin: process.stdin,
  stdout: textOutput(process.stdout),
  stderr: textOutput(process.stderr),
  streams: { stdout: process.stdout, stderr: process.stderr },
  env: process.env,
  ask: printableQuestions(terminalQuestions({ input: process.stdin, output: process.stderr })),
  exit(code) {
    process.exitCode = code;
  },
};

// A reader that has gone (`| head`), a full disk or a closed terminal ends no verb: a run says so where it still can.
for (const stream of [process.stdin, process.stdout, process.stderr]) stream.on('error', () => undefined);

/** An error as a person should see it: what is wrong, and what to do next. A bug keeps its stack. */
function describe(error: unknown): string {
  if (!(error instanceof ProvisionError))
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  const hints = error.hint?.split('\n') ?? [];
  return [`error: ${error.message}`, ...hints.map((hint) => `  → ${hint}`)].join('\n');
}

const program = new Command('provision')
  .description('Highly available etcd for Kubernetes over SSH: an honest plan, a safe apply, no agent on the hosts.')
  .version(VERSION)
  .showHelpAfterError()
  .showSuggestionAfterError();

const verbs = [
  addInitCommand,
  addAdoptCommand,
  addPlanCommand,
  addApplyCommand,
  addVerifyCommand,
  addBypassCommand,
  addDrillCommand,
  addHistoryCommand,
  addUnlockCommand,
  addInventoryCommand,
  addCaCommand,
  addCertsCommand,
  addSnapshotCommand,
  addLabCommand,
];
for (const addVerb of verbs) addVerb(program, context);

try {
  await program.parseAsync();
} catch (error) {
  context.stderr.write(`${describe(error)}\n`);
  context.exit(EXIT.failed);
}
