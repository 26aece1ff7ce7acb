import type {
  Action,
  InstallTrust,
  IssueCertificate,
  MakeDirectory,
  Run,
  SendRelease,
  WriteFile,
} from '../model/action.js';
import { plainContent } from '../model/content.js';
import { RemoteError } from '../model/errors.js';
import { JOIN_MARKS, type JoinKubernetes } from '../model/kubeadm.js';
import type { Command, Transport } from '../model/remote.js';
import { Secret } from '../model/secret.js';
import { makeDirectoryScript, removeDirectoryScript } from '../shell/make-directory.js';
import { removeFileScript, restoreFileScript, writeFileScript, type Restoration } from '../shell/write-file.js';
import { oneAtATime } from './busy-hosts.js';
import { rebootHost } from './reboot-host.js';
import { runOnEach } from './run-on-each.js';
import { runOrFail } from './run-or-fail.js';
import { waitForGate } from './wait-for-gate.js';
import type { World } from './world.js';

/**
 * How an action is rolled back: files first, then services, which run with them again, then what those used. Before them `all`:
 * what refuses a roll-back of all the rest.
 */
export interface Undo {
  readonly restores: 'all' | 'files' | 'services' | 'directories' | 'accounts';
  readonly command: Command;
}

/** What an action needs to be rolled back. */
export interface Record {
  /** Name of the copies that it keeps on the host. */
  readonly copy: string;
  /** What is to be rolled back so far; an action adds to it before it changes anything. */
  readonly undos: Undo[];
}

/**
 * Performs one action on a host. But for the lock (lock.ts), and keys that wait for their certificates
 * (request-certificates.ts), the only place where anything is changed.
 *
 * How it is rolled back is recorded before it begins: an action that fails may have done half of its work, as a restart
 * that stopped the service and could not start it again, or a write that failed after its rename.
 * @throws RemoteError, GateShut
 */
export async function perform(action: Action, host: string, world: World, record: Record): Promise<void> {
  const acting = { ...world, connector: oneAtATime(world) };
  switch (action.kind) {
    case 'write-file':
      return writeFile(action, await acting.connector.connect(host), record);
    case 'remove-file':
      return removeFile(action.path, await acting.connector.connect(host), record);
    case 'make-directory':
      return makeDirectory(action, await acting.connector.connect(host), record);
    case 'run':
      return run(action, await acting.connector.connect(host), record);
    case 'run-on':
      await runOrFail(action.command, await acting.connector.connect(action.on));
      return;
    case 'reboot-host':
      return rebootHost(host, world);
    case 'run-on-each':
      return runOnEach(action, acting);
    case 'create-authority':
      return world.signer.createAuthority(action.profile);
    case 'move-authority':
      return world.signer.moveAuthority(action.to, action.profile);
    case 'keep-secret':
      return world.signer.keepSecret(action.name);
    case 'save-snapshot':
      return world.saveSnapshot(action.per);
    case 'send-release':
      return sendRelease(action, host, acting);
    case 'join-kubernetes':
      return joinKubernetes(action, host, acting);
    case 'issue-certificate':
      return issueCertificate(action, host, acting, record);
    case 'install-trust':
      return installTrust(action, world.signer.trustBundle(), await acting.connector.connect(host), record);
    case 'await':
      return waitForGate({ gate: action.gate, hosts: [host], when: 'action', arguments: action.parameters }, world);
  }
}

/** How files are rolled back. @param when `if-kept` until the action is done: it may have ended before it kept a copy */
type RestoreFiles = (when: Restoration['when']) => Command;

async function changeFiles(
  command: Command,
  restore: RestoreFiles,
  transport: Transport,
  { undos }: Record,
): Promise<void> {
  const index = undos.push({ restores: 'files', command: restore('if-kept') }) - 1;
  await runOrFail(command, transport);
  undos[index] = { restores: 'files', command: restore('kept') };
}

async function writeFile(action: WriteFile, transport: Transport, record: Record): Promise<void> {
  const { path, stagingDirectory } = action;
  const text = action.content.reveal();
  const script = writeFileScript(action, Buffer.byteLength(text, 'utf8'), record.copy);
  const command = { summary: `write ${path}`, script, stdin: new Secret(text), timeoutMs: action.validateMs };
  await changeFiles(command, restoreOf({ path, stagingDirectory, name: record.copy }), transport, record);
}

function installTrust(action: InstallTrust, bundle: string, transport: Transport, record: Record): Promise<void> {
  return writeFile({ ...action, kind: 'write-file', content: plainContent(bundle) }, transport, record);
}

async function removeFile(path: string, transport: Transport, record: Record): Promise<void> {
  const command = { summary: `remove ${path}`, script: removeFileScript(path, record.copy) };
  await changeFiles(command, restoreOf({ path, name: record.copy }), transport, record);
}

function restoreOf(copy: Omit<Restoration, 'when'>): RestoreFiles {
  return (when) => ({ summary: `restore ${copy.path}`, script: restoreFileScript({ ...copy, when }) });
}

async function issueCertificate(action: IssueCertificate, host: string, world: World, record: Record): Promise<void> {
  const { command, undo } = await world.signer.issue({ host, action }, record.copy);
  await changeFiles(command, undo, await world.connector.connect(host), record);
}

async function sendRelease({ release, command }: SendRelease, host: string, world: World): Promise<void> {
  const stdin = await world.openRelease(release);
  await runOrFail({ ...command, stdin }, await world.connector.connect(host));
}

/**
 * The token and the key that join a host are made here, travel on stdin, and are forgotten by the control plane whatever comes of it;
 * where this process ends before that, they end by themselves after minutes.
 */
async function joinKubernetes(action: JoinKubernetes, host: string, world: World): Promise<void> {
  const { connector, randomHex } = world;
  const secrets = { token: `${randomHex(3)}.${randomHex(8)}`, certificateKey: randomHex(32) };
  const inviter = guarded(await connector.connect(action.through), Object.values(secrets));
  const joining = guarded(await connector.connect(host), Object.values(secrets));
  const filled = (text: string, authority: string): Secret =>
    new Secret(
      text
        .replaceAll(JOIN_MARKS.token, secrets.token)
        .replaceAll(JOIN_MARKS.certificateKey, secrets.certificateKey)
        .replaceAll(JOIN_MARKS.authority, authority),
    );
  const { invitation, join, revocation, configuration } = action;
  try {
    const invited = await runOrFail({ ...invitation, stdin: filled(configuration.invitation, '') }, inviter);
    const authority = readAuthority(invited.stdout, action);
    await runOrFail({ ...join, stdin: filled(configuration.join, authority) }, joining);
  } finally {
    // What failed before is what a person has to know.
    await runOrFail(revocation, inviter).catch((error: unknown) => {
      world.emit({
        type: 'notice',
        host: action.through,
        message: `could not ${revocation.summary}: ${String(error)}`,
      });
    });
  }
}

function readAuthority(stdout: string, { through, invitation }: JoinKubernetes): string {
  const authority = stdout.trim();
  if (/^sha256:[0-9a-f]{64}$/.test(authority)) return authority;
  throw new RemoteError({
    code: 'command-failed',
    host: through,
    command: invitation.summary,
    message: `${through}: ${invitation.summary}: no digest of the cluster's authority came back`,
  });
}

/** The same way to a host, whose output shows none of these texts. */
function guarded(transport: Transport, secrets: readonly string[]): Transport {
  const hide = (text: string): string =>
    secrets.reduce((shown, secret) => shown.replaceAll(secret, '[redacted]'), text);
  return {
    host: transport.host,
    async run(command) {
      const output = await transport.run(command);
      return { ...output, stdout: hide(output.stdout), stderr: hide(output.stderr) };
    },
    download: (command, intake) => transport.download(command, intake),
    close: () => transport.close(),
  };
}

async function makeDirectory(action: MakeDirectory, transport: Transport, { undos, copy }: Record): Promise<void> {
  const { path } = action;
  const script = removeDirectoryScript({ path, name: copy });
  undos.push({ restores: 'directories', command: { summary: `remove directory ${path}`, script } });
  await runOrFail({ summary: `make directory ${path}`, script: makeDirectoryScript(action, copy) }, transport);
}

async function run(
  { command, undo, restores = 'services' }: Run,
  transport: Transport,
  { undos }: Record,
): Promise<void> {
  const known = typeof undo === 'object' && 'script' in undo ? [{ restores, command: undo }] : [];
  if (restores !== 'accounts') undos.push(...known);
  await runOrFail(command, transport);
  if (restores === 'accounts') undos.push(...known);
}
