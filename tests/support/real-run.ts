import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventSchema, type EventJson } from '../../src/report/event-schema.js';
import { provision } from './lab.js';
import { createSshLab, trust, type Server, type SshLab } from './sshd.js';
import { temporaryDirectory } from './temporary-directory.js';

/** What hosts have of their own, beside a /run and a /var/backups; all else is this machine's. */
export interface OwnPlaces {
  /** Directories that they may write in: copies of this machine's. */
  readonly copies?: readonly string[];
  /** Programs that they find before all others: name → shell script. */
  readonly programs?: Readonly<Record<string, string>>;
}

/** Where every remote command looks first (shell/remote-environment.ts). */
const FIRST_PLACE = '/usr/local/sbin';

/**
 * Starts what follows with a /run and a /var/backups of its own: where hosts keep locks and backups, so that tests meet
 * neither this machine's nor each other's.
 * @param programs a directory
 */
function inOwnPlaces(copies: readonly string[], programs: string): readonly string[] {
  const script = [
    'mount -t tmpfs tmpfs /run',
    'mount -t tmpfs tmpfs /var/backups',
    ...copies.map((path) => {
      const own = `/run/copies${path}`;
      const layers = `lowerdir=${path},upperdir=${own}/upper,workdir=${own}/work`;
      return `mkdir -p ${own}/upper ${own}/work && mount -t overlay -o ${layers} overlay ${path}`;
    }),
    `mount --bind ${programs} ${FIRST_PLACE}`,
    'mkdir /run/sshd',
    'exec "$@"',
  ];
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script.join(' && '), 'sh'];
}

/** Hosts behind real servers, and an inventory directory: the whole program runs as a user would run it. */
export interface RealHosts {
  readonly lab: SshLab;
  /** The directory that the inventory is in. */
  readonly directory: string;
  readonly inventory: string;
  readonly playbook: string;
  readonly servers: readonly Server[];
  /** Writes a playbook of one play over all hosts. */
  write(tasks: readonly string[], more?: readonly string[]): void;
  /** The command line of a verb on this inventory and playbook. */
  command(verb: string, ...words: readonly string[]): readonly string[];
  /** Starts a command as a user of this lab. */
  start(command: readonly string[], stdout?: number): ChildProcess;
  /** The events of the last run that was kept. */
  journal(): readonly EventJson[];
  /** Runs a script where the first host's lock and backups are, or those of the host named. */
  onHosts(script: string, host?: string): Promise<{ readonly status: number; readonly stdout: string }>;
  remove(): Promise<void>;
}

/** Starts one server a name; all are this machine. */
export async function startRealHosts(...names: readonly string[]): Promise<RealHosts> {
  return startRealHostsWith({}, names);
}

/** {@link startRealHosts} whose hosts have more of their own. */
export async function startRealHostsWith(
  { copies = [], programs = {} }: OwnPlaces,
  names: readonly string[],
): Promise<RealHosts> {
  const bin = temporaryDirectory('programs');
  for (const [name, script] of Object.entries(programs))
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const lab = createSshLab(inOwnPlaces(copies, bin));
  const servers = await Promise.all(names.map((name) => lab.startServer(name)));
  trust(lab, ...servers);
  const directory = join(lab.directory, 'inventory');
  mkdirSync(directory);
  const inventory = join(directory, 'inventory.yaml');
  const playbook = join(directory, 'playbook.yaml');
  writeFileSync(inventory, inventoryOf(lab, servers));
  return {
    lab,
    directory,
    inventory,
    playbook,
    servers,
    write(tasks, more = []) {
      const play = ['- name: work', '  hosts: all', ...more, '  tasks:', ...tasks.map((task) => `    - ${task}`)];
      writeFileSync(playbook, `${play.join('\n')}\n`);
    },
    command: (verb, ...words) => provision(verb, inventory, '--playbook', playbook, ...words),
    start([program = '', ...args], stdout) {
      const env = { PATH: process.env['PATH'], HOME: lab.home };
      return spawn(program, args, { stdio: ['ignore', stdout ?? 'pipe', 'pipe'], env });
    },
    journal() {
      const kept = join(directory, '.provision/journal');
      const last = readdirSync(kept).sort().at(-1) ?? '';
      const lines = readFileSync(join(kept, last), 'utf8').split('\n');
      return lines.filter((line) => line !== '').map((line) => eventSchema.parse(JSON.parse(line)));
    },
    onHosts: (script, host = servers[0]?.name) =>
      inNamespaceOf(servers.find(({ name }) => name === host)?.pid ?? 0, script),
    remove: () => lab.remove(),
  };
}

function inventoryOf(lab: SshLab, servers: readonly Server[]): string {
  const hosts = servers.map(({ name, port }) => `    ${name}: { ansible_port: ${port} }`);
  const vars = [
    'ansible_host: 127.0.0.1',
    'ansible_user: root',
    `ansible_ssh_private_key_file: ${lab.home}/.ssh/id_ed25519`,
    `ansible_ssh_common_args: -F ${lab.home}/.ssh/config`,
  ];
  return ['all:', '  hosts:', ...hosts, '  vars:', ...vars.map((line) => `    ${line}`), ''].join('\n');
}

async function inNamespaceOf(pid: number, script: string): Promise<{ status: number; stdout: string }> {
  const child = spawn('nsenter', ['--target', String(pid), '--mount', 'sh', '-c', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return ended(child).then(({ status, stdout }) => ({ status, stdout }));
}

/** How a process ended, with all that it printed where that was a pipe. */
export async function ended(
  child: ChildProcess,
): Promise<{ readonly status: number; readonly stdout: string; readonly stderr: string }> {
  const text = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk: Buffer) => (text.stdout += chunk.toString('utf8')));
  child.stderr?.on('data', (chunk: Buffer) => (text.stderr += chunk.toString('utf8')));
  const status = await new Promise<number>((resolve) => {
    child.once('close', (code) => {
      resolve(code ?? 255);
    });
  });
  return { status, ...text };
}

/** Removes what {@link RealHosts} has kept of earlier runs. */
export function forgetRuns({ directory }: RealHosts): void {
  rmSync(join(directory, '.provision'), { recursive: true, force: true });
}
