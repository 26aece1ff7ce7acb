import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { Duplex } from 'node:stream';
import type { Link } from './link.js';
import type { Settings } from './settings.js';

/** A TCP connection without Nagle's delay, which else adds 40 ms and more to each command. */
export function openTcp(hostname: string, port: number, timeoutMs: number): Promise<Duplex> {
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
      // An error between here and ssh2's own listener must not end the process.
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}

/** A connection that a jump host makes. */
export function openThroughJump(jump: Link, { hostname, port }: Settings): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    jump.client.forwardOut('127.0.0.1', 0, hostname, port, (error, channel) => {
      if (error) {
        reject(error);
        return;
      }
      channel.on('error', () => undefined);
      resolve(channel);
    });
  });
}

/** Fills in ssh's tokens (ssh_config(5), TOKENS) that ProxyCommand accepts. */
export function expandTokens(command: string, settings: Settings): string {
  const tokens: Readonly<Record<string, string>> = {
    '%%': '%',
    '%h': settings.hostname,
    '%n': settings.alias,
    '%p': String(settings.port),
    '%r': settings.user,
  };
  return command.replace(/%./g, (token) => tokens[token] ?? token);
}

/**
 * A connection through a ProxyCommand's stdin and stdout. Its stderr goes into the error.
 * @throws never; a command that can't run ends the stream
 */
export function openThroughCommand(command: string, settings: Settings, env: NodeJS.ProcessEnv): Duplex {
  // As ssh runs it: by a shell that replaces itself, so that closing reaches the command.
  const child = spawn('/bin/sh', ['-c', `exec ${expandTokens(command, settings)}`], {
    env,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = `${said}${chunk.toString('utf8')}`.slice(-2000);
  });
  child.on('error', (error) => stream.destroy(error));
  child.on('close', (status) => {
    if (status !== 0 && !stream.destroyed)
      stream.destroy(new Error(`ProxyCommand ended with status ${String(status)}: ${said.trim()}`));
  });
  stream.on('error', () => undefined);
  stream.on('close', () => child.kill());
  return stream;
}
