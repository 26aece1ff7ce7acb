import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { outputOf, type Command, type Output, type Transport } from '../../src/model/remote.js';
import { Secret } from '../../src/model/secret.js';
import { scratch } from './scratch.js';

/** What a local transport did, for tests that count round trips. */
export interface LocalTransport extends Transport {
  /** The commands that were run, in order. */
  readonly commands: readonly Command[];
}

/**
 * A {@link Transport} that runs its commands here, with `sh`, as the current user: the fake host of contract tests.
 * Its scripts must touch nothing outside the test's own directory.
 * @param host the inventory name to answer to
 * @param env environment of the commands, in addition to PATH
 */
export function createLocalTransport(host: string, env: Readonly<Record<string, string>> = {}): LocalTransport {
  const commands: Command[] = [];
  return {
    host,
    commands,
    run(command) {
      commands.push(command);
      return runHere(command, { PATH: process.env['PATH'], LC_ALL: 'C', ...env });
    },
    async download(command, intake) {
      const output = await this.run(command);
      await intake.take(output.stdoutBytes);
      return outputOf(output.status, '', output.stderr);
    },
    close: () => Promise.resolve(),
  };
}

/** The download of a host that is never asked for one. */
export function noDownload(): Promise<never> {
  return Promise.reject(new Error('nobody downloads here'));
}

function runHere(command: Command, env: NodeJS.ProcessEnv): Promise<Output> {
  const seconds = (command.timeoutMs ?? 60_000) / 1000;
  return new Promise((resolve, reject) => {
    const child = spawn('timeout', ['-k', '5', String(seconds), 'sh', '-c', command.script], {
      env,
      cwd: scratch(),
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.once('error', reject);
    child.once('close', (status) => {
      resolve(outputOf(status ?? 124, Buffer.concat(stdout), Buffer.concat(stderr).toString('utf8')));
    });
    // A command need not read its stdin.
    child.stdin.on('error', () => undefined);
    const { stdin } = command;
    if (typeof stdin === 'object' && 'read' in stdin) Readable.from(stdin.read()).pipe(child.stdin);
    else child.stdin.end(stdin instanceof Secret ? stdin.reveal() : stdin);
  });
}
