import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { inControlNamespace } from '../../src/lab/network.js';
import type { EventJson } from '../../src/report/event-schema.js';
import { waitUntil } from '../../src/lab/process.js';
import { provision, type Ended, type TestLab } from './lab.js';
import { PASSPHRASE, type JsonRun } from './main-job.js';

/** A run to which something is done on the way. */
export interface DisturbedRun extends JsonRun {
  /** From the disturbance to the end of the process, in milliseconds. */
  readonly endedAfterMs: number;
}

/** Runs `apply` on the lab, and disturbs it as {@link disturbedRun} does. @param more words of its command */
export async function disturbedApply(
  lab: TestLab,
  when: (event: EventJson) => boolean,
  disturb: (kill: (signal: NodeJS.Signals) => void) => unknown,
  more: readonly string[] = [],
): Promise<DisturbedRun> {
  const passphraseFile = join(lab.files.inventory, '..', 'passphrase');
  await writeFile(passphraseFile, `${PASSPHRASE}\n`, { mode: 0o600 });
  const words = ['apply', lab.files.inventory, '--yes', '--passphrase-file', passphraseFile, ...more];
  return disturbedRun(lab, words, when, disturb);
}

/**
 * Runs a verb on the lab, and disturbs it once: at the first event that `when` picks.
 * @param verb with its arguments, but for `--format`
 * @param disturb is given the means to send the process a signal
 */
export async function disturbedRun(
  lab: TestLab,
  verb: readonly string[],
  when: (event: EventJson) => boolean,
  disturb: (kill: (signal: NodeJS.Signals) => void) => unknown,
): Promise<DisturbedRun> {
  const [program = '', ...args] = inControlNamespace(lab.name, provision(...verb, '--format', 'json'));
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  const lines: string[] = [];
  let disturbing: Promise<unknown> | undefined;
  let disturbedAt = Date.now();
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (disturbing !== undefined || !when(JSON.parse(line) as EventJson)) continue;
    disturbedAt = Date.now();
    disturbing = Promise.resolve(disturb((signal) => child.kill(signal)));
  }
  const [status, signal] = await ended;
  const endedAfterMs = Date.now() - disturbedAt;
  await disturbing;
  const events = lines.map((line) => JSON.parse(line) as EventJson);
  return {
    status: status ?? (signal === 'SIGKILL' ? 137 : 255),
    stdout: lines.join('\n'),
    stderr,
    events,
    endedAfterMs,
  };
}

/** Runs a verb on the lab, and presses Ctrl-C once something is so. */
export async function stoppedOnce(lab: TestLab, verb: readonly string[], isSo: () => Promise<boolean>): Promise<Ended> {
  const [program = '', ...args] = inControlNamespace(lab.name, provision(...verb));
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].on('data', (chunk: Buffer) => (said[stream] += chunk.toString('utf8')));
  const isStopped = await waitUntil(isSo, 120_000, 200);
  child.kill('SIGINT');
  const [status] = await ended;
  if (!isStopped) throw new Error(`what was waited for did not come:\n${said.stdout}${said.stderr}`);
  return { status: status ?? 255, ...said };
}
