import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Ended } from './lab.js';
import { withBlock } from './page-inventory.js';

/**
 * What a reader of a page does: writes a file, brings what a block shows into the inventory (`<!-- in the inventory -->`), types a
 * command and looks what it says, or does what no command can, which an HTML comment says:
 * `<!-- by hand: replace the machine of etcd-3 -->`.
 */
export type PageStep =
  | { readonly kind: 'file'; readonly name: string; readonly text: string }
  | { readonly kind: 'inventory'; readonly text: string }
  | {
      readonly kind: 'command';
      readonly line: string;
      readonly expected: readonly string[];
      /** `0` unless a comment says another one: `<!-- ends with 1 -->` before the block, of its first command. */
      readonly status: number;
      /** Where a prompt names it, as in `root@etcd-3:~# df -h`; else it is typed where `provision` runs. */
      readonly host?: string;
    }
  | { readonly kind: 'by hand'; readonly what: string };

const BLOCK =
  /^( *)```(\S*)(?: title="([^"]+)")?\n([\s\S]*?)^ *```$|^ *<!-- by hand: (.+) -->$|^ *<!-- ends with (\d+) -->$|^ *<!-- (in the inventory) -->$/gm;
const PROMPT = /^(?:\$|root@(\S+):~#) /m;

/** The steps of a text: its blocks with a title are files, those of `console` are commands with what they print. */
export function readSteps(markdown: string): readonly PageStep[] {
  let status = 0;
  let place: 'inventory' | 'nowhere' = 'nowhere';
  const steps: PageStep[] = [];
  for (const [, indent = '', language, title, block = '', what, ends, said] of markdown.matchAll(BLOCK)) {
    const text = block.replaceAll(new RegExp(`^${indent}`, 'gm'), '');
    if (said !== undefined) place = 'inventory';
    else if (ends !== undefined) status = Number(ends);
    else if (what !== undefined) steps.push({ kind: 'by hand', what });
    else if (title !== undefined) steps.push({ kind: 'file', name: title, text });
    else if (place === 'inventory') {
      steps.push({ kind: 'inventory', text });
      place = 'nowhere';
    } else if (language === 'console') {
      steps.push(...readCommands(text, status));
      status = 0;
    }
  }
  return steps;
}

/** Blocks of a text that have commands, and are not read: only those of `console` are. */
export function unreadCommands(markdown: string): readonly string[] {
  return [...markdown.matchAll(BLOCK)].flatMap(([, , language, title, block = '']) =>
    language === 'console' || title !== undefined ? [] : block.split('\n').filter((line) => TYPED.test(line)),
  );
}

const TYPED = /^\s*(?:\$ )?(?:sudo )?(?:provision|etcdctl|systemctl|journalctl|kubectl|ETCDCTL_API=3) /;

function readCommands(text: string, status: number): readonly PageStep[] {
  const [before = '', ...parts] = text.replaceAll(/\\\n\s*/g, '').split(PROMPT);
  if (before.trim() !== '') throw new Error(`a console block begins with no command: ${before}`);
  return parts.flatMap((part, index): readonly PageStep[] => {
    if (index % 2 === 0) return [];
    const host = parts[index - 1];
    const [line = '', ...expected] = part.split('\n').filter((each) => each.trim() !== '');
    const command = { kind: 'command', line: line.replace(/\s+#\s.*$/, ''), expected } as const;
    return [{ ...command, status: index === 1 ? status : 0, ...(host === undefined ? {} : { host }) }];
  });
}

/** From where to where a page is read, by the words of its headings. */
export interface PagePart {
  readonly from?: string;
  /** The first heading that is left out. */
  readonly before?: string;
}

/** A part of a page. @throws Error where it has no such heading */
export function partOf(markdown: string, { from, before }: PagePart): string {
  const at = (heading: string): number => {
    const found = markdown.search(new RegExp(`^#+ ${heading.replaceAll(/[.*+?()]/g, '\\$&')}$`, 'm'));
    if (found < 0) throw new Error(`no heading of the page is: ${heading}`);
    return found;
  };
  return markdown.slice(from === undefined ? 0 : at(from), before === undefined ? undefined : at(before));
}

/** A page of the documentation by its name, such as `runbooks/bypass`. */
export function readPage(name: string): string {
  return readFileSync(`docs/${name}.md`, 'utf8');
}

/** Where a page is worked through. */
export interface PagePlace {
  /** A directory, in which there may be an inventory. */
  readonly work: string;
  /** Runs a program where the hosts can be reached. */
  readonly run: (command: readonly string[]) => Promise<Ended>;
  /** What stands for the page's names and addresses here. */
  readonly here: (text: string) => string;
  readonly byHand: Readonly<Record<string, () => unknown>>;
  /** The configuration of `ssh`. */
  readonly sshConfig: string;
}

/** Verbs that ask before they change something, the options with which they don't, and what a person answers. */
const QUESTIONS: readonly (readonly [asks: RegExp, asksNot: RegExp, answer: string])[] = [
  [
    /^provision (?:apply|drill|defrag|member replace|certs renew|ca rotate|bypass)\b/,
    / --(?:yes|dry-run|plan)\b/,
    '--yes',
  ],
  [/^provision (?:adopt|ca request)\b/, / --yes\b/, '--yes'],
  // The pages' second cluster has an address of its own.
  [/^provision snapshot restore second\.yaml\b/, / --(?:yes|dry-run)\b/, '--yes --confirm 10.0.1.101'],
  [/^provision (?:recover|snapshot restore)\b/, / --(?:yes|dry-run)\b/, '--yes --confirm 10.0.1.100'],
  // Passphrases are typed: where the place has them in a file, here.
  [
    /^provision ca (?:export|import(?=.* --exported))\b/,
    / --export-passphrase-file\b/,
    '--export-passphrase-file .on-the-way',
  ],
  [/^provision ca passphrase\b/, / --new-passphrase-file\b/, '--new-passphrase-file .new-passphrase'],
];

/** Works the steps of a page through. @throws Error at the first step that does not do what its text says */
export async function workThrough(steps: readonly PageStep[], place: PagePlace): Promise<void> {
  const programs = join(place.work, '.bin');
  mkdirSync(programs, { recursive: true });
  const program = (name: string, line: string): void => {
    writeFileSync(join(programs, name), `#!/bin/sh\nexec ${line} "$@"\n`, { mode: 0o755 });
  };
  program('provision', `${process.execPath} ${resolve('dist/main.js')}`);
  for (const name of ['ssh', 'scp']) program(name, `/usr/bin/${name} -F ${place.sshConfig}`);
  for (const step of steps) await take(step, place);
}

async function take(step: PageStep, place: PagePlace): Promise<void> {
  if (step.kind === 'file') {
    writeFileSync(join(place.work, step.name), place.here(step.text));
    return;
  }
  if (step.kind === 'inventory') {
    const file = join(place.work, 'inventory.yaml');
    writeFileSync(file, withBlock(readFileSync(file, 'utf8'), place.here(step.text)));
    return;
  }
  if (step.kind === 'by hand') {
    const act = place.byHand[step.what];
    if (act === undefined) throw new Error(`nobody knows how to: ${step.what}`);
    await Promise.resolve(act());
    return;
  }
  const typed = place.here(answered(step.line));
  const { status, stdout, stderr } = await place.run(
    step.host === undefined
      ? ['bash', '-c', inOneShell(typed), 'bash', place.work]
      : ['ssh', '-F', place.sshConfig, '-l', 'root', step.host, typed],
  );
  const output = `${stdout}${stderr}`;
  const missing = firstMissing(output, step.expected.map(place.here));
  if (status === step.status && missing === undefined) return;
  const why = missing === undefined ? `ended with ${status}, not ${step.status}` : `did not print: ${missing}`;
  throw new Error(`$ ${typed}\n${why}\n${output.slice(-6000)}`);
}

function answered(line: string): string {
  const asked = QUESTIONS.find(([asks, asksNot]) => asks.test(line) && !asksNot.test(line));
  if (asked === undefined) return line;
  const [asks, , answer] = asked;
  return line.replace(asks, `$& ${answer}`);
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
