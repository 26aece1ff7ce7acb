import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { asStdin, checkSnapshot, type CheckedSnapshot } from '../day-two/check-snapshot.js';
import { readSnapshotStatus, type SnapshotStatus } from '../day-two/save-snapshot.js';
import { readSnapshot } from '../day-two/snapshot-file.js';
import { EXIT, ProvisionError } from '../model/errors.js';
import { outputOf, type Output } from '../model/remote.js';
import { passphraseSource } from '../pki/passphrase.js';
import { trialLines, tryRestoreScript } from '../shell/snapshot.js';
import type { ConnectionOptions } from './connection-options.js';
import type { Context } from './context.js';
import { openInventory, type InventoryOptions } from './inventory-options.js';
import { withHosts } from './with-hosts.js';

/** The options of `snapshot verify`. */
export interface VerifySnapshotOptions extends ConnectionOptions, InventoryOptions {
  readonly on?: string;
  readonly passphraseFile?: string;
}

/** A trial restore writes the database once more, and its log. */
const TRIAL_GROWTH = 2.5;
const TRIAL_SPARE_BYTES = 256 * 1024 * 1024;
const TRIAL_TIMEOUT_MS = 2 * 60 * 60_000;
/** With what a trial ends where there is no tool for it. */
const NO_TOOL = 127;

/** Compares a snapshot with what is known of it, restores it on trial, and says what is in it. */
export async function runVerifySnapshot(
  file: string,
  inventory: string | undefined,
  { options, context }: { readonly options: VerifySnapshotOptions; readonly context: Context },
): Promise<void> {
  if ((options.on === undefined) !== (inventory === undefined))
    throw new ProvisionError({
      code: 'inventory-needed',
      message: 'a trial on a host needs both: the host, and the inventory that it is in',
      hint: 'provision snapshot verify FILE INVENTORY --on HOST',
    });
  const path = resolve(file);
  const source = passphraseSource({ file: options.passphraseFile, env: context.env, ask: context.ask.passphrase });
  const snapshot = await checkSnapshot(path, source);
  const { manifest, bytes } = snapshot;
  const compared = manifest === undefined ? 'there is no manifest of ours beside it' : 'as its manifest says';
  context.stdout.write(`${path}: ${bytes} bytes, etcd's checksum matches; ${compared}\n`);
  const { host, status } =
    inventory === undefined || options.on === undefined
      ? await tryHere(snapshot)
      : await tryOn(options.on, snapshot, inventory, { options, context });
  requireSame(snapshot, status);
  context.stdout.write(
    `restored on trial ${host === undefined ? 'here' : `on ${host}`}, and thrown away: revision ${status.revision}, ${status.totalKey} keys\n`,
  );
  context.exit(EXIT.done);
}

function requireSame({ path, manifest }: CheckedSnapshot, { revision, totalKey, hash }: SnapshotStatus): void {
  if (manifest === undefined) return;
  if (manifest.revision === revision && manifest.keys === totalKey && manifest.hash === hash) return;
  throw new ProvisionError({
    code: 'snapshot-differs',
    message: `${path}: etcd's tool finds revision ${revision}, ${totalKey} keys and hash ${hash} in it; its manifest says ${manifest.revision}, ${manifest.keys} and ${manifest.hash}`,
    hint: 'take another snapshot',
  });
}

/** How a trial ended, and where; no host: on this machine. */
interface Trial {
  readonly host?: string;
  readonly status: SnapshotStatus;
}

async function tryHere({ path, passphrase }: CheckedSnapshot): Promise<Trial> {
  // Beside the snapshot: there is room for such files, and it is for its owner only.
  const directory = await mkdtemp(join(dirname(path), '.trial-'));
  try {
    const here = join(directory, 'snapshot.db');
    if (passphrase === undefined) await symlink(path, here);
    else await writeFile(here, readSnapshot(path, passphrase), { flag: 'wx', mode: 0o600 });
    return { status: readTrial('this machine', await runHere(trialLines('.').join('\n'), directory)) };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function runHere(script: string, cwd: string): Promise<Output> {
  const env = { PATH: process.env['PATH'], ETCDCTL_API: '3', LC_ALL: 'C' };
  return new Promise((done) => {
    execFile('sh', ['-euc', script], { cwd, env, timeout: TRIAL_TIMEOUT_MS }, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      done(outputOf(status, stdout, stderr));
    });
  });
}

async function tryOn(
  host: string,
  snapshot: CheckedSnapshot,
  inventoryFile: string,
  { options, context }: { readonly options: VerifySnapshotOptions; readonly context: Context },
): Promise<Trial> {
  const inventory = await openInventory(inventoryFile, options, context);
  return withHosts(inventory, { options, context }, async (connector) => {
    const transport = await connector.connect(host);
    const output = await transport.run({
      summary: 'restore a snapshot on trial',
      script: tryRestoreScript(Math.ceil(snapshot.bytes * TRIAL_GROWTH) + TRIAL_SPARE_BYTES),
      stdin: asStdin(snapshot),
      timeoutMs: TRIAL_TIMEOUT_MS,
    });
    return { host, status: readTrial(host, output) };
  });
}

function readTrial(where: string, { status, stderr }: Output): SnapshotStatus {
  if (status === 0) return readSnapshotStatus(where, stderr);
  const [last = ''] = stderr.trimEnd().split('\n').slice(-1);
  throw new ProvisionError({
    code: status === NO_TOOL ? 'no-etcd-tool' : 'trial-failed',
    message: `${where}: the trial restore did not work (status ${status}): ${last.slice(0, 500)}`,
    hint:
      status === NO_TOOL
        ? 'try it on a host that has etcd: provision snapshot verify FILE INVENTORY --on HOST'
        : 'take another snapshot; this one is not to be relied on',
  });
}
