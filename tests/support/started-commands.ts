import { spawnSync } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { temporaryDirectory } from './temporary-directory.js';

/** Commands that a look may start, as they are on this machine. */
const REAL = [
  ...['awk', 'base64', 'cat', 'cut', 'date', 'grep', 'head', 'id', 'md5sum', 'openssl', 'readlink', 'sed', 'seq'],
  ...['sha256sum', 'stat', 'tail', 'timeout', 'tr'],
];

const UNIT = [
  'Id=x.service',
  'FragmentPath=/lib/systemd/system/x.service',
  'Environment=CONFIG=/etc/x.cfg',
  'EnvironmentFiles=/etc/default/etcd (ignore_errors=yes)',
  'MainPID=7',
];

/** Commands that need what this machine may not have, and what they print instead. */
const CANNED: Readonly<Record<string, readonly string[]>> = {
  systemctl: UNIT,
  etcdctl: ['{"raftIndex":1}'],
  'dpkg-query': ['etcd-server', 'etcd-client', 'openssl', 'haproxy', 'keepalived'].map((name) => `P ${name} ii 1`),
  'apt-cache': [],
  ip: ['1: lo    inet 127.0.0.1/8 scope host lo'],
  ss: [],
  curl: ['HTTP/1.1 200 OK', '', '{}'],
};

/** Processes that a host shows: an API server, which stands for the main process of every unit too. */
const PROCESSES = {
  '/proc/7/comm': 'kube-apiserver\n',
  '/proc/7/cmdline': 'kube-apiserver\0--secure-port=6443\0',
  // The member listens.
  '/proc/net/tcp': '   0: 0100007F:094B 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 9 1\n',
  '/proc/self/ns/net': '',
  '/proc/sys/net/ipv4/ip_nonlocal_bind': '1\n',
  '/sys/class/net/eth0': '',
};

/**
 * Runs a script here, with `sh`, below a directory of its own, and counts the commands that it starts. Shells that a shell
 * forks for `$(…)` and pipes are not counted: how many there are is each shell's own business.
 * @param files what the host has, by absolute path; `undefined` is a directory
 * @returns command → how often, in order of the names
 * @throws Error when the script starts a command that is not listed here
 */
export function startedCommands(
  script: string,
  files: ReadonlyMap<string, string | undefined>,
): ReadonlyMap<string, number> {
  const root = temporaryDirectory('started');
  const started = join(root, 'started');
  writeFileSync(started, '');
  for (const [path, text] of [...Object.entries(PROCESSES), ...files]) put(join(root, path), text);
  // On the same network as the shell.
  mkdirSync(join(root, '/proc/7/ns'));
  linkSync(join(root, '/proc/self/ns/net'), join(root, '/proc/7/ns/net'));
  for (const name of [...REAL, ...Object.keys(CANNED)]) putCommand(root, name, started);
  const inside = script
    // Relative: a process's number is all the digits of its path.
    .replaceAll(/(?<![\w}.])\/(?=(?:proc|sys)\/)/g, '')
    .replaceAll(/(?<![\w}.])\/(?=(?:etc|var|usr|run)\/)/g, `${root}/`);
  const shell = findCommand('sh');
  const env = { PATH: join(root, 'bin'), LC_ALL: 'C' };
  const { stderr, status } = spawnSync(shell, ['-c', inside], {
    cwd: root,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (status !== 0 || stderr !== '')
    throw new Error(
      `the look ended with ${status ?? 'a signal'} (a new command? list it in started-commands.ts): ${stderr}`,
    );
  const names = readFileSync(started, 'utf8').trim().split('\n').sort();
  return new Map(names.map((name) => [name, names.filter((other) => other === name).length]));
}

function put(path: string, text: string | undefined): void {
  mkdirSync(text === undefined ? path : dirname(path), { recursive: true });
  if (text !== undefined) writeFileSync(path, text);
}

/** A command that notes its name, and then is the real one or prints its lines. */
function putCommand(root: string, name: string, started: string): void {
  const canned = CANNED[name];
  const rest =
    canned === undefined ? `exec ${findCommand(name)} "$@"` : canned.map((line) => `echo '${line}'`).join('\n');
  const path = join(root, 'bin', name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!${findCommand('sh')}\necho ${name} >>${started}\n${rest}\n`, { mode: 0o755 });
}

function findCommand(name: string): string {
  const places = (process.env['PATH'] ?? '').split(delimiter).map((directory) => join(directory, name));
  const found = places.find((path) => existsSync(path));
  if (found === undefined) throw new Error(`this machine has no ${name}`);
  return found;
}
