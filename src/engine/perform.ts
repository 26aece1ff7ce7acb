import { posix } from 'node:path';
import type { Action, InstallTrust, MakeDirectory, WriteFile } from '../model/change.js';
import { plainContent } from '../model/content.js';
import { RemoteError } from '../model/errors.js';
import type { Command, Output, Transport } from '../model/remote.js';
import { Secret } from '../model/secret.js';
import { quote } from '../shell/quote.js';
import { removeFileScript, restoreFileScript, setOwnership, writeFileScript } from '../shell/write-file.js';
import { waitForGate } from './wait-for-gate.js';
import type { World } from './world.js';

/** How an action is taken back. Files are put back before anything is told to run with them. */
export interface Undo {
  readonly restores: 'files' | 'services';
  readonly command: Command;
}

/** The last lines of a failed command that a person is shown. */
const OUTPUT_LINES = 20;

/**
 * How an action is taken back, where that is known before it is performed: a command that fails may have done half of
 * its work, as a restart that stopped the service and could not start it again.
 */
export function undoOf(action: Action): Undo | undefined {
  if (action.kind !== 'run' || action.undo === undefined) return undefined;
  return { restores: 'services', command: action.undo };
}

/**
 * Performs one action on a host. But for the lock (lock.ts), and keys that wait for their certificates
 * (request-certificates.ts), the only place where anything is changed.
 * @returns how to take it back, when only performing it tells ({@link undoOf} otherwise)
 * @throws RemoteError, GateShut
 */
export async function perform(action: Action, host: string, world: World): Promise<Undo | undefined> {
  switch (action.kind) {
    case 'write-file':
      return writeFile(action, await world.connector.connect(host));
    case 'remove-file':
      return removeFile(action.path, await world.connector.connect(host));
    case 'make-directory':
      return makeDirectory(action, await world.connector.connect(host));
    case 'run':
      await runOrFail(action.command, await world.connector.connect(host));
      return undefined;
    case 'create-authority':
      await world.signer.createAuthority(action.profile);
      return undefined;
    case 'keep-secret':
      await world.signer.keepSecret(action.name);
      return undefined;
    case 'issue-certificate': {
      const { command, undo } = await world.signer.issue({ host, action });
      await runOrFail(command, await world.connector.connect(host));
      return { restores: 'files', command: undo };
    }
    case 'install-trust':
      return installTrust(action, world.signer.trustBundle(), await world.connector.connect(host));
    case 'await':
      await waitForGate({ gate: action.gate, hosts: [host], when: 'action', arguments: action.parameters }, world);
      return undefined;
  }
}

/**
 * Runs a command that must succeed.
 * @throws RemoteError naming the host, the command and its last output
 */
export async function runOrFail(command: Command, transport: Transport): Promise<Output> {
  const output = await transport.run(command);
  if (output.status === 0) return output;
  throw new RemoteError({
    code: 'command-failed',
    host: transport.host,
    command: command.summary,
    status: output.status,
    message: `${transport.host}: ${command.summary}: ${describeStatus(output.status)}`,
    output: lastLines(output.stderr.trim() === '' ? output.stdout : output.stderr),
  });
}

function describeStatus(status: number): string {
  return status === 124 ? 'timed out' : `ended with status ${status}`;
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-OUTPUT_LINES).join('\n');
}

async function writeFile(action: WriteFile, transport: Transport): Promise<Undo> {
  const text = action.content.reveal();
  const script = writeFileScript(action, Buffer.byteLength(text, 'utf8'));
  const output = await runOrFail({ summary: `write ${action.path}`, script, stdin: new Secret(text) }, transport);
  return restore(action.path, output, action.stagingDirectory);
}

function installTrust(action: InstallTrust, bundle: string, transport: Transport): Promise<Undo> {
  return writeFile({ ...action, kind: 'write-file', content: plainContent(bundle) }, transport);
}

async function removeFile(path: string, transport: Transport): Promise<Undo> {
  return restore(path, await runOrFail({ summary: `remove ${path}`, script: removeFileScript(path) }, transport));
}

function restore(path: string, output: Output, staging = posix.dirname(path)): Undo {
  const script = restoreFileScript(path, output.stdout.trim(), staging);
  return { restores: 'files', command: { summary: `restore ${path}`, script } };
}

async function makeDirectory(action: MakeDirectory, transport: Transport): Promise<undefined> {
  const script = ['set -eu', `mkdir -p ${quote(action.path)}`, setOwnership(action.path, action)].join('\n');
  await runOrFail({ summary: `make directory ${action.path}`, script }, transport);
  // An empty directory left behind harms nobody, and may be in use by then.
  return undefined;
}
