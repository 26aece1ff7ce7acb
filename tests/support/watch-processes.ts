/**
 * Looks at the argument lists and environments of all processes of this machine, those of lab hosts among them, over and
 * over until standard input ends. Then prints each different one, one JSON text a line.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** Shorter than a shell with one command lives. */
const BETWEEN_LOOKS_MS = 10;

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return ''; // a process that has just ended
  }
}

const input = process.stdin.resume();
const processes = new Set<string>();
const texts = new Set<string>();
while (!input.readableEnded) {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const cmdline = readOrNothing(`/proc/${pid}/cmdline`);
    const key = `${pid} ${cmdline}`;
    if (cmdline === '' || processes.has(key)) continue;
    processes.add(key);
    texts.add(cmdline);
    // As long-lived as the argument list: both change at exec alone.
    texts.add(readOrNothing(`/proc/${pid}/environ`));
  }
  await pause(BETWEEN_LOOKS_MS);
}
for (const text of texts) process.stdout.write(`${JSON.stringify(text)}\n`);
