import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { makePodImage } from './pod-image.js';
import { temporaryDirectory } from './temporary-directory.js';

/** What opens the hosts to a control machine. */
export interface SshFiles {
  readonly privateKey: string;
  readonly knownHosts: string;
}

/** A machine in the image of deploy/Containerfile: its own file system, processes, user and name. */
export interface ControlMachine {
  /** Its checkout, as this machine sees it; there it is `/fleet`. */
  readonly fleet: string;
  /** Takes what a pipeline hands on, the repository with the saved plans, in place of what it had. */
  receive(checkout: string): void;
  /** The command line that runs a program there, as a pod does. @param cwd a path there */
  command(program: readonly string[], env?: Readonly<Record<string, string>>, cwd?: string): readonly string[];
}

/** The image's user, as deploy/Containerfile makes it. */
const USER = 10001;

/** Makes the image's file system, which machines share and never write to. @returns its root */
export function makeImageRoot(): string {
  const directory = temporaryDirectory('image');
  makePodImage(directory, 'provision:test');
  const root = join(directory, 'root');
  for (const path of ['proc', 'dev', 'fleet', 'home/provision/.ssh']) mkdirSync(join(root, path), { recursive: true });
  return root;
}

/** Makes a control machine. @param root {@link makeImageRoot} */
export function makeControlMachine(name: string, root: string, ssh: SshFiles): ControlMachine {
  const own = temporaryDirectory(name);
  const fleet = join(own, 'fleet');
  mkdirSync(fleet);
  mkdirSync(join(own, 'ssh'));
  cpSync(ssh.privateKey, join(own, 'ssh/id_ed25519'));
  cpSync(ssh.knownHosts, join(own, 'ssh/known_hosts'));
  const give = (): void => {
    execFileSync('chown', ['-R', `${USER}:${USER}`, own]);
  };
  give();
  return {
    fleet,
    receive(checkout) {
      rmSync(fleet, { recursive: true });
      cpSync(checkout, fleet, { recursive: true });
      give();
    },
    command(program, env = {}, cwd = '/fleet') {
      const variables = Object.entries({ ...env, PATH: process.env['PATH'] ?? '', HOME: '/home/provision' });
      const clean = ['env', '-i', ...variables.map(([key, value]) => `${key}=${value}`)];
      const apart = ['unshare', '--mount', '--pid', '--fork', '--uts', '--ipc', '--propagation', 'private'];
      return [...clean, ...apart, 'sh', '-euc', enter(name, root, own), 'sh', cwd, ...program];
    },
  };
}

/** The directory and then the words of a command are the script's. */
function enter(name: string, root: string, own: string): string {
  return `hostname ${name}
mount -t proc proc ${root}/proc
mount --rbind /dev ${root}/dev
mount -t tmpfs tmpfs ${root}/tmp
mount --bind ${own}/fleet ${root}/fleet
mount --bind ${own}/ssh ${root}/home/provision/.ssh
exec chroot --userspec=${USER}:${USER} ${root} /bin/sh -euc 'cd "$1"; shift; exec "$@"' sh "$@"`;
}

/**
 * The command line that runs a program of this machine as an operator whose `.ssh` has these files alone. Where root's home
 * is, is said by /etc/passwd: it is this machine's, under a layer that is gone with the command.
 */
export function asOperator(
  { privateKey, knownHosts }: SshFiles,
  cwd: string,
  program: readonly string[],
): readonly string[] {
  const script = `mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work
mount -t overlay -o lowerdir="$1",upperdir=/mnt/upper,workdir=/mnt/work overlay "$1"
rm -rf "$1/.ssh"
mkdir -m 0700 "$1/.ssh"
cp "$2" "$1/.ssh/id_ed25519"
cp "$3" "$1/.ssh/known_hosts"
export HOME="$1"
cd "$4"
shift 4
exec "$@"`;
  const apart = ['unshare', '--mount', '--propagation', 'private', 'sh', '-euc', script, 'sh'];
  return [...apart, userInfo().homedir, privateKey, knownHosts, cwd, ...program];
}
