import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Connection } from '../../src/model/inventory.js';
import { createSshConnector, type ConnectorOptions } from '../../src/ssh/connector.js';
import { temporaryDirectory } from './temporary-directory.js';

const PROGRAM = '/usr/sbin/sshd';

/** Why no real sshd can be started here; undefined when it can. */
export const missingSshd: string | undefined = existsSync(PROGRAM)
  ? undefined
  : `${PROGRAM} is missing (apt-get install openssh-server)`;

/** A directory that holds a home, keys and servers of one test file. */
export interface SshLab {
  readonly directory: string;
  /** A home directory with `.ssh/id_ed25519` (accepted by every server) and `.ssh/known_hosts`. */
  readonly home: string;
  /** Starts a server on a free port of 127.0.0.1. @param options further lines of its sshd_config */
  startServer(name: string, ...options: readonly string[]): Promise<Server>;
  /** Ends all servers; the directory goes after the test file. */
  remove(): Promise<void>;
}

/** One real sshd. */
export interface Server {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  /** Its public host key: type and base64. */
  readonly hostKey: string;
  /** What it logged, at level VERBOSE. */
  log(): string;
  /** Gives it another host key, and starts it again on the same port. */
  restartWithNewHostKey(): Promise<Server>;
}

/** Makes a key pair. @param options further arguments of `ssh-keygen` */
export function makeKey(file: string, ...options: readonly string[]): string {
  execFileSync('ssh-keygen', ['-q', '-f', file, ...(options.includes('-N') ? [] : ['-N', '']), ...options]);
  return readFileSync(`${file}.pub`, 'utf8');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** On how many free ports a server is started before that is an error. */
const START_TRIES = 3;

/** How long one attempt may wait for the banner of a server that has accepted it. */
const BANNER_MS = 2000;

/** Whether a server of SSH answers. Something else may have the port by now, and say nothing. */
async function answersSsh(port: number): Promise<boolean> {
  // From another address than the server's: where nobody listens, a connection may else be made with itself.
  const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2', timeout: BANNER_MS });
  try {
    const [banner] = (await Promise.race([
      once(socket, 'data'),
      ...['timeout', 'close'].map(async (event) => once(socket, event)),
    ])) as [unknown];
    return String(banner).startsWith('SSH-');
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Waits for a server that was just started. @returns false where it has ended: another process has taken its port */
async function hasStarted(child: ChildProcess, port: number): Promise<boolean> {
  for (let tries = 0; tries < 200 && child.exitCode === null; tries += 1) {
    if (await answersSsh(port)) return true;
    await pause(25);
  }
  return false;
}

/**
 * Makes a lab in a directory of its own.
 * @param wrapper words before `sshd -D …`, to start it in surroundings of its own
 */
export function createSshLab(wrapper: readonly string[] = []): SshLab {
  const directory = temporaryDirectory('ssh');
  const home = join(directory, 'home');
  mkdirSync(join(home, '.ssh'), { recursive: true, mode: 0o700 });
  writeFileSync(join(home, '.ssh/config'), `Host *\n  UserKnownHostsFile ${home}/.ssh/known_hosts\n`);
  // sshd wants its privilege separation directory, which a service manager usually makes.
  mkdirSync('/run/sshd', { recursive: true });
  const authorized = makeKey(join(home, '.ssh/id_ed25519'), '-t', 'ed25519');
  writeFileSync(join(directory, 'authorized_keys'), authorized, { mode: 0o600 });
  const running: ChildProcess[] = [];

  async function start(name: string, port: number, options: readonly string[]): Promise<Server> {
    const path = (file: string): string => join(directory, `${name}.${file}`);
    const hostKey = existsSync(path('hostkey'))
      ? readFileSync(path('hostkey.pub'), 'utf8')
      : makeKey(path('hostkey'), '-t', 'ed25519');
    const config = [
      ...options,
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${path('hostkey')}`,
      `AuthorizedKeysFile ${join(directory, 'authorized_keys')}`,
      `PidFile ${path('pid')}`,
      'StrictModes no',
      'UsePAM no',
      'PasswordAuthentication no',
      'PermitRootLogin yes',
      'LogLevel VERBOSE',
      // bash reads ~/.bashrc for sshd only in a first shell: what the tester has there is no part of a test.
      'SetEnv SHLVL=2',
    ];
    writeFileSync(path('config'), `${config.join('\n')}\n`);
    const child = spawn('env', [...wrapper, PROGRAM, '-D', '-E', path('log'), '-f', path('config')], {
      stdio: 'ignore',
    });
    running.push(child);
    if (!(await hasStarted(child, port))) {
      const said = existsSync(path('log')) ? readFileSync(path('log'), 'utf8').slice(-1000) : '';
      throw new Error(`no sshd answers on port ${port}: ${said}`);
    }
    const server: Server = {
      name,
      port,
      pid: child.pid ?? 0,
      hostKey: hostKey.split(' ').slice(0, 2).join(' '),
      log: () => readFileSync(path('log'), 'utf8'),
      async restartWithNewHostKey() {
        const gone = new Promise((resolve) => child.once('exit', resolve));
        child.kill();
        await gone;
        rmSync(path('hostkey'));
        rmSync(path('hostkey.pub'));
        return start(name, port, options);
      },
    };
    return server;
  }

  return {
    directory,
    home,
    async startServer(name, ...options) {
      for (let tries = 1; ; tries += 1) {
        try {
          return await start(name, await freePort(), options);
        } catch (error) {
          // Another process may have taken the port that was free.
          if (tries === START_TRIES) throw error;
        }
      }
    },
    async remove() {
      await Promise.all(
        running.map(
          (child) =>
            new Promise<void>((resolve) => {
              if (child.exitCode !== null || child.signalCode !== null) resolve();
              child.once('exit', () => {
                resolve();
              });
              child.kill();
            }),
        ),
      );
    },
  };
}

/** The connection variables for a server, as an inventory would give them. */
export function connectionTo(server: Server, more: Partial<Connection> = {}): Connection {
  return { address: '127.0.0.1', port: server.port, user: userInfo().username, ...more };
}

/** Writes the servers' keys to the lab's known_hosts, replacing what was there. */
export function trust(lab: SshLab, ...servers: readonly Server[]): void {
  const lines = servers.map((server) => `[127.0.0.1]:${server.port} ${server.hostKey}\n`);
  writeFileSync(join(lab.home, '.ssh/known_hosts'), lines.join(''));
}

/** Options of a connector whose user lives in the lab's home. `-F` keeps the machine's own ssh configuration out. */
export function labOptions(
  lab: SshLab,
  hosts: Readonly<Record<string, Connection>>,
  more: Partial<ConnectorOptions> = {},
): ConnectorOptions {
  const config = join(lab.home, '.ssh/config');
  const withConfig = Object.entries(hosts).map(
    ([name, connection]) => [name, { ...connection, sshArgs: `-F ${config} ${connection.sshArgs ?? ''}` }] as const,
  );
  return {
    hosts: new Map(withConfig),
    forks: 50,
    env: { PATH: process.env['PATH'] },
    home: lab.home,
    user: userInfo().username,
    acceptNewHostKeys: false,
    randomBytes,
    onNotice: () => undefined,
    ...more,
  };
}

/** Runs something with a connector, and closes it whatever happens. */
export async function withConnector<T>(
  options: ConnectorOptions,
  use: (connector: ReturnType<typeof createSshConnector>) => Promise<T>,
): Promise<T> {
  const connector = createSshConnector(options);
  try {
    return await use(connector);
  } finally {
    await connector.close();
  }
}
