import { spawn } from 'node:child_process';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, test } from '@jest/globals';
import { SHUT, shutAt, type AskedFrom } from '../../src/shell/shut-port.js';

/** A listener, and how many connections it has had. */
interface Listener {
  readonly port: number;
  count: number;
}

const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

/** Accepts, and says nothing. */
async function listen(host: string, port = 0): Promise<Listener> {
  const listener = { port, count: 0 };
  const server = createServer((socket) => {
    listener.count += 1;
    socket.on('error', () => undefined).resume();
  });
  servers.push(server);
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen({ host, port }, resolve));
  return Object.assign(listener, { port: (server.address() as AddressInfo).port });
}

/** A port that nobody listens on at {@link NOBODY}: it is taken at another address, so that no other program is given it for all. */
async function free(): Promise<number> {
  return (await listen('127.0.7.9')).port;
}

const NOBODY = '127.0.7.10';

/** What no program of a test is given: it takes rights to listen there (tcpmux, RFC 1078). */
const UNUSED_PORT = 1;

/** Why it is shut, or that it is not, asked with a real shell that ends at the first failure. @param before lines of the shell */
async function ask(url: string, from: AskedFrom, before = ''): Promise<string> {
  const script = [
    'set -eu',
    before,
    ...SHUT,
    `if ${shutAt(url, from)}; then echo "$why"; else echo 'not known to be shut'; fi`,
  ];
  const child = spawn('sh', ['-c', script.join('\n').replace('timeout 5', 'timeout "${limit-60}"')], {
    env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += String(chunk)));
  const status = await new Promise((resolve) => child.on('close', resolve));
  expect({ status, said }).toMatchObject({ status: 0 });
  return said.trim();
}

const OPEN = 'not known to be shut';
const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));
const withIpv6 = hasIpv6 ? test : test.skip;

describe('a port', () => {
  test.each<AskedFrom>(['own-host', 'another-host'])('that nobody listens on is shut, asked from %s', async (from) => {
    expect(await ask(`https://${NOBODY}:${await free()}`, from)).toBe('connection refused');
    expect(await ask(`http://localhost:${UNUSED_PORT}`, from)).toBe('connection refused');
  });

  test('that takes connections is not, whatever comes of them', async () => {
    const listener = await listen('127.0.0.1');
    expect(await ask(`https://127.0.0.1:${listener.port}`, 'another-host')).toBe(OPEN);
    expect(listener.count).toBe(1);
  });

  test.each(['127.0.0.1', '0.0.0.0', '127.0.0.2'])(
    'that is listened on at %s is known on that host without a connection',
    async (address) => {
      const listener = await listen(address);
      const asked = address === '0.0.0.0' ? '127.0.0.1' : address;
      // Were a connection tried, it would be refused.
      const refusing = 'bash() { echo \'connect: Connection refused\' >&2; return 1; }; timeout() { shift; "$@"; }';
      expect(await ask(`https://${asked}:${listener.port}`, 'own-host', refusing)).toBe(OPEN);
      expect(await ask(`https://${asked}:${listener.port}`, 'another-host', refusing)).toBe('connection refused');
      expect(listener.count).toBe(0);
    },
  );

  test('that is listened on at another address of the host is shut', async () => {
    const port = await free();
    expect(await ask(`https://${NOBODY}:${port}`, 'own-host')).toBe('connection refused');
  });

  test('of a name is not shut while one of its addresses takes connections', async () => {
    const { port } = await listen('127.0.0.1');
    for (const from of ['own-host', 'another-host'] as const)
      expect(await ask(`https://localhost:${port}`, from)).toBe(OPEN);
  });

  withIpv6('of an IPv6 address is the same', async () => {
    const listener = await listen('::1');
    expect(await ask(`https://[::1]:${listener.port}`, 'another-host')).toBe(OPEN);
    expect(listener.count).toBe(1);
    expect(await ask(`https://[::1]:${listener.port}`, 'own-host')).toBe(OPEN);
    expect(await ask(`https://127.0.0.1:${listener.port}`, 'own-host')).toBe('connection refused');
    expect(await ask(`https://[::1]:${UNUSED_PORT}`, 'own-host')).toBe('connection refused');
  });

  test('that drops connections is shut, after the time that etcdctl would take', async () => {
    expect(
      await ask('https://127.0.0.1:1', 'another-host', 'limit=0.2; bash() { :; }; timeout() { return 124; }'),
    ).toBe('no connection within 5 s');
  });

  test('of a name that takes long is left to etcdctl, which tries its addresses side by side', async () => {
    expect(await ask('https://etcd.example:2379', 'another-host', 'timeout() { return 124; }')).toBe(OPEN);
  });
});

describe('what bash says', () => {
  const saying = (text: string, status = 1): string =>
    `timeout() { echo 'bash: connect: ${text}' >&2; return ${status}; }`;

  test.each([
    ['Connection refused', 'connection refused'],
    ['No route to host', 'no route to host'],
    ['Network is unreachable', 'network is unreachable'],
    // etcdctl may know more than bash.
    ['Name or service not known', OPEN],
    ['/dev/tcp/a/1: No such file or directory', OPEN],
  ])('%s', async (text, expected) => {
    expect(await ask('https://etcd.example:2379', 'another-host', saying(text))).toBe(expected);
  });

  test('is nothing where there is no bash', async () => {
    expect(await ask('https://127.0.0.1:1', 'another-host', 'timeout() { return 127; }')).toBe(OPEN);
  });
});

test.each(['unix:///run/etcd.sock', 'etcd', ''])('what is no URL of a port is not judged: %j', (url) => {
  expect(shutAt(url, 'own-host')).toBe('false');
});

test.each([
  ['http://10.0.0.1', "shut 10.0.0.1 80 '' address"],
  ['https://10.0.0.1', "shut 10.0.0.1 443 '' address"],
  ['https://etcd.example:2379', "shut etcd.example 2379 '' ''"],
  ['https://[fd00::1]:2379', "shut fd00::1 2379 '' address"],
])('%s is asked there', (url, command) => {
  expect(shutAt(url, 'another-host')).toBe(command);
});
