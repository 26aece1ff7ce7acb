import { spawn } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { labFiles } from './directory.js';
import { hostOf } from './host.js';
import { inControlNamespace } from './network.js';
import type { LabPaths } from './paths.js';
import { startTimeOf } from './process.js';
import { readLab, stateDirectory } from './state.js';

/** `provision` means this very program, also when it is not installed on the PATH. */
function withOwnProgram(command: readonly string[]): readonly string[] {
  const [program, ...args] = command;
  return program === 'provision' ? [process.execPath, ...process.execArgv, process.argv[1] ?? '', ...args] : command;
}

/** Runs a command with this program's own terminal. @returns its exit status, as a shell gives it */
async function runInteractively(state: string, command: readonly string[], directory: string): Promise<number> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio: 'inherit', env: { ...process.env, PROVISION_LAB_DIR: directory } });
  const exited = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
  if (child.pid === undefined) return exited;
  // Ctrl-C reaches the command by itself; what it makes of it decides how this program ends.
  const ignore = (): void => undefined;
  const passOn = (): void => void child.kill('SIGTERM');
  process.on('SIGINT', ignore);
  process.on('SIGTERM', passOn);
  const record = join(state, 'runs', String(child.pid));
  await mkdir(join(state, 'runs'), { recursive: true });
  await writeFile(record, `${child.pid} ${(await startTimeOf(child.pid)) ?? '0'}\n`);
  try {
    return await exited;
  } finally {
    process.off('SIGINT', ignore);
    process.off('SIGTERM', passOn);
    await rm(record, { force: true });
  }
}

/**
 * Runs a command in the lab's control namespace, in the current directory, with PROVISION_LAB_DIR set.
 * @returns its exit status
 */
export async function runInLab(paths: LabPaths, name: string, command: readonly string[]): Promise<number> {
  const lab = await readLab(paths, name);
  const inside = inControlNamespace(name, withOwnProgram(command));
  return runInteractively(stateDirectory(paths, name), inside, lab.directory);
}

/**
 * Logs in to a host, or runs a command there.
 * @param command words for the remote shell; none: a login
 * @returns the exit status of ssh
 */
export async function sshToHost(
  paths: LabPaths,
  name: string,
  host: string,
  command: readonly string[],
): Promise<number> {
  const lab = await readLab(paths, name);
  const state = stateDirectory(paths, name);
  const target = hostOf(lab, state, host).host.name;
  const ssh = ['ssh', '-F', labFiles(lab.directory).sshConfig, target, ...command];
  return runInteractively(state, inControlNamespace(name, ssh), lab.directory);
}
