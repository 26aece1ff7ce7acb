import { createServer, type AddressInfo, type Socket } from 'node:net';
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import ssh2, { type Connection as ServerConnection, type ServerChannel } from 'ssh2';
import type { Connection } from '../../src/model/inventory.js';
import { Secret } from '../../src/model/secret.js';
import type { ConnectorOptions } from '../../src/ssh/connector.js';
import { scratch } from './scratch.js';

/** Where a {@link HostileServer} stops to answer. */
export type Silence = 'handshake' | 'authentication' | 'session' | 'exec' | 'direct-tcpip' | 'close';

/** How a server behaves. */
export interface Behaviour {
  /** From here on nothing is answered; what is before works. */
  readonly silentAt?: Silence;
  /** What it does with a command; default: runs it with `sh`, as an honest host. */
  readonly onExec?: (channel: ServerChannel, line: string) => unknown;
  /** Is given each message that comes in, as ssh2's debug log names it: `CHANNEL_CLOSE (r:0)`. */
  readonly onMessage?: (message: string) => unknown;
  /** Takes no login but one with a password, and is given it: `ops with …`. */
  readonly onLogin?: (login: string) => unknown;
}

/** An SSH server on a free port of 127.0.0.1 that lets everybody in, and then does as it likes. */
export interface HostileServer {
  readonly port: number;
  /** The lines of all commands that it was sent. */
  readonly lines: string[];
  /** Resolves when no client has a connection any more. */
  allClosed(): Promise<void>;
  close(): Promise<void>;
}

/** Runs a command here, as an honest host does. */
export function runHonestly(channel: ServerChannel, line: string): void {
  const child = spawn('sh', ['-c', line], { stdio: 'pipe', cwd: scratch() });
  channel.pipe(child.stdin);
  child.stdin.on('error', () => undefined);
  child.stdout.on('data', (chunk: Buffer) => channel.write(chunk));
  child.stderr.on('data', (chunk: Buffer) => channel.stderr.write(chunk));
  child.on('close', (status) => {
    channel.exit(status ?? 255);
    channel.end();
  });
}

/** The token of an exec, which is the first line that the client sends. */
export function readToken(channel: ServerChannel): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    channel.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')));
    });
  });
}

/** The library's own ed25519 keys are now and then ones that it can't read itself. */
const { privateKey: HOST_KEY } = generateKeyPairSync('ec', {
  namedCurve: 'prime256v1',
  privateKeyEncoding: { type: 'sec1', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});

/** What the library can do, and its types do not tell: keep the answer to a request back. */
function onSession(client: ServerConnection, { silentAt, onExec = runHonestly }: Behaviour, lines: string[]): void {
  client.on('session', (accept) => {
    if (silentAt === 'session') return;
    const session = accept();
    session.on('exec', (acceptExec, _reject, { command }) => {
      lines.push(command);
      if (silentAt !== 'exec') onExec(acceptExec(), command);
    });
  });
}

/** Nothing that the server does closes it. */
function keepOpen(socket: Socket): void {
  for (const way of ['end', 'destroy', 'destroySoon'] as const) Object.assign(socket, { [way]: () => socket });
}

function serveOver(socket: Socket, behaviour: Behaviour, lines: string[]): void {
  const { silentAt } = behaviour;
  if (silentAt === 'handshake') return;
  if (silentAt === 'close') keepOpen(socket);
  const { onMessage } = behaviour;
  const debug = (line: string): void => {
    const [, message] = /Inbound: (.*)/.exec(line) ?? [];
    if (message !== undefined) onMessage?.(message);
  };
  const options = { hostKeys: [HOST_KEY], keepaliveInterval: 0, ...(onMessage === undefined ? {} : { debug }) };
  const server = new ssh2.Server(options, (client) => {
    client.on('error', () => undefined);
    client.on('authentication', (context) => {
      if (silentAt === 'authentication') return;
      if (behaviour.onLogin === undefined) context.accept();
      else if (context.method !== 'password') context.reject(['password']);
      else {
        behaviour.onLogin(`${context.username} with ${context.password}`);
        context.accept();
      }
    });
    onSession(client, behaviour, lines);
    client.on('tcpip', (accept, _reject, { destIP, destPort }) => {
      if (silentAt === 'direct-tcpip') return;
      const channel = accept();
      void import('node:net').then(({ connect }) => {
        const onward = connect(destPort, destIP);
        onward.on('error', () => {
          channel.close();
        });
        channel.pipe(onward).pipe(channel);
      });
    });
  });
  server.injectSocket(socket);
}

/** Starts a {@link HostileServer}. */
export async function startHostileServer(behaviour: Behaviour): Promise<HostileServer> {
  const destroys = new Set<() => void>();
  const ends: Promise<unknown>[] = [];
  const lines: string[] = [];
  const listener = createServer({ allowHalfOpen: behaviour.silentAt === 'close' }, (socket) => {
    const destroy = socket.destroy.bind(socket);
    destroys.add(() => void destroy());
    ends.push(
      new Promise((resolve) => {
        for (const event of ['end', 'close', 'error']) socket.once(event, resolve);
      }),
    );
    socket.on('error', () => undefined);
    serveOver(socket, behaviour, lines);
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo;
  return {
    port,
    lines,
    async allClosed() {
      await Promise.all(ends);
    },
    async close() {
      for (const destroy of destroys) destroy();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}

/** The way to such a server; any host key and any login will do. */
export function wayTo(server: HostileServer, more: Partial<Connection> = {}): Connection {
  const sshArgs = `-F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null ${more.sshArgs ?? ''}`;
  return {
    address: '127.0.0.1',
    port: server.port,
    user: 'ops',
    password: new Secret('login-canary'),
    ...more,
    sshArgs,
  };
}

/**
 * Options of a connector that reads nothing of this machine's user.
 * @param timing the deadlines that a test waits for; all others are too long to race with what it does
 */
export function hostileOptions(
  hosts: Readonly<Record<string, Connection>>,
  timing: ConnectorOptions['timing'] = {},
): ConnectorOptions {
  return {
    hosts: new Map(Object.entries(hosts)),
    forks: 50,
    env: { PATH: process.env['PATH'] },
    home: '/nonexistent',
    user: 'tester',
    acceptNewHostKeys: true,
    randomBytes: (size) => crypto.getRandomValues(new Uint8Array(size)),
    onNotice: () => undefined,
    timing: { connectTimeoutMs: 60_000, channelTimeoutMs: 60_000, startTimeoutMs: 60_000, ...timing },
  };
}
