import { spawn, type ChildProcess } from 'node:child_process';
import type { ProcessEnd } from '../report/fleet-result.js';

/** What the end of stderr may have, in characters: the reason of a process that said nothing as JSON. */
const STDERR_END = 4096;
/** A plan of a cluster as JSON is some hundred kilobytes. In characters. */
const MOST_OUTPUT = 64 * 1024 * 1024;

/** Processes that each run one verb on one cluster. */
export interface Processes {
  /** Runs this program with the words, and waits for its end. */
  run(words: readonly string[]): Promise<ProcessEnd>;
  /** Sends a signal to all that run, once. */
  signal(signal: NodeJS.Signals): void;
}

/**
 * Starts this very program again for each cluster, so that what ends or blocks one process ends no other. Each has a
 * process group of its own: Ctrl-C on the terminal reaches this process alone, which hands it on, once.
 * @param env of the processes
 */
export function createProcesses(env: Readonly<Record<string, string | undefined>>): Processes {
  const running = new Set<ChildProcess>();
  return {
    run: (words) =>
      new Promise((resolve, reject) => {
        const program = [...process.execArgv, process.argv[1] ?? '', ...words];
        const child = spawn(process.execPath, program, { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env });
        running.add(child);
        const said = { stdout: '', stderr: '' };
        child.stdout.setEncoding('utf8').on('data', (text: string) => {
          if (said.stdout.length + text.length <= MOST_OUTPUT) said.stdout += text;
        });
        child.stderr.setEncoding('utf8').on('data', (text: string) => {
          said.stderr = (said.stderr + text).slice(-STDERR_END);
        });
        child.once('error', reject);
        child.once('close', (code) => {
          running.delete(child);
          resolve({ code, ...said });
        });
      }),
    signal(signal) {
      for (const child of running) child.kill(signal);
    },
  };
}
