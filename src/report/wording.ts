import { counted } from '../model/counted.js';
import { outputLines } from './terminal-text.js';

/** A duration for people: `0.8 s`, `12 s`, `2 min 05 s`. */
export function duration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}

/** How a gate opened: `open`, `open after 3.1 s (leader etcd-2)`. */
export function gateOpened(waitedMs: number, note: string | undefined): string {
  const waited = waitedMs < 100 ? '' : ` after ${duration(waitedMs)}`;
  return `open${waited}${note ? ` (${note})` : ''}`;
}

/**
 * Why something failed, in a few words: the first line of an error's message, without what the reader has just read.
 * @param told what precedes it: the host, the change's summary
 */
export function briefReason(message: string, ...told: readonly string[]): string {
  const [first = ''] = outputLines(message);
  return told.reduce((rest, words) => (rest.startsWith(`${words}: `) ? rest.slice(words.length + 2) : rest), first);
}

/** A name with one number in it: `etcd-` 07 `.example.org`. */
interface Numbered {
  readonly before: string;
  readonly digits: string;
  readonly after: string;
}

function numbered(name: string): Numbered | undefined {
  const parts = /^(.*?)(\d+)(\D*)$/.exec(name);
  const [, before = '', digits = '', after = ''] = parts ?? [];
  return parts ? { before, digits, after } : undefined;
}

function follows(name: string, previous: string): boolean {
  const [a, b] = [numbered(previous), numbered(name)];
  if (!a || !b || a.before !== b.before || a.after !== b.after) return false;
  return b.digits === String(Number(a.digits) + 1).padStart(a.digits.length, '0');
}

function runsOf(hosts: readonly string[]): string[][] {
  const runs: string[][] = [];
  for (const host of hosts) {
    const run = runs.at(-1);
    const last = run?.at(-1);
    if (run && last !== undefined && follows(host, last)) run.push(host);
    else runs.push([host]);
  }
  return runs;
}

/**
 * Names of hosts in a few words: `etcd-1, etcd-2`, `node-01 … node-30 (30 hosts)`. Only names that follow one another are
 * drawn together, so that nothing stays unnamed.
 */
export function nameHosts(hosts: readonly string[]): string {
  const parts = runsOf(hosts).flatMap((run) => (run.length < 4 ? run : [`${run[0] ?? ''} … ${run.at(-1) ?? ''}`]));
  const names = parts.join(', ');
  return parts.length < hosts.length ? `${names} (${counted(hosts.length, 'host')})` : names;
}
