import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createServer, type Server } from 'node:net';
import { afterAll, afterEach, describe, expect, jest, test } from '@jest/globals';
import type { ServerChannel } from 'ssh2';
import type { Connection } from '../../src/model/inventory.js';
import { outputOf, type Command, type Output } from '../../src/model/remote.js';
import { Secret } from '../../src/model/secret.js';
import type { ConnectorOptions } from '../../src/ssh/connector.js';
import { openAgent } from '../../src/ssh/agent.js';
import { marksOf } from '../../src/shell/remote-command.js';
import {
  hostileOptions,
  readToken,
  runHonestly,
  startHostileServer,
  wayTo,
  type Behaviour,
  type HostileServer,
} from '../support/hostile-server.js';
import { meanwhile } from '../support/meanwhile.js';
import { makeKey, withConnector } from '../support/sshd.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

jest.setTimeout(60_000);

const servers: HostileServer[] = [];
/** Servers that are waited for while other tests run. */
const lasting: HostileServer[] = [];

async function start(behaviour: Behaviour, among = servers): Promise<HostileServer> {
  const server = await startHostileServer(behaviour);
  among.push(server);
  return server;
}

async function closeAll(some: HostileServer[]): Promise<void> {
  await Promise.all(some.splice(0).map((server) => server.close()));
}

afterEach(() => closeAll(servers));
afterAll(() => closeAll(lasting));

const TRY: Command = { summary: 'look', script: 'echo in' };

/** What a command is tried with. */
interface Trial {
  readonly command?: Command;
  /** The deadlines that are waited for. */
  readonly timing?: ConnectorOptions['timing'];
}

function runOn(connection: Connection, { command = TRY, timing }: Trial = {}): Promise<Output> {
  return withConnector(hostileOptions({ one: connection }, timing), async (connector) =>
    (await connector.connect('one')).run(command),
  );
}

/** The error that a command ends with. */
async function failureOn(connection: Connection, trial: Trial = {}): Promise<unknown> {
  return runOn(connection, trial).then(
    (output) => output,
    (error: unknown) => error,
  );
}

test('the control: an honest server of this kind gives the answer', async () => {
  const output = await runOn(wayTo(await start({})));
  expect(output).toMatchObject(outputOf(0, Buffer.from('in\n')));
});

describe('a server that accepts and never answers', () => {
  const NO_CHANNEL = { channelTimeoutMs: 1000 };
  const NO_START = { startTimeoutMs: 500 };

  test.each([
    ['handshake', 'unreachable', /timed out/i, { connectTimeoutMs: 500 }],
    ['authentication', 'unreachable', /timed out/i, { connectTimeoutMs: 500 }],
    ['session', 'no-channel', /look: not started: the server opened no channel for a command within 1 s/, NO_CHANNEL],
    ['exec', 'no-channel', /look: not started: the server opened no channel for a command within 1 s/, NO_CHANNEL],
  ] as const)('at %s: %s', async (silentAt, code, message, timing) => {
    const server = await start({ silentAt });
    expect(await failureOn(wayTo(server), { timing })).toMatchObject({
      code,
      host: 'one',
      message: expect.stringMatching(message),
    });
  });

  test('a command that is accepted late is not started: the connection is gone by then', async () => {
    let accept: (() => void) | undefined;
    const server = await start({
      onExec: (channel) => {
        accept = () => {
          channel.write('late');
        };
      },
      silentAt: 'exec',
    });
    const error = await failureOn(wayTo(server), { timing: NO_CHANNEL });
    expect(error).toMatchObject({ code: 'no-channel' });
    expect(accept).toBeUndefined();
  });

  const overJump = meanwhile(async () => {
    const jump = await start({ silentAt: 'direct-tcpip' }, lasting);
    const behind = await start({}, lasting);
    // A jump host gets keys only, and those of the home.
    const home = temporaryDirectory('hostile');
    mkdirSync(join(home, '.ssh'));
    makeKey(join(home, '.ssh/id_ed25519'), '-t', 'ed25519');
    const way = wayTo(behind);
    const sshArgs = `${way.sshArgs ?? ''} -J ops@127.0.0.1:${jump.port}`;
    // The jump host itself must be reached within the same time.
    const options = { ...hostileOptions({ one: { ...way, sshArgs } }, { connectTimeoutMs: 5000 }), home };
    return withConnector(options, (connector) => connector.connect('one'));
  });
  test('a jump host, at direct-tcpip', async () => {
    await expect(overJump()).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(/the jump host opened no way to it within 5 s/),
    });
  });

  test('the login shell, before the command begins', async () => {
    const server = await start({ onExec: (channel) => channel.write('Welcome\n') });
    expect(await failureOn(wayTo(server), { timing: NO_START })).toMatchObject({
      code: 'command-hung',
      message: 'one: look: the login shell did not start the command within 0.5 s',
      output: 'Welcome',
    });
  });

  test.each([
    ['before its prompt', (channel: ServerChannel) => channel.stderr.write('We trust you\n')],
    [
      'after the password',
      (channel: ServerChannel, line: string) => channel.stderr.write(/prompt-[0-9a-f]+/.exec(line)?.[0] ?? ''),
    ],
  ])('sudo, %s', async (_, onExec) => {
    const server = await start({ onExec });
    const become = { method: 'sudo', user: 'root', password: new Secret('canary') } as const;
    const error = await failureOn(wayTo(server, { become }), { timing: NO_START });
    expect(error).toMatchObject({
      code: 'command-hung',
      message: 'one: look: sudo did not start the command within 0.5 s',
    });
    expect(JSON.stringify(error)).not.toContain('canary');
  });

  describe('at the close', () => {
    /** Settles when the client has dropped the connection by itself. */
    async function closeOf(
      servers: readonly HostileServer[],
      more: Partial<Connection> = {},
      home?: string,
    ): Promise<void> {
      const [server] = servers;
      if (server === undefined) return;
      const options = { ...hostileOptions({ one: wayTo(server, more) }), ...(home !== undefined && { home }) };
      // It closes the connector, and waits for that.
      await withConnector(options, async (connector) => (await connector.connect('one')).run(TRY));
      await Promise.all(servers.map((each) => each.allClosed()));
    }

    test('the control: a server that closes', async () => {
      await closeOf([await start({})]);
    });

    test('the connection is dropped', async () => {
      await closeOf([await start({ silentAt: 'close' })]);
    });

    test('and that to a jump host before it', async () => {
      const [server, jump] = [await start({ silentAt: 'close' }), await start({ silentAt: 'close' })];
      const home = temporaryDirectory('hostile');
      mkdirSync(join(home, '.ssh'));
      makeKey(join(home, '.ssh/id_ed25519'), '-t', 'ed25519');
      await closeOf([server, jump], { sshArgs: `-J ops@127.0.0.1:${jump.port}` }, home);
    });
  });

  const agents: Server[] = [];
  afterAll(async () => {
    // Who was given up is hung up on: else this would wait, and the program would never end.
    await Promise.all(agents.splice(0).map((agent) => new Promise((resolve) => agent.close(resolve))));
  });

  /** An agent on a socket. @param answer what it says to each request */
  async function startAgent(answer: Buffer | undefined): Promise<string> {
    const socket = join(temporaryDirectory('agent'), 'agent.sock');
    const agent = createServer((connection) => {
      connection.on('error', () => undefined);
      connection.on('data', () => answer !== undefined && connection.write(answer));
    });
    agents.push(agent);
    await new Promise<void>((resolve) => agent.listen(socket, resolve));
    return socket;
  }

  const withoutAgent = meanwhile(async () => {
    const socket = await startAgent(undefined);
    const options = hostileOptions({ one: wayTo(await start({}, lasting)) });
    const env = { ...options.env, SSH_AUTH_SOCK: socket };
    return withConnector({ ...options, env }, async (connector) => (await connector.connect('one')).run(TRY));
  });

  describe('as an agent', () => {
    /** SSH_AGENT_IDENTITIES_ANSWER without a key (draft-miller-ssh-agent). */
    const NO_KEYS = Buffer.from([0, 0, 0, 5, 12, 0, 0, 0, 0]);

    test('the control: one that answers is asked', async () => {
      expect((await openAgent(await startAgent(NO_KEYS))).keys).toEqual([]);
    });

    test('it is given up, by its deadline', async () => {
      await expect(openAgent(await startAgent(undefined), 200)).rejects.toThrow('no answer within 0.2 s');
    });

    test('other credentials are tried then', async () => {
      expect(await withoutAgent()).toMatchObject({ status: 0, stdout: 'in\n' });
    });
  });

  test('the end of a command: the answer that came whole counts', async () => {
    const behaviour: Behaviour = {
      async onExec(channel) {
        const { begin, end } = marksOf(await readToken(channel));
        channel.write(`${begin}in\n${end}0\n`);
        channel.stderr.write(`${begin}${end}0\n`);
      },
    };
    const output = await runOn(wayTo(await start(behaviour)), { timing: { lingerMs: 200 } });
    expect(output).toMatchObject({ status: 0, stdout: 'in\n' });
  });

  test('a command that never ends, although the host ends none at its time-out', async () => {
    const behaviour: Behaviour = {
      async onExec(channel) {
        channel.write(marksOf(await readToken(channel)).begin);
      },
    };
    const command = { ...TRY, timeoutMs: 100 };
    expect(await failureOn(wayTo(await start(behaviour)), { command, timing: { guardMs: 500 } })).toMatchObject({
      code: 'command-hung',
      message: 'one: look: did not end 0.5 s after its time-out',
    });
  });
});

/** Sends as fast as the other side takes it, until it takes no more. */
function pour(out: NodeJS.WritableStream, chunk: Buffer): void {
  const more = (): void => {
    while (out.write(chunk));
  };
  out.on('error', () => undefined);
  out.on('drain', more);
  more();
}

describe('a server that floods', () => {
  const line = Buffer.alloc(64 * 1024, 'x');
  test.each<[string, (channel: ServerChannel) => unknown, RegExp]>([
    [
      'before the answer, on stdout',
      (channel) => {
        pour(channel, line);
      },
      /more than 64 KiB came before/,
    ],
    [
      'before the answer, on stderr',
      (channel) => {
        pour(channel.stderr, line);
      },
      /more than 64 KiB came before/,
    ],
    [
      'in the answer',
      async (channel) => {
        channel.write(marksOf(await readToken(channel)).begin);
        pour(channel, line);
      },
      /printed more than the limit for a host \(16 MiB on stdout, 1 MiB on stderr\)/,
    ],
    [
      'in stderr',
      async (channel) => {
        channel.stderr.write(marksOf(await readToken(channel)).begin);
        pour(channel.stderr, line);
      },
      /printed more than the limit/,
    ],
  ])('%s: this command fails, and memory stays as it is', async (_, onExec, message) => {
    const server = await start({ onExec });
    const before = process.memoryUsage().arrayBuffers;
    const error = await failureOn(wayTo(server));
    expect(error).toMatchObject({ code: 'output-too-large', host: 'one', message: expect.stringMatching(message) });
    // The error shows lines, not megabytes.
    expect(JSON.stringify(error).length).toBeLessThan(20_000);
    // What the server has in its own buffers is in this process as well.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(80 * 1024 * 1024);
  });

  test('before sudo lets the command in', async () => {
    const server = await start({
      onExec: (channel) => {
        pour(channel.stderr, Buffer.alloc(1000, 'lecture '));
      },
    });
    const become = { method: 'sudo', user: 'root', password: new Secret('canary') } as const;
    expect(await failureOn(wayTo(server, { become }))).toMatchObject({ code: 'output-too-large' });
  });

  test('another host is not touched by it', async () => {
    const flooding = await start({
      onExec: (channel) => {
        pour(channel, line);
      },
    });
    const honest = await start({});
    await withConnector(hostileOptions({ flooding: wayTo(flooding), honest: wayTo(honest) }), async (connector) => {
      const [bad, good] = await Promise.allSettled(
        ['flooding', 'honest'].map(async (name) => (await connector.connect(name)).run(TRY)),
      );
      expect(bad).toMatchObject({ reason: { code: 'output-too-large' } });
      expect(good).toMatchObject({ value: { status: 0, stdout: 'in\n' } });
    });
  });
});

describe('a server that lies', () => {
  test('forged marks without the token win nothing, and are shown as what they are', async () => {
    const server = await start({
      onExec(channel) {
        const { begin, end } = marksOf('00'.repeat(16));
        channel.write(`${begin}all is well\n${end}0\n`);
        channel.stderr.write(`${begin}${end}0\n`);
        channel.exit(0);
        channel.end();
      },
    });
    expect(await failureOn(wayTo(server))).toMatchObject({
      code: 'no-answer',
      host: 'one',
      command: 'look',
      message: expect.stringContaining('the begin mark is missing'),
      output: expect.stringContaining('all is well'),
    });
  });

  test('an answer that breaks off is none, whatever the status says', async () => {
    const server = await start({
      async onExec(channel) {
        channel.write(`${marksOf(await readToken(channel)).begin}half`);
        channel.exit(0);
        channel.end();
      },
    });
    expect(await failureOn(wayTo(server))).toMatchObject({ code: 'no-answer', output: 'half' });
  });

  test('a connection that is dropped in the middle of an answer is lost', async () => {
    const server = await start({
      async onExec(channel) {
        channel.write(`${marksOf(await readToken(channel)).begin}half`);
        setImmediate(() => void server.close());
      },
    });
    expect(await failureOn(wayTo(server))).toMatchObject({ code: 'connection-lost' });
  });

  test('what it prints around the answer is ignored', async () => {
    const server = await start({
      onExec(channel, line) {
        channel.write('Last login: today\n');
        channel.stderr.write('bash: warning: setlocale\n');
        runHonestly(channel, line);
      },
    });
    expect(await runOn(wayTo(server))).toMatchObject({ status: 0, stdout: 'in\n', stderr: '' });
  });
});
