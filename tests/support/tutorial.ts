import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Ended } from './lab.js';

/**
 * What a reader of a tutorial does: writes a file, types a command and looks what it says, or does what no command can,
 * which an HTML comment says: `<!-- by hand: replace the machine of etcd-3 -->`.
 */
export type TutorialStep =
  | { readonly kind: 'file'; readonly name: string; readonly text: string }
  | { readonly kind: 'command'; readonly line: string; readonly expected: readonly string[] }
  | { readonly kind: 'by hand'; readonly what: string };

const FENCE = /^```(\S*)(?: title="([^"]+)")?\n([\s\S]*?)^```$|^<!-- by hand: (.+) -->$/gm;

/** The steps of a tutorial: its blocks with a title are files, those of `console` are commands with what they print. */
export function readTutorial(markdown: string): readonly TutorialStep[] {
  return [...markdown.matchAll(FENCE)].flatMap(([, language, title, text = '', what]): readonly TutorialStep[] => {
    if (what !== undefined) return [{ kind: 'by hand', what }];
    if (title !== undefined) return [{ kind: 'file', name: title, text }];
    return language === 'console' ? readCommands(text) : [];
  });
}

function readCommands(text: string): readonly TutorialStep[] {
  const [before = '', ...commands] = text.replaceAll(/\\\n\s*/g, '').split(/^\$ /m);
  if (before.trim() !== '') throw new Error(`a console block begins with no command: ${before}`);
  return commands.map((command) => {
    const [line = '', ...expected] = command.split('\n').filter((each) => each.trim() !== '');
    return { kind: 'command', line: line.replace(/\s+#.*$/, ''), expected };
  });
}

/** Where a tutorial is worked through. */
export interface TutorialPlace {
  /** An empty directory. */
  readonly work: string;
  /** Runs a program where the hosts can be reached. */
  readonly run: (command: readonly string[]) => Promise<Ended>;
  /** What stands for the tutorial's names and addresses here. */
  readonly here: (text: string) => string;
  readonly byHand: Readonly<Record<string, () => Promise<void>>>;
  /** The configuration of `ssh`. */
  readonly sshConfig: string;
}

/** Verbs that ask before they change something, and the options with which they don't. */
const ASKS = /^provision (?:apply|drill|member replace|certs renew|bypass)\b/;
const ASKS_NOT = / --(?:yes|dry-run|plan)\b/;

/** Works a tutorial through. @throws Error at the first step that does not do what its text says */
export async function workThrough(steps: readonly TutorialStep[], place: TutorialPlace): Promise<void> {
  const programs = join(place.work, '.bin');
  mkdirSync(programs, { recursive: true });
  const program = (name: string, line: string): void => {
    writeFileSync(join(programs, name), `#!/bin/sh\nexec ${line} "$@"\n`, { mode: 0o755 });
  };
  program('provision', `${process.execPath} ${resolve('dist/main.js')}`);
  program('ssh', `/usr/bin/ssh -F ${place.sshConfig}`);
  for (const step of steps) await take(step, place);
}

async function take(step: TutorialStep, place: TutorialPlace): Promise<void> {
  if (step.kind === 'file') {
    writeFileSync(join(place.work, step.name), place.here(step.text));
    return;
  }
  if (step.kind === 'by hand') {
    const act = place.byHand[step.what];
    if (act === undefined) throw new Error(`nobody knows how to: ${step.what}`);
    await act();
    return;
  }
  const line = place.here(step.line);
  // A person says yes.
  const typed = ASKS.test(line) && !ASKS_NOT.test(line) ? line.replace(ASKS, '$& --yes') : line;
  const { status, stdout, stderr } = await place.run(['bash', '-c', inOneShell(typed), 'bash', place.work]);
  const output = `${stdout}${stderr}`;
  const missing = firstMissing(output, step.expected.map(place.here));
  if (status === 0 && missing === undefined) return;
  const why = missing === undefined ? `ended with ${status}` : `did not print: ${missing}`;
  throw new Error(`$ ${typed}\n${why}\n${output.slice(-6000)}`);
}

/** Each command in a shell of its own, with the variables that those before have set. */
function inOneShell(line: string): string {
  return [
    'cd "$1" || exit',
    'PATH=$1/.bin:$PATH',
    'if [ -e .variables ]; then . ./.variables; fi',
    line,
    'status=$?; export -p > .variables; exit "$status"',
  ].join('\n');
}

/**
 * The first line that the output has not, after those before it. `…` stands for anything, alone for any lines.
 */
export function firstMissing(output: string, expected: readonly string[]): string | undefined {
  const lines = output.split('\n');
  let at = 0;
  for (const line of expected) {
    const parts = line.trim().split(/\s*…\s*/);
    const found = lines.findIndex((each, index) => index >= at && hasInOrder(each, parts));
    if (found < 0) return line;
    if (line.trim() !== '…') at = found + 1;
  }
  return undefined;
}

function hasInOrder(line: string, parts: readonly string[]): boolean {
  let from = 0;
  for (const part of parts) {
    const found = line.indexOf(part, from);
    if (found < 0) return false;
    from = found + part.length;
  }
  return true;
}
