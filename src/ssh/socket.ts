import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { Duplex } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import type { ClientChannel } from 'ssh2';
import { childEnvironment } from './child-environment.js';
import { inTime } from './deadline.js';
import { closeIsLastWord } from './last-word.js';
import type { Link } from './link.js';
import type { Settings } from './settings.js';

/** A connected stream that SSH can be spoken over. */
export interface Socket {
  readonly stream: Duplex;
  /** The better error, when the way to the host knows more than the stream that ended. */
  explain(error: unknown): Promise<unknown>;
}

function plainSocket(stream: Duplex): Socket {
  // ssh2 listens later; an error before that must not end the process.
  stream.on('error', () => undefined);
  return { stream, explain: (error) => Promise.resolve(error) };
}

/** A TCP connection without Nagle's delay, which else adds 40 ms and more to each command. */
export function openTcp(hostname: string, port: number, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port, noDelay: true });
    const deadline = setTimeout(() => {
      socket.destroy(Object.assign(new Error(`no answer within ${timeoutMs / 1000} s`), { code: 'ETIMEDOUT' }));
    }, timeoutMs);
    socket.once('error', (error) => {
      clearTimeout(deadline);
      reject(error);
    });
    socket.once('connect', () => {
      clearTimeout(deadline);
      resolve(plainSocket(socket));
    });
  });
}

/** A connection that a jump host makes. */
export async function openThroughJump(jump: Link, { hostname, port }: Settings, timeoutMs: number): Promise<Socket> {
  const error = (): Error =>
    Object.assign(new Error(`the jump host opened no way to it within ${timeoutMs / 1000} s`), { code: 'ETIMEDOUT' });
  const late = (channel: ClientChannel): void => {
    closeIsLastWord(channel).close();
  };
  const channel = await inTime<ClientChannel>({ ms: timeoutMs, error, late }, (done) => {
    jump.client.forwardOut('127.0.0.1', 0, hostname, port, done);
  });
  return plainSocket(closeIsLastWord(channel));
}

/** How long a ProxyCommand may take to end after its output has, to be asked why. */
const PROXY_END_MS = 1_000;

/** A connection through a ProxyCommand's stdin and stdout; what it prints on stderr explains a failure. */
export function openThroughCommand(command: string, env: NodeJS.ProcessEnv): Socket {
  // As ssh runs it: by a shell that replaces itself, so that closing reaches the command.
  const child = spawn('/bin/sh', ['-c', `exec ${command}`], { env: childEnvironment(env) });
  const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = `${said}${chunk.toString('utf8')}`.slice(-2000);
  });
  const ended = new Promise<number | null>((resolve) => {
    child.on('error', () => {
      resolve(null);
    });
    child.on('close', resolve);
  });
  stream.on('close', () => child.kill());
  return {
    stream: plainSocket(stream).stream,
    async explain(error) {
      const status = await Promise.race([ended, pause(PROXY_END_MS, 0, { ref: false })]);
      return status === 0 || status === null
        ? error
        : new Error(`ProxyCommand ended with status ${status}: ${said.trim()}`, { cause: error });
    },
  };
}
