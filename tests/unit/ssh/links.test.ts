// Which machines are opened on the way to a host, in which order, and how many at once.
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { RemoteError } from '../../../src/model/errors.js';
import { DEFAULT_TIMING } from '../../../src/ssh/link.js';
import { createLinks, type Links, type LinkTools } from '../../../src/ssh/links.js';
import type { Target } from '../../../src/ssh/resolve-settings.js';
import { parseOptions, settingsFrom, type Settings } from '../../../src/ssh/settings.js';
import { arrived } from '../../support/fake-channel.js';
import { startHostileServer } from '../../support/hostile-server.js';

const servers: Server[] = [];
const sockets = new Set<Socket>();
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

/** A server that accepts, and then does what a test says. @returns its port */
async function listen(onSocket: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onSocket(socket);
  }).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function settings(alias: string, options: string): Settings {
  return settingsFrom(parseOptions(options), { alias, home: '/nonexistent', user: 'me' });
}

interface Tried extends Links {
  /** What was asked about machines on the way. */
  readonly targets: readonly Target[];
  /** Whom credentials were looked for, in order. */
  readonly offered: readonly unknown[];
  readonly pauses: readonly number[];
}

/** @param answers what is known of a machine, by its address; without an entry it is just that address */
function linksWhere(answers: Readonly<Record<string, string>>, more: Partial<LinkTools> = {}): Tried {
  const [targets, offered, pauses]: [Target[], unknown[], number[]] = [[], [], []];
  const links = createLinks({
    resolve: (target) => {
      targets.push(target);
      return Promise.resolve(settings(target.address, answers[target.address] ?? `hostname ${target.address}`));
    },
    credentials: ({ host, settings: { hostname }, privateKeyFile, password }) => {
      offered.push({ host, hostname, privateKeyFile, password });
      return Promise.resolve({ methods: [], tried: [], skipped: [] });
    },
    hostKeys: {
      checkFor: () => Promise.resolve({ algorithms: [], verify: () => undefined, remember: () => Promise.resolve() }),
    },
    timing: { ...DEFAULT_TIMING, connectTimeoutMs: 300 },
    env: {},
    randomBytes: (size) => new Uint8Array(size),
    pause: (ms) => {
      pauses.push(ms);
      return Promise.resolve();
    },
    ...more,
  });
  return { ...links, targets, offered, pauses };
}

const failed = (running: Promise<unknown>): Promise<unknown> => running.catch((error: unknown) => error);

describe('the machine before a host', () => {
  const NOWHERE = 'hostname 127.0.0.1\nport 1';
  /** What is asked about the last hop of a list. */
  async function askedAbout(jump: string, sshArgs?: string): Promise<readonly Target[]> {
    const links = linksWhere({ bastion: NOWHERE, '2001:db8::1': NOWHERE });
    const to = settings('node', `hostname 10.0.0.1\nproxyjump ${jump}`);
    await failed(links.open({ host: 'etcd-1', settings: to, sshArgs }));
    return links.targets;
  }

  test.each<[string, string, string | undefined, Partial<Target>]>([
    ['alone', 'bastion', undefined, { address: 'bastion', port: undefined, user: undefined, sshArgs: '' }],
    ['with user and port', 'ops@bastion:2222', '', { address: 'bastion', port: 2222, user: 'ops', sshArgs: '' }],
    ['with others before it', 'a,b:3,bastion', '', { address: 'bastion', sshArgs: '-J a,b:3' }],
    ['with a configuration file', 'a,bastion', '-p 3 -F /etc/x -v', { sshArgs: '-F /etc/x -J a' }],
    ['with a quoted one', 'bastion', `-F '/a b' -v`, { sshArgs: `-F '/a b'` }],
    ['with one in double quotes', 'bastion', `-v -F"/a b" -v`, { sshArgs: `-F"/a b"` }],
    ['without what only looks like one', 'bastion', '-o X=-F', { sshArgs: '' }],
    ['by an address', 'ops@[2001:db8::1]:22', '', { address: '2001:db8::1', port: 22 }],
  ])('%s', async (_, jump, sshArgs, expected) => {
    expect(await askedAbout(jump, sshArgs)).toEqual([expect.objectContaining({ host: 'etcd-1', ...expected })]);
  });

  test('has the same configuration file as the host, and so has the one before it', async () => {
    const links = linksWhere({ b: `${NOWHERE}\nproxyjump a`, a: NOWHERE });
    const to = settings('node', 'hostname 10.0.0.1\nproxyjump a,b');
    await failed(links.open({ host: 'etcd-1', settings: to, sshArgs: '-F /etc/x' }));
    expect(links.targets.map(({ address, sshArgs }) => [address, sshArgs])).toEqual([
      ['b', '-F /etc/x -J a'],
      ['a', '-F /etc/x'],
    ]);
  });

  test('is known by the host it is for, with its own name, and gets no key of that', async () => {
    const links = linksWhere({ bastion: `${NOWHERE}\nuser ops` });
    const to = settings('node', 'hostname 10.0.0.1\nproxyjump bastion');
    const machine = { host: 'etcd-1', settings: to, privateKeyFile: '/key' };
    expect(await failed(links.open(machine))).toMatchObject({
      code: 'unreachable',
      host: 'etcd-1',
      message: `etcd-1: through jump host ops@127.0.0.1:1: can't connect to ops@127.0.0.1 port 1: nothing listens on port 1`,
      hint: expect.stringContaining('ansible_port (1)') as unknown,
      cause: expect.any(RemoteError) as unknown,
    });
    expect(links.offered).toEqual([
      { host: 'etcd-1', hostname: '127.0.0.1', privateKeyFile: undefined, password: undefined },
    ]);
  });

  test.each([
    ['address and port', 'hostname 127.0.0.1\nport 1', 1],
    ['address', 'hostname 127.0.0.1\nport 2', 2],
    ['port', 'hostname localhost\nport 1', 2],
  ])('is none where it is the host itself: the same %s', async (_, bastion, machines) => {
    const links = linksWhere({ bastion });
    const to = settings('node', 'hostname 127.0.0.1\nport 1\nproxyjump bastion');
    const error = await failed(links.open({ host: 'etcd-1', settings: to }));
    expect(String(error)).toContain(machines === 1 ? "can't connect to me@127.0.0.1 port 1" : 'through jump host');
  });

  test.each([
    [8, /nothing listens on port 1$/],
    [9, /more than 8 jump hosts: does ProxyJump lead back to itself/],
  ])('%i of them', async (count, message) => {
    const before = (index: number): string => (index < count ? `proxyjump j${index + 1}\n` : '');
    const answers = Array.from({ length: count }, (_, index) => [
      `j${index + 1}`,
      `${before(index + 1)}${NOWHERE}${index}`,
    ]);
    answers[count - 1] = [`j${count}`, NOWHERE];
    const links = linksWhere(Object.fromEntries(answers) as Record<string, string>);
    const to = settings('node', 'hostname 10.0.0.1\nproxyjump j1');
    expect(await failed(links.open({ host: 'etcd-1', settings: to }))).toMatchObject({
      code: 'unreachable',
      host: 'etcd-1',
      message: expect.stringMatching(message) as unknown,
    });
  });
});

describe('how a server is logged in to', () => {
  test('by eight at once, each server for itself', async () => {
    const here = [0, 0, 0];
    let isOver = false;
    const ports = await Promise.all(
      here.map((_, server) =>
        listen((socket) => {
          here[server] = (here[server] ?? 0) + 1;
          if (isOver) socket.destroy();
          else socket.resume();
        }),
      ),
    );
    const links = linksWhere({}, { timing: { ...DEFAULT_TIMING, connectTimeoutMs: 60_000 } });
    const open = (server: number, host: string): Promise<unknown> => {
      const to = settings('node', `hostname 127.0.0.1\nport ${ports[server] ?? 0}`);
      return failed(links.open({ host, settings: to }));
    };
    const names = Array.from({ length: 10 }, (_, index) => `h${index}`);
    const outcomes = [0, 1].flatMap((server) => names.map((host) => open(server, host)));
    while (here[0] !== 8 || here[1] !== 8) await arrived();
    // Who comes later, and is not held up, is there.
    outcomes.push(open(2, 'last'));
    while (here[2] !== 1) await arrived();
    expect(here).toEqual([8, 8, 1]);
    isOver = true;
    for (const socket of sockets) socket.destroy();
    expect(await Promise.all(outcomes)).toEqual(
      [...names, ...names, 'last'].map((host) => expect.objectContaining({ code: 'unreachable', host }) as unknown),
    );
  });

  test('again where it closes at once, and not where it says nothing', async () => {
    let met = 0;
    const closing = await listen((socket) => {
      met += 1;
      socket.destroy();
    });
    const links = linksWhere({});
    const to = (port: number): { host: string; settings: Settings } => ({
      host: 'etcd-1',
      settings: settings('node', `hostname 127.0.0.1\nport ${port}`),
    });
    expect(await failed(links.open(to(closing)))).toMatchObject({
      message: expect.stringContaining('closes the connection at once') as unknown,
    });
    expect([met, links.pauses.length]).toEqual([6, 5]);
    const silent = await listen((socket) => socket.resume());
    expect(await failed(links.open(to(silent)))).toMatchObject({ code: 'unreachable' });
    expect(links.pauses).toHaveLength(5);
  });

  test('within the time that ssh’s configuration gives', async () => {
    const silent = await listen((socket) => socket.resume());
    const links = linksWhere({}, { timing: { ...DEFAULT_TIMING, connectTimeoutMs: 60_000 } });
    const to = settings('node', `hostname 127.0.0.1\nport ${silent}\nconnecttimeout 1`);
    expect(await failed(links.open({ host: 'etcd-1', settings: to }))).toMatchObject({ code: 'unreachable' });
  });

  test('through a jump host, which is left with the links', async () => {
    const [jump, server] = [await startHostileServer({}), await startHostileServer({})];
    const links = linksWhere(
      { jump: `hostname 127.0.0.1\nport ${jump.port}` },
      {
        credentials: () =>
          Promise.resolve({
            ...{ methods: [{ type: 'password', username: 'me', password: 'planted' }], tried: [], skipped: [] },
          }),
        hostKeys: {
          checkFor: () =>
            Promise.resolve({
              ...{ algorithms: ['ecdsa-sha2-nistp256'], verify: () => undefined, remember: () => Promise.resolve() },
            }),
        },
        timing: { ...DEFAULT_TIMING, connectTimeoutMs: 60_000 },
      },
    );
    const link = await links.open({
      ...{ host: 'etcd-1', settings: settings('x', `hostname 127.0.0.1\nport ${server.port}\nproxyjump jump`) },
    });
    expect(link.isOpen()).toBe(true);
    await link.close();
    await server.allClosed();
    await links.close();
    await jump.allClosed();
    await Promise.all([jump.close(), server.close()]);
  });

  test('through a command where there is one, and its own words explain', async () => {
    const links = linksWhere({});
    const to = settings('node', 'hostname 10.0.0.1\nproxycommand sh -c "echo told %h:%p >&2; exit 7"');
    expect(await failed(links.open({ host: 'etcd-1', settings: to }))).toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('ProxyCommand ended with status 7: told 10.0.0.1:22') as unknown,
    });
  });
});
