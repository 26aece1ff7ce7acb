import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, Socket, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Connection } from '../../src/model/inventory.js';
import type { Transport } from '../../src/model/remote.js';
import { awaitFirstAnswers } from '../../src/shell/watch-endpoint.js';
import {
  connectionTo,
  createSshLab,
  labOptions,
  missingSshd,
  trust,
  withConnector,
  type Server,
  type SshLab,
} from '../support/sshd.js';

if (missingSshd !== undefined) console.warn(`skipped: connections: ${missingSshd}`);

/** Waits for something that happens in another process. */
async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 50_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`still not true: ${String(condition)}`);
    await pause(10);
  }
}

/** The sshd process that serves a connection. */
async function servingProcess(transport: Transport): Promise<number> {
  // The script's shell is a child of `timeout`, which is the child of sshd.
  return Number((await transport.run({ summary: 'who', script: 'ps -o ppid= -p $PPID' })).stdout);
}

/** The sockets that keep this process from ending. */
const openSockets = (): Socket[] =>
  (process as unknown as { _getActiveHandles(): unknown[] })
    ._getActiveHandles()
    .filter((each) => each instanceof Socket);

const count = (text: string, word: string): number => text.split(word).length - 1;

(missingSshd === undefined ? describe : describe.skip)('connections', () => {
  let lab: SshLab;
  let server: Server;

  beforeAll(async () => {
    lab = createSshLab();
    server = await lab.startServer('one');
  });

  beforeEach(() => {
    trust(lab, server);
  });

  afterAll(() => lab.remove());

  const several = (connection: Connection, number: number): Record<string, Connection> =>
    Object.fromEntries(Array.from({ length: number }, (_, index) => [`h${index}`, connection]));

  describe('limits of the server', () => {
    test('logins that MaxStartups drops are tried again', async () => {
      const busy = await lab.startServer('busy', 'MaxStartups 2:100:2');
      trust(lab, busy);
      const hosts = several(connectionTo(busy), 12);
      await withConnector(labOptions(lab, hosts), (connector) =>
        Promise.all(Object.keys(hosts).map((host) => connector.connect(host))),
      );
      // The control: the limit was really met.
      expect(busy.log()).toContain('MaxStartups');
    });

    test('a server that always closes the connection is given up', async () => {
      const closing = createServer((socket) => socket.destroy());
      await new Promise<void>((resolve) => closing.listen(0, '127.0.0.1', resolve));
      const { port } = closing.address() as AddressInfo;
      const connection = { address: '127.0.0.1', port, user: 'x' };
      await expect(
        withConnector(labOptions(lab, { x: connection }), (connector) => connector.connect('x')),
      ).rejects.toMatchObject({
        code: 'unreachable',
        message: `x: can't connect to x@127.0.0.1 port ${port}: the server closes the connection at once`,
        hint: expect.stringContaining('MaxStartups'),
      });
      closing.close();
    });

    test.each([1, 2])('works with MaxSessions %d', async (sessions) => {
      const narrow = await lab.startServer(`narrow-${sessions}`, `MaxSessions ${sessions}`);
      trust(lab, narrow);
      await withConnector(labOptions(lab, { narrow: connectionTo(narrow) }), async (connector) => {
        const transport = await connector.connect('narrow');
        const outputs = await Promise.all(
          ['1', '2', '3', '4', '5', '6', '7', '8'].map((text) =>
            transport.run({ summary: 'echo', script: `sleep 0.05; echo ${text}` }),
          ),
        );
        expect(outputs.map((output) => output.stdout).join('')).toBe('1\n2\n3\n4\n5\n6\n7\n8\n');
      });
      expect(narrow.log()).toContain('no more sessions');
    });

    test('a server that opens no channel at all says so', async () => {
      const shut = await lab.startServer('shut', 'MaxSessions 0');
      trust(lab, shut);
      await withConnector(labOptions(lab, { shut: connectionTo(shut) }), async (connector) => {
        const transport = await connector.connect('shut');
        await expect(transport.run({ summary: 'look around', script: 'true' })).rejects.toMatchObject({
          code: 'no-channel',
          host: 'shut',
          command: 'look around',
          hint: expect.stringContaining('MaxSessions'),
        });
      });
    });
  });

  test('with MaxSessions 1, a command that must run beside another one is refused while that one runs', async () => {
    const narrow = await lab.startServer('beside', 'MaxSessions 1');
    trust(lab, narrow);
    await withConnector(labOptions(lab, { one: connectionTo(narrow) }), async (connector) => {
      const transport = await connector.connect('one');
      const [ready, end] = [join(lab.directory, 'beside-ready'), join(lab.directory, 'beside-end')];
      const script = `touch ${ready}; until [ -e ${end} ]; do sleep 0.1; done`;
      const watching = transport.run({ summary: 'measure', script });
      await until(() => existsSync(ready));
      // As a drill waits for its measurement, before it stops anything. To wait here would be to wait for ever.
      await expect(transport.run(awaitFirstAnswers('token'))).rejects.toMatchObject({
        code: 'no-channel',
        message: expect.stringContaining('it runs beside another command, and the server opens one channel only'),
        hint: expect.stringContaining('MaxSessions 2 or more in the sshd_config of one'),
      });
      writeFileSync(end, '');
      expect(await watching).toMatchObject({ status: 0 });
    });
  });

  describe('a host that goes away', () => {
    test('a connection that is lost during a command is an error, never a success', async () => {
      await withConnector(labOptions(lab, { one: connectionTo(server) }), async (connector) => {
        const transport = await connector.connect('one');
        const pid = await servingProcess(transport);
        const ready = join(lab.directory, 'lost-ready');
        const running = transport.run({ summary: 'upgrade', script: `echo so far; touch ${ready}; sleep 60` });
        const outcome = expect(running).rejects.toMatchObject({
          code: 'connection-lost',
          host: 'one',
          command: 'upgrade',
          status: null,
          output: 'so far',
          message: expect.stringContaining('one: upgrade: the connection was lost before the command ended'),
        });
        await until(() => existsSync(ready));
        // What was printed is in a pipe of sshd by now. It sends it before the answer to a command that it gets later.
        await transport.run({ summary: 'later', script: 'true' });
        process.kill(pid, 'SIGKILL');
        await outcome;
        await expect(transport.run({ summary: 'next', script: 'true' })).rejects.toMatchObject({
          code: 'connection-lost',
          command: 'next',
          message: expect.stringContaining('not started'),
        });
        // Asked for again, the host is connected to again.
        const again = await connector.connect('one');
        expect((await again.run({ summary: 'again', script: 'echo back' })).stdout).toBe('back\n');
      });
    });

    test('a peer that freezes is given up after its keepalives', async () => {
      const timing = { keepaliveIntervalMs: 100, keepaliveCountMax: 3 };
      await withConnector(labOptions(lab, { one: connectionTo(server) }, { timing }), async (connector) => {
        const transport = await connector.connect('one');
        const pid = await servingProcess(transport);
        const running = transport.run({ summary: 'freeze', script: 'sleep 60' });
        const outcome = expect(running).rejects.toMatchObject({
          code: 'connection-lost',
          message: expect.stringContaining('Keepalive timeout'),
        });
        process.kill(pid, 'SIGSTOP');
        try {
          await outcome;
        } finally {
          process.kill(pid, 'SIGKILL');
        }
      });
    });

    test('half a file never lands', async () => {
      await withConnector(labOptions(lab, { one: connectionTo(server) }), async (connector) => {
        const transport = await connector.connect('one');
        const pid = await servingProcess(transport);
        const path = (name: string): string => join(lab.directory, `half-${name}`);
        const script = `echo $$ > ${path('pid')}; cat > ${path('new')} && mv ${path('new')} ${path('landed')}`;
        const running = transport.run({ summary: 'write', script, stdin: randomBytes(50 * 1024 * 1024) });
        const outcome = expect(running).rejects.toMatchObject({ code: 'connection-lost' });
        await until(() => existsSync(path('new')));
        process.kill(pid, 'SIGKILL');
        await outcome;
        const shell = readFileSync(path('pid'), 'utf8').trim();
        await until(() => !existsSync(`/proc/${shell}`));
        expect(existsSync(path('landed'))).toBe(false);
      });
    });

    test('a host that accepts and stays silent is given up', async () => {
      const accepted: Socket[] = [];
      const sockets = createServer((socket) => accepted.push(socket));
      await new Promise<void>((resolve) => sockets.listen(0, '127.0.0.1', resolve));
      const { port } = sockets.address() as AddressInfo;
      const hosts = { silent: { address: '127.0.0.1', port, user: 'x' } };
      await expect(
        withConnector(labOptions(lab, hosts, { timing: { connectTimeoutMs: 200 } }), (connector) =>
          connector.connect('silent'),
        ),
      ).rejects.toMatchObject({ code: 'unreachable', message: expect.stringMatching(/timed out/i) });
      for (const socket of accepted) socket.destroy();
      sockets.close();
    });

    test.each([
      ['nothing listens', { address: '127.0.0.1', port: 1 }, /nothing listens on port 1/],
      ['the name is not known', { address: 'no-such-host.invalid' }, /the name no-such-host.invalid is not known/],
    ])('%s', async (_, connection, message) => {
      await expect(
        withConnector(labOptions(lab, { gone: connection }), (connector) => connector.connect('gone')),
      ).rejects.toMatchObject({ code: 'unreachable', host: 'gone', message: expect.stringMatching(message) });
    });

    test('closing leaves no socket behind, so that the process can end', async () => {
      // Other test files in this process may have left sockets of theirs: those to a server of this test alone are ours.
      const own = await lab.startServer('own');
      trust(lab, own);
      const sockets = (): number => openSockets().filter((socket) => socket.remotePort === own.port).length;
      await withConnector(labOptions(lab, several(connectionTo(own), 3)), async (connector) => {
        await Promise.all(['h0', 'h1', 'h2'].map((host) => connector.connect(host)));
        expect(sockets()).toBe(3);
      });
      expect(sockets()).toBe(0);
    });
  });

  describe('jump hosts', () => {
    let first: Server;
    let second: Server;
    const via = (...jumps: readonly Server[]): string =>
      `-J ${jumps.map((jump) => `root@127.0.0.1:${jump.port}`).join(',')}`;

    beforeAll(async () => {
      first = await lab.startServer('first');
      second = await lab.startServer('second');
    });

    test('one connection to a jump host serves all hosts behind it', async () => {
      trust(lab, server, first);
      const before = first.log().length;
      const hosts = several(connectionTo(server, { sshArgs: via(first) }), 5);
      await withConnector(labOptions(lab, hosts), async (connector) => {
        const transports = await Promise.all(Object.keys(hosts).map((host) => connector.connect(host)));
        const outputs = await Promise.all(transports.map((each) => each.run({ summary: 'x', script: 'echo in' })));
        expect(outputs.map((output) => output.stdout)).toEqual(Array(5).fill('in\n'));
      });
      expect(count(first.log().slice(before), 'Accepted publickey')).toBe(1);
    });

    test('several jump hosts in a row', async () => {
      trust(lab, server, first, second);
      const before = [first, second].map((each) => each.log().length);
      const hosts = { one: connectionTo(server, { sshArgs: via(first, second) }) };
      await withConnector(labOptions(lab, hosts), (connector) => connector.connect('one'));
      expect(
        [first, second].map((each, index) => count(each.log().slice(before[index]), 'Accepted publickey')),
      ).toEqual([1, 1]);
    });

    test('works without an ssh program', async () => {
      trust(lab, server, first);
      const before = first.log().length;
      const hosts = { one: connectionTo(server, { sshArgs: via(first) }) };
      await withConnector(labOptions(lab, hosts, { env: { PATH: '/nonexistent' } }), (connector) =>
        connector.connect('one'),
      );
      expect(count(first.log().slice(before), 'Accepted publickey')).toBe(1);
    });

    test.each([
      [
        'the jump host',
        () => {
          trust(lab, server);
        },
        () => first,
      ],
      [
        'the host behind it',
        () => {
          trust(lab, first);
        },
        () => server,
      ],
    ])('the key of %s is checked', async (_, arrange, refused) => {
      arrange();
      const hosts = { one: connectionTo(server, { sshArgs: via(first) }) };
      await expect(
        withConnector(labOptions(lab, hosts), (connector) => connector.connect('one')),
      ).rejects.toMatchObject({
        code: 'host-key-unknown',
        host: 'one',
        message: expect.stringContaining(`[127.0.0.1]:${refused().port} is not known`),
      });
    });

    test('a jump host that is down is named', async () => {
      const hosts = { one: connectionTo(server, { sshArgs: '-J root@127.0.0.1:1' }) };
      await expect(
        withConnector(labOptions(lab, hosts), (connector) => connector.connect('one')),
      ).rejects.toMatchObject({
        code: 'unreachable',
        host: 'one',
        message: expect.stringMatching(/^one: through jump host root@127.0.0.1:1: .*nothing listens on port 1$/),
      });
    });

    test('a ProxyCommand carries the connection', async () => {
      trust(lab, server, first);
      const options = `-F ${lab.home}/.ssh/config -i ${lab.home}/.ssh/id_ed25519 -p ${first.port}`;
      const sshArgs = `-o ProxyCommand="ssh ${options} -W %h:%p root@127.0.0.1"`;
      await withConnector(labOptions(lab, { one: connectionTo(server, { sshArgs }) }), async (connector) => {
        const transport = await connector.connect('one');
        expect((await transport.run({ summary: 'x', script: 'echo in' })).stdout).toBe('in\n');
      });
    });

    test('a ProxyCommand gets none of our secrets', async () => {
      const file = join(lab.directory, 'proxy-env');
      const sshArgs = `-o ProxyCommand="sh -c 'env > ${file}; exit 3'"`;
      const secrets = { PROVISION_CA_PASSPHRASE: 'canary-1', PROVISION_SSH_KEY_PASSPHRASE: 'canary-2' };
      const env = { PATH: process.env['PATH'], KEPT: 'kept', ...secrets };
      const hosts = { one: connectionTo(server, { sshArgs }) };
      await expect(
        withConnector(labOptions(lab, hosts, { env }), (connector) => connector.connect('one')),
      ).rejects.toMatchObject({ code: 'unreachable' });
      expect(readFileSync(file, 'utf8')).toContain('KEPT=kept');
      expect(readFileSync(file, 'utf8')).not.toMatch(/canary|PROVISION/);
    });

    test.each([
      ['ansible_host', { address: '$(touch FILE)' }],
      ['ansible_host', { address: '`touch FILE`' }],
      ['ansible_host', { address: 'a;touch FILE' }],
      ['ansible_host', { address: '-oProxyCommand=touch FILE' }],
      ['ansible_user', { user: 'x;touch FILE' }],
      ['ansible_user', { user: '$(touch FILE)' }],
    ])('%s is never run by the shell of a ProxyCommand: %j', async (variable, odd) => {
      const file = join(lab.directory, 'injected');
      const text = JSON.stringify(odd).replace('FILE', file);
      const connection = { ...connectionTo(server), ...(JSON.parse(text) as Partial<Connection>) };
      const sshArgs = `-o ProxyCommand="echo %h %r %n"`;
      for (const PATH of [process.env['PATH'], '/nonexistent']) {
        const hosts = { one: { ...connection, sshArgs } };
        await expect(
          withConnector(labOptions(lab, hosts, { env: { PATH } }), (connector) => connector.connect('one')),
        ).rejects.toMatchObject({ code: 'ssh-config-invalid', hint: expect.stringContaining(variable) });
      }
      expect(existsSync(file)).toBe(false);
    });

    test('a ProxyCommand that does not end by itself is ended', async () => {
      const relay = `const s=require('net').connect(+process.argv[2],process.argv[1]);process.stdin.pipe(s).pipe(process.stdout);setInterval(()=>{},1e6)`;
      const mark = `mark-${Date.now()}`;
      const sshArgs = `-o 'ProxyCommand=${process.execPath} -e "${relay.replaceAll("'", `'\\''`)}" %h %p ${mark}'`;
      const running = (): string => execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' });
      await withConnector(labOptions(lab, { one: connectionTo(server, { sshArgs }) }), async (connector) => {
        const transport = await connector.connect('one');
        expect((await transport.run({ summary: 'x', script: 'echo in' })).stdout).toBe('in\n');
        expect(running()).toContain(mark);
      });
      await until(() => !running().includes(mark));
    });

    test('a ProxyCommand that fails tells what it said', async () => {
      const sshArgs = `-o ProxyCommand="sh -c 'echo no way to %h >&2; exit 3'"`;
      await expect(
        withConnector(labOptions(lab, { one: connectionTo(server, { sshArgs }) }), (connector) =>
          connector.connect('one'),
        ),
      ).rejects.toMatchObject({
        code: 'unreachable',
        message: expect.stringContaining('ProxyCommand ended with status 3: no way to 127.0.0.1'),
      });
    });
  });

  test('ssh arguments that ssh does not know are an error that shows what ssh says', async () => {
    const hosts = { one: connectionTo(server, { sshArgs: '-o NoSuchOption=1' }) };
    await expect(withConnector(labOptions(lab, hosts), (connector) => connector.connect('one'))).rejects.toMatchObject({
      code: 'ssh-config-invalid',
      message: expect.stringMatching(/nosuchoption/i),
    });
  });

  test('opens like ssh does: the same settings reach the same server', async () => {
    trust(lab, server);
    const args = ['-F', `${lab.home}/.ssh/config`, '-i', `${lab.home}/.ssh/id_ed25519`, '-p', String(server.port)];
    expect(execFileSync('ssh', [...args, '127.0.0.1', 'echo in'], { encoding: 'utf8' })).toBe('in\n');
  });
});
