import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, copyFile, mkdir, mkdtemp, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ProvisionError } from '../model/errors.js';
import { assetPath } from './assets.js';
import { generateKey, labFiles } from './directory.js';
import { ifThere, readIfThere } from './files.js';
import {
  controlNamespace,
  deleteNamespace,
  hostNamespace,
  inControlNamespace,
  namespaceLink,
  portName,
  unplug,
} from './network.js';
import { hostPaths } from './paths.js';
import type { HostPaths } from './paths.js';
import { isAlive, processesInNamespace, readRecords, runTool, signal, waitUntil } from './process.js';
import type { ProcessRecord } from './process.js';
import type { Lab } from './state.js';
import type { LabHost } from './topology.js';

/** A host of a lab, with what is needed to act on it. */
export interface HostHandle {
  readonly lab: Lab;
  readonly host: LabHost;
  readonly paths: HostPaths;
}

/** Where users' keys go, and who owns them (build-image.sh makes the users). */
const LOGINS = [
  { home: 'root', uid: 0 },
  { home: 'home/ops', uid: 1000 },
  { home: 'home/deploy', uid: 1001 },
] as const;

/** How long a host may take until ssh answers; one second is usual, many hosts on a busy machine take longer. */
const BOOT_DEADLINE_MS = 120_000;

/** A handle on a host. @throws ProvisionError `lab-host-unknown` */
export function hostOf(lab: Lab, stateDirectory: string, name: string): HostHandle {
  const host = lab.hosts.find((candidate) => candidate.name === name);
  if (host === undefined) {
    const names = lab.hosts.map((candidate) => candidate.name).join(', ');
    throw new ProvisionError({
      code: 'lab-host-unknown',
      message: `lab ${lab.name}: no host ${name}; there are: ${names}`,
    });
  }
  return { lab, host, paths: hostPaths(stateDirectory, name) };
}

/** The name under which nspawn and the cgroup know the host: unique on the machine. */
function machineName(handle: HostHandle): string {
  return `${handle.lab.name}.${handle.host.name}`;
}

/**
 * Writes what makes a host this host: its name, machine id, ssh key and who may log in.
 * @returns its public ssh key, `ssh-ed25519 AAAA…`
 */
export async function createIdentity(handle: HostHandle): Promise<string> {
  const { identity, changes, work, root } = handle.paths;
  for (const directory of [join(identity, 'etc/ssh'), changes, work, root]) await mkdir(directory, { recursive: true });
  const { name } = handle.host;
  await writeFile(join(identity, 'etc/hostname'), `${name}\n`);
  await writeFile(join(identity, 'etc/hosts'), `127.0.0.1 localhost\n::1 localhost\n127.0.1.1 ${name}\n`);
  await writeFile(join(identity, 'etc/machine-id'), `${randomBytes(16).toString('hex')}\n`);
  const key = join(identity, 'etc/ssh/ssh_host_ed25519_key');
  await generateKey(key, name);
  for (const { home, uid } of LOGINS) {
    const directory = join(identity, home, '.ssh');
    await mkdir(directory, { recursive: true });
    await copyFile(labFiles(handle.lab.directory).publicKey, join(directory, 'authorized_keys'));
    for (const path of [dirname(directory), directory, join(directory, 'authorized_keys')]) await chown(path, uid, uid);
    await chmod(dirname(directory), 0o700);
    await chmod(directory, 0o700);
  }
  const [type, text] = (await readFile(`${key}.pub`, 'utf8')).split(' ');
  return `${type ?? ''} ${text ?? ''}`;
}

/**
 * Mounts the host's file system: the image, its identity, and above them what it will write. `volatile`: nothing is
 * synced to the machine's disk, which makes dpkg several times faster; what a host wrote still outlives its power cut.
 * @param layers directories of the image, the uppermost first
 */
export async function mountDisk(handle: HostHandle, layers: readonly string[]): Promise<void> {
  const { identity, changes, work, root } = handle.paths;
  const lower = [identity, ...layers].join(':');
  const options = `lowerdir=${lower},upperdir=${changes},workdir=${work},volatile`;
  await runTool('mount', ['-t', 'overlay', 'provision-lab', '-o', options, root]);
}

/**
 * Gives a host that is off an empty disk, as another machine in its place has it: its name, address and ssh key stay.
 * @returns where the files are that it wrote before
 */
export async function exchangeDisk(handle: HostHandle): Promise<string> {
  const { changes, work, root, directory } = handle.paths;
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .filter((line) => line.split(' ')[4] === root);
  const [, lower = ''] = /\blowerdir=([^,\s]+)/.exec(mounts[0] ?? '') ?? [];
  // The first is its identity, which mountDisk gives it again.
  const [, ...layers] = lower.split(':');
  await unmountDisk(handle);
  const old = await mkdtemp(join(directory, 'old-disk-'));
  await rename(changes, join(old, 'changes'));
  await rm(work, { recursive: true, force: true });
  for (const path of [changes, work]) await mkdir(path);
  await mountDisk(handle, layers);
  return join(old, 'changes');
}

/** Unmounts the host's file system, when it is mounted. */
async function unmountDisk(handle: HostHandle): Promise<void> {
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n').map((line) => line.split(' ')[4]);
  if (mounts.includes(handle.paths.root)) await runTool('umount', [handle.paths.root]);
}

/**
 * Starts a host: it boots in the background, and goes on when this program ends.
 * @throws ProvisionError `lab-host-runs`
 */
export async function powerOn(handle: HostHandle): Promise<void> {
  const { lab, host, paths } = handle;
  if (await isRunning(handle)) {
    throw new ProvisionError({ code: 'lab-host-runs', message: `${host.name}: runs already; expected it to be off` });
  }
  const network = [controlNamespace(lab.name), hostNamespace(lab.name, host.name), portName(host.name)];
  const console = await open(paths.console, 'a');
  const args = [paths.directory, machineName(handle), host.name, ...network, `${host.address}/24`];
  // Where systemd manages the machine's cgroups, the host's are made below a scope that is delegated to us.
  const scope = existsSync('/run/systemd/system')
    ? ['systemd-run', '--quiet', '--scope', '--property=Delegate=yes']
    : [];
  const child = spawn('env', [...scope, 'sh', assetPath('run-host.sh'), ...args], {
    detached: true,
    stdio: ['ignore', console.fd, console.fd],
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  child.unref();
  await console.close();
}

/** The processes that run the host, from outside: its supervisor loop and nspawn. */
async function supervisors(handle: HostHandle): Promise<readonly ProcessRecord[]> {
  const records = await readRecords(handle.paths.processes);
  const alive = await Promise.all(records.map(isAlive));
  return records.filter((_, index) => alive[index] === true);
}

/** Every process of a host: those that run it, and those inside, which its network namespace tells apart. */
async function hostProcesses(handle: HostHandle): Promise<readonly ProcessRecord[]> {
  const link = await namespaceLink(hostNamespace(handle.lab.name, handle.host.name));
  const inside = link === undefined ? [] : await processesInNamespace(link);
  return [...(await supervisors(handle)), ...inside];
}

/** Whether the host runs. */
export async function isRunning(handle: HostHandle): Promise<boolean> {
  return (await supervisors(handle)).length > 0;
}

async function answersSsh(handle: HostHandle): Promise<boolean> {
  const { sshConfig } = labFiles(handle.lab.directory);
  const ssh = ['ssh', '-F', sshConfig, '-o', 'ConnectTimeout=3', '-o', 'BatchMode=yes', handle.host.name, 'true'];
  const [program = '', ...args] = inControlNamespace(handle.lab.name, ssh);
  return runTool(program, args).then(
    () => true,
    () => false,
  );
}

/** Whether the host was started and has ended. */
async function hasStopped(handle: HostHandle): Promise<boolean> {
  return (await readRecords(handle.paths.processes)).length > 0 && !(await isRunning(handle));
}

/**
 * Waits until ssh answers on the host.
 * @throws ProvisionError `lab-boot-failed` with the end of its console
 */
export async function waitForSsh(handle: HostHandle): Promise<void> {
  await waitUntil(async () => (await answersSsh(handle)) || (await hasStopped(handle)), BOOT_DEADLINE_MS, 200);
  if (await answersSsh(handle)) return;
  const what = (await hasStopped(handle)) ? 'stopped while booting' : 'ssh does not answer';
  const console = (await readIfThere(handle.paths.console))?.trimEnd().split('\n').slice(-12) ?? [];
  throw new ProvisionError({
    code: 'lab-boot-failed',
    message: `${handle.host.name}: ${what}; its console ends:\n${console.join('\n')}`,
    hint: handle.paths.console,
  });
}

/** Ends every process of a host at once, and waits until they are gone. Its disk stays. */
async function endProcesses(handle: HostHandle): Promise<void> {
  const gone = await waitUntil(
    async () => {
      const processes = await hostProcesses(handle);
      for (const record of processes) await signal(record, 'SIGKILL');
      return processes.length === 0;
    },
    30_000,
    20,
  );
  if (!gone) {
    throw new ProvisionError({
      code: 'lab-stuck',
      message: `${handle.host.name}: processes do not end: ${(await hostProcesses(handle)).map(({ pid }) => pid).join(', ')}`,
    });
  }
  await rm(handle.paths.processes, { force: true });
}

/** Deletes the host's network, with every address, sysctl and packet filter that it had set. */
async function removeNetwork(handle: HostHandle): Promise<void> {
  const name = hostNamespace(handle.lab.name, handle.host.name);
  if ((await namespaceLink(name)) !== undefined) await deleteNamespace(name);
}

/** A power cut: the cable first, so that no peer hears the kernel close its connections, then all processes at once. */
export async function cutPower(handle: HostHandle): Promise<void> {
  await unplug(handle.lab.name, handle.host.name);
  await endProcesses(handle);
  await removeNetwork(handle);
}

/** A clean shutdown, as by its power button. */
export async function shutDown(handle: HostHandle): Promise<void> {
  // nspawn turns SIGTERM into a shutdown of the booted system (systemd-nspawn(1), --kill-signal).
  const nspawn = (await readRecords(handle.paths.processes)).at(-1);
  if (nspawn !== undefined) await signal(nspawn, 'SIGTERM');
  await waitUntil(async () => !(await isRunning(handle)), 90_000, 50);
  await cutPower(handle);
}

/** Takes away all that a host is on this machine: processes, network, mount, disk. Fit for half-made hosts. */
export async function removeHost(handle: HostHandle): Promise<void> {
  await cutPower(handle);
  const { root, directory } = handle.paths;
  // nspawn names its lock after the inode of the root directory, and leaves it behind when it is killed.
  const inode = await ifThere(stat(root));
  if (inode !== undefined) await rm(`/run/systemd/nspawn/locks/inode-${inode.dev}:${inode.ino}`, { force: true });
  await unmountDisk(handle);
  await rm(join('/run/systemd/nspawn/propagate', machineName(handle)), { recursive: true, force: true });
  await rm(directory, { recursive: true, force: true });
}
