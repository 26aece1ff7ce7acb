// A connection as it is opened, lost and closed, with a server of the library in this process; real ones are in contract/ssh-*.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import ssh2, { type Connection as ServerConnection } from 'ssh2';
import { RemoteError } from '../../../src/model/errors.js';
import type { Credentials } from '../../../src/ssh/credentials.js';
import type { HostKeyCheck } from '../../../src/ssh/host-keys.js';
import { DEFAULT_TIMING, openLink, type Link, type LinkRequest } from '../../../src/ssh/link.js';
import type { Settings } from '../../../src/ssh/settings.js';

const { privateKey: HOST_KEY } = generateKeyPairSync('ec', {
  namedCurve: 'prime256v1',
  privateKeyEncoding: { type: 'sec1', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});

const SETTINGS = { alias: 'e1', hostname: 'etcd-1.example', user: 'ops', port: 2222 } as unknown as Settings;
const PASSWORD = { type: 'password', username: 'ops', password: 'planted' } as const;
const OFFERED: Credentials = { methods: [PASSWORD], tried: ['the password'], skipped: [] };

const open: { close(): unknown }[] = [];
afterEach(() => {
  jest.useRealTimers();
  for (const each of open.splice(0)) each.close();
});

interface Served {
  readonly stream: Socket;
  /** What the server noted: logins, and that it was left. */
  readonly noted: string[];
  /** Of the server, once a client has come. */
  peer(): Socket;
}

/** A server for one client. @param isWelcome who gets in */
async function serve(
  isWelcome: (login: string) => boolean,
  onClient?: (client: ServerConnection) => void,
): Promise<Served> {
  const noted: string[] = [];
  let peer: Socket | undefined;
  const library = new ssh2.Server({ hostKeys: [HOST_KEY] }, (client) => {
    onClient?.(client);
    client.on('error', () => undefined);
    client.on('close', () => noted.push('left'));
    client.on('authentication', (context) => {
      const login = `${context.method} of ${context.username}`;
      noted.push(login);
      if (isWelcome(login)) context.accept();
      else context.reject(['password']);
    });
  });
  const server = createServer((socket) => {
    peer = socket;
    library.injectSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stream = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(stream, 'connect');
  stream.on('error', () => undefined);
  open.push({ close: () => stream.destroy() }, { close: () => peer?.destroy() }, server);
  return {
    stream,
    noted,
    peer: () => {
      if (peer === undefined) throw new Error('nobody has come');
      return peer;
    },
  };
}

const welcome = (login: string): boolean => login === 'password of ops';

function requestFor({ stream }: Served, changes: Partial<LinkRequest> = {}): LinkRequest {
  const hostKey: HostKeyCheck = {
    algorithms: ['ecdsa-sha2-nistp256'],
    verify: () => undefined,
    remember: () => Promise.resolve(),
  };
  const timing = { ...DEFAULT_TIMING, connectTimeoutMs: 9_000, keepaliveIntervalMs: 7_000, keepaliveCountMax: 4 };
  return { host: 'etcd-1', settings: SETTINGS, stream, hostKey, credentials: OFFERED, timing, ...changes };
}

async function refusal(request: LinkRequest): Promise<unknown> {
  return openLink(request).then(
    () => 'let in',
    (error: unknown) => error,
  );
}

describe('a host that lets us in', () => {
  test('is logged in to as the user, with the key that was verified, and within the deadlines that were given', async () => {
    const said: string[] = [];
    const served = await serve(welcome);
    const link = await openLink(
      requestFor(served, {
        hostKey: {
          algorithms: ['ecdsa-sha2-nistp256'],
          verify: (key) => {
            said.push(`verify ${Buffer.from(key).subarray(4, 23).toString()}, ${served.noted.length} logins`);
            return undefined;
          },
          remember: async () => {
            said.push(`remember after ${served.noted.join(', then ')}`);
          },
        },
      }),
    );
    expect(said).toEqual(['verify ecdsa-sha2-nistp256, 0 logins', 'remember after password of ops']);
    expect([link.isOpen(), link.lostBecause()]).toEqual([true, undefined]);
    expect(link.client).toHaveProperty(
      'config',
      expect.objectContaining({ readyTimeout: 9_000, keepaliveInterval: 7_000, keepaliveCountMax: 4 }),
    );
  });

  test('has these deadlines, if nobody names others', () => {
    expect(DEFAULT_TIMING).toMatchObject({
      connectTimeoutMs: 10_000,
      channelTimeoutMs: 30_000,
      startTimeoutMs: 60_000,
    });
    expect(DEFAULT_TIMING).toMatchObject({ guardMs: 15_000, lingerMs: 5000 });
  });

  test('is found to be frozen after half a minute at most', () => {
    const { keepaliveIntervalMs, keepaliveCountMax } = DEFAULT_TIMING;
    expect(keepaliveIntervalMs * (keepaliveCountMax + 1)).toBe(30_000);
  });
});

describe('a host that does not', () => {
  test.each<[string, Credentials, Partial<Settings>, string, string]>([
    [
      'with what was tried',
      { ...OFFERED, tried: ['/k1', 'the password'] },
      {},
      'ops@etcd-1.example port 2222 refuses the login; tried: /k1, the password',
      'ssh -v -p 2222 ops@etcd-1.example true',
    ],
    [
      'with what was left out',
      { ...OFFERED, skipped: ['/k2: encrypted', '/k3: none'] },
      { port: 22, user: 'o p' },
      'o p@etcd-1.example refuses the login; tried: the password\n  left out: /k2: encrypted\n  left out: /k3: none',
      "ssh -v -p 22 'o p@etcd-1.example' true",
    ],
    [
      'with nothing to offer',
      { methods: [], tried: [], skipped: [] },
      {},
      'ops@etcd-1.example port 2222 refuses the login; tried: nothing to offer: no key, no agent, no password',
      'ssh -v -p 2222 ops@etcd-1.example true',
    ],
  ])('is named %s', async (_, credentials, changes, message, command) => {
    const served = await serve(() => false);
    const error = await refusal(requestFor(served, { credentials, settings: { ...SETTINGS, ...changes } }));
    expect(error).toBeInstanceOf(RemoteError);
    expect(error).toMatchObject({
      code: 'authentication-refused',
      host: 'etcd-1',
      message: `etcd-1: ${message}`,
      hint: `try it by hand: ${command}`,
      cause: { level: 'client-authentication' },
    });
    expect(served.stream.destroyed).toBe(true);
  });

  test('because its key is refused gets no login to see, and is not remembered', async () => {
    const refused = new RemoteError({ code: 'host-key-unknown', host: 'etcd-1', message: 'etcd-1: unknown' });
    const served = await serve(welcome);
    const remember = jest.fn(() => Promise.resolve());
    const hostKey = { algorithms: ['ecdsa-sha2-nistp256'], verify: () => refused, remember };
    expect(await refusal(requestFor(served, { hostKey }))).toBe(refused);
    expect(remember).not.toHaveBeenCalled();
    expect([served.noted.filter((note) => note !== 'left'), served.stream.destroyed]).toEqual([[], true]);
  });

  test('for a key that cannot be noted is left, with the error of the file system', async () => {
    const full = Object.assign(new Error('disk is full'), { code: 'ENOSPC' });
    const served = await serve(welcome);
    const hostKey = { algorithms: [], verify: () => undefined, remember: () => Promise.reject(full) };
    expect(await refusal(requestFor(served, { hostKey: { ...hostKey, algorithms: ['ecdsa-sha2-nistp256'] } }))).toBe(
      full,
    );
    expect(served.stream.destroyed).toBe(true);
  });

  test('speak to the end gives the error of the library: whoever retries judges it', async () => {
    const served = await serve(welcome, () => served.peer().destroy());
    const error = await refusal(requestFor(served));
    expect(error).not.toBeInstanceOf(RemoteError);
    expect(error).toMatchObject({
      message: expect.stringMatching(/Connection lost before handshake|ECONNRESET|No response from server/),
    });
    expect(served.stream.destroyed).toBe(true);
  });
});

describe('a connection ends', () => {
  const linked = async (): Promise<Served & { readonly link: Link }> => {
    const served = await serve(welcome);
    return { ...served, link: await openLink(requestFor(served)) };
  };

  test('by a word to the server, and once', async () => {
    const { link, noted, stream } = await linked();
    await link.close();
    expect([link.isOpen(), link.lostBecause(), stream.destroyed]).toEqual([false, undefined, true]);
    await link.close();
    expect(noted.filter((note) => note !== 'left')).toEqual(['password of ops']);
  });

  test('where the server is gone', async () => {
    const { link, ...served } = await linked();
    const gone = once(link.client, 'close');
    served.peer().destroy();
    await gone;
    expect(link.isOpen()).toBe(false);
    await link.close();
  });

  test('for a reason, at once: the first one is the one', async () => {
    const { link, stream } = await linked();
    const [first, second] = [new Error('first'), new Error('second')];
    link.drop(first);
    expect([link.isOpen(), link.lostBecause(), stream.destroyed]).toEqual([false, first, true]);
    link.client.emit('error', second);
    link.drop(second);
    expect(link.lostBecause()).toBe(first);
  });

  test('for the error of the library, whichever came first', async () => {
    const { link } = await linked();
    const [first, second] = [new Error('first'), new Error('second')];
    link.client.emit('error', first);
    link.client.emit('error', second);
    expect(link.lostBecause()).toBe(first);
  });

  test.each([
    ['closes its stream after half a second', 499, true],
    ['whose stream does not close, after a second', 999, false],
  ])('though the server says nothing: %s', async (_, ms, mayClose) => {
    const { link, stream } = await linked();
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance', 'Date'] });
    const destroyed = jest.fn();
    const destroy = stream.destroy.bind(stream);
    Object.assign(stream, {
      end: () => stream,
      destroy: () => {
        destroyed();
        return mayClose ? destroy() : stream;
      },
    });
    Object.assign(link.client, { end: () => link.client });
    let isClosed = false;
    const closing = link.close().then(() => {
      isClosed = true;
    });
    jest.advanceTimersByTime(ms);
    await new Promise(setImmediate);
    expect([destroyed.mock.calls.length, isClosed]).toEqual([mayClose ? 0 : 1, false]);
    jest.advanceTimersByTime(1);
    await closing;
    expect(destroyed).toHaveBeenCalledTimes(1);
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
    destroy();
  });
});
