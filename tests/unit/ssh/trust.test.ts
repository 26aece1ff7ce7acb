// Whom a connection is opened to, by which key it is known, and what it is shown: each rule by itself, without a server.
import { generateKeyPairSync } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { Secret } from '../../../src/model/secret.js';
import { checkNames } from '../../../src/ssh/check-names.js';
import { childEnvironment } from '../../../src/ssh/child-environment.js';
import { createCredentials } from '../../../src/ssh/credentials.js';
import { createHostKeys, type HostKeyCheck } from '../../../src/ssh/host-keys.js';
import {
  fingerprint,
  hashHostName,
  hostKeyAlgorithms,
  judgeHostKey,
  keyType,
  parseKnownHosts,
} from '../../../src/ssh/known-hosts.js';
import { createPrivateKeys } from '../../../src/ssh/private-keys.js';
import { lastHop, parseOptions, settingsFrom, type Settings } from '../../../src/ssh/settings.js';
import { unreachable } from '../../../src/ssh/unreachable.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

let directory: string;
beforeEach(async () => {
  directory = temporaryDirectory('trust');
});

/** A key in wire format: its type, then some bytes. */
function keyOf(type: string, body: string): Buffer {
  return Buffer.concat(
    [type, body].flatMap((text) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(text.length);
      return [length, Buffer.from(text)];
    }),
  );
}
const ED = keyOf('ssh-ed25519', 'one');
const OTHER = keyOf('ssh-ed25519', 'two');
const RSA = keyOf('ssh-rsa', 'three');
const line = (names: string, key: Buffer): string => `${names} ${keyType(key)} ${key.toString('base64')}\n`;

function settings(options: string): Settings {
  return settingsFrom(parseOptions(options), { alias: 'node', home: directory, user: 'me' });
}

describe('the key of a host', () => {
  const notices: string[] = [];
  beforeEach(() => {
    notices.length = 0;
  });

  const check = async (options: string, acceptNew: boolean): Promise<HostKeyCheck> =>
    createHostKeys({
      acceptNew,
      randomBytes: (size) => Buffer.alloc(size, 7),
      onNotice: (host, message) => notices.push(`${host}: ${message}`),
    }).checkFor('etcd-1', settings(options));
  const known = async (text: string): Promise<string> => {
    await writeFile(join(directory, 'known'), text);
    return `userknownhostsfile ${join(directory, 'known')}\nglobalknownhostsfile ${join(directory, 'global')}\nhostname Node.Example\n`;
  };
  const code = async (text: string, key: Buffer, options = '', acceptNew = false): Promise<string | undefined> =>
    (await check((await known(text)) + options, acceptNew)).verify(key)?.code;

  test.each<[string, string, Buffer, string, boolean, string | undefined]>([
    ['that is known', line('node.example', ED), ED, '', false, undefined],
    ['that is another one', line('node.example', OTHER), ED, '', true, 'host-key-changed'],
    ['that nobody knows', '', ED, '', false, 'host-key-unknown'],
    ['that nobody knows, beside a hash that is none', '|1 ssh-ed25519 AAAA\n', ED, '', false, 'host-key-unknown'],
    ['that nobody knows, and may be new', '', ED, '', true, undefined],
    [
      'that nobody knows, and may be new by the configuration',
      '',
      ED,
      'stricthostkeychecking accept-new',
      false,
      undefined,
    ],
    ['that nobody knows, and is asked for', '', ED, 'stricthostkeychecking ask', false, 'host-key-unknown'],
    ['that is revoked', `@revoked ${line('*', ED)}`, ED, '', true, 'host-key-revoked'],
    [
      'that is revoked with the port, and known without it',
      `@revoked ${line('[node.example]:2222', ED)}${line('node.example', ED)}`,
      ED,
      'port 2222',
      true,
      'host-key-revoked',
    ],
    ['of another port', line('[node.example]:2222', ED), ED, 'port 2222', false, undefined],
    ['that is known without the port', line('node.example', ED), ED, 'port 2222', false, undefined],
    ['another one than without the port', line('node.example', OTHER), ED, 'port 2222', false, 'host-key-unknown'],
    [
      'that is revoked without the port',
      `@revoked ${line('node.example', ED)}`,
      ED,
      'port 2222',
      true,
      'host-key-revoked',
    ],
    ['by its alias alone', line('other', ED), ED, 'hostkeyalias Other\nport 2222', false, undefined],
    ['by its alias, not by its name', line('node.example', ED), ED, 'hostkeyalias other', false, 'host-key-unknown'],
  ])('%s', async (_, text, key, options, acceptNew, expected) => {
    expect(await code(text, key, options, acceptNew)).toBe(expected);
  });

  test('may be known to the machine, not to the user; a file that is no file has none', async () => {
    const options = await known('');
    await writeFile(join(directory, 'global'), line('node.example', ED));
    expect((await check(options, false)).verify(ED)).toBeUndefined();
    expect((await check(options, false)).verify(OTHER)?.code).toBe('host-key-changed');
    const below = `userknownhostsfile ${join(directory, 'global', 'below')}\nhostname node\n`;
    expect((await check(below, false)).verify(ED)?.code).toBe('host-key-unknown');
  });

  test('is written on a line of its own behind whole lines', async () => {
    const options = await known(line('a', OTHER));
    const keys = await check(options, true);
    keys.verify(ED);
    await keys.remember();
    expect(await readFile(join(directory, 'known'), 'utf8')).toBe(line('a', OTHER) + line('node.example', ED));
  });

  test('is written down once it is proved, and known from then on, also where the last line has no end', async () => {
    const options = await known(line('a', OTHER).trimEnd());
    const keys = createHostKeys({
      acceptNew: true,
      randomBytes: () => Buffer.alloc(20, 7),
      onNotice: (host, message) => notices.push(`${host}: ${message}`),
    });
    const first = await keys.checkFor('etcd-1', settings(options));
    expect(first.verify(ED)).toBeUndefined();
    expect(await readFile(join(directory, 'known'), 'utf8')).toBe(line('a', OTHER).trimEnd());
    await first.remember();
    expect(await readFile(join(directory, 'known'), 'utf8')).toBe(line('a', OTHER) + line('node.example', ED));
    expect(notices).toEqual([
      expect.stringMatching(/^etcd-1: the host key of node\.example was added to .*known: ssh-ed25519 SHA256:/),
    ]);
    // The same files, read before: another key is a change now.
    expect((await keys.checkFor('etcd-1', settings(options))).verify(OTHER)?.code).toBe('host-key-changed');
    const again = await keys.checkFor('etcd-1', settings(options));
    expect(again.verify(ED)).toBeUndefined();
    await again.remember();
    expect(notices).toHaveLength(1);
  });

  test('is written into a new file for its owner only, hashed where that is wanted, and nowhere for /dev/null', async () => {
    const file = join(directory, 'ssh', 'known');
    const hashed = await check(`hostname node\nuserknownhostsfile ${file}\nhashknownhosts yes\n`, true);
    hashed.verify(RSA);
    await hashed.remember();
    expect(await readFile(file, 'utf8')).toBe(line(hashHostName('node', Buffer.alloc(20, 7)), RSA));
    expect([(await stat(file)).mode & 0o777, (await stat(join(directory, 'ssh'))).mode & 0o777]).toEqual([
      0o600, 0o700,
    ]);
    const nowhere = await check('hostname node\nuserknownhostsfile /dev/null\n', true);
    nowhere.verify(RSA);
    await nowhere.remember();
    expect(notices).toHaveLength(1);
  });

  test('of a type that is known is asked for first, and a revoked one is none', () => {
    const algorithms = (text: string): readonly string[] => hostKeyAlgorithms(parseKnownHosts(text, 'f'));
    const usual = [
      'ssh-ed25519',
      ...['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521', 'rsa-sha2-512', 'rsa-sha2-256'],
    ];
    expect(algorithms('')).toEqual(usual);
    expect(algorithms(line('a', RSA))).toEqual(['rsa-sha2-512', 'rsa-sha2-256', ...usual.slice(0, 4)]);
    expect(algorithms(`@revoked ${line('a', RSA)}`)).toEqual(usual);
    expect(algorithms('a ssh-unheard AAAA')).toEqual(usual);
  });

  test('that is refused is shown whole, with what to type', async () => {
    const file = join(directory, 'known');
    const refusal = async (text: string): Promise<unknown> => {
      const { host, message, hint, code: refused } = (await check(await known(text), false)).verify(ED) ?? {};
      return [refused, host, message, hint];
    };
    const [one, other] = [ED, OTHER].map((key) => `ssh-ed25519 ${fingerprint(key)}`);
    expect(await refusal('')).toEqual([
      ...['host-key-unknown', 'etcd-1', `etcd-1: the host key of node.example is not known: ${one}`],
      expect.stringContaining('ssh-keygen -lf /etc/ssh/ssh_host_…_key.pub'),
    ]);
    expect(await refusal(`# ours\n${line('node.example', OTHER)}`)).toEqual([
      ...['host-key-changed', 'etcd-1'],
      [
        'etcd-1: the host key of node.example has changed: someone may be intercepting the connection, or the host was reinstalled.',
        ...[`  it shows ${one}`, `  known is ${other} (${file}:2)`],
      ].join('\n'),
      `if the host was reinstalled: ssh-keygen -R node.example -f ${file}, then run again with --accept-new-host-keys`,
    ]);
    expect(await refusal(`@revoked ${line('*', ED)}`)).toEqual([
      ...['host-key-revoked', 'etcd-1', `etcd-1: the host key of node.example is revoked: ${one} (${file}:1)`],
      'give the host a new key: rm /etc/ssh/ssh_host_*, then ssh-keygen -A, on the host',
    ]);
  });

  test('that a person has confirmed is taken, and just that', async () => {
    const keys = await createHostKeys({
      ...{ acceptNew: false, randomBytes: (size) => Buffer.alloc(size, 7), onNotice: () => undefined },
      confirmed: new Map([['etcd-1', fingerprint(ED)]]),
    }).checkFor('etcd-1', settings(await known('')));
    expect([keys.verify(ED), keys.verify(OTHER)?.code]).toEqual([undefined, 'host-key-unknown']);
  });

  test('that has changed is compared with the one of its type', () => {
    const same = parseKnownHosts(line('a', RSA) + line('a', OTHER) + line('a', keyOf('ssh-ed25519', 'four')), 'f');
    expect(judgeHostKey(same, ED)).toMatchObject({ kind: 'changed', entry: { line: 2 } });
    const entries = parseKnownHosts(`  ${line('a', RSA)}\t${line('a', OTHER)}`, 'f');
    const verdict = judgeHostKey(entries, ED);
    expect(verdict).toMatchObject({ kind: 'changed', entry: { type: 'ssh-ed25519', line: 2, file: 'f' } });
    expect(judgeHostKey(entries.slice(0, 1), ED)).toMatchObject({
      kind: 'changed',
      entry: { type: 'ssh-rsa', line: 1 },
    });
  });
});

describe('names that a shell could run', () => {
  test.each([
    [{ address: 'a;b', user: 'x' }, "h: 'a;b' is not an address or a host name", 'check ansible_host of h'],
    [{ address: 'a', user: 'x;y' }, "h: 'x;y' is not a user name", 'check ansible_user of h'],
  ])('%j: where they are set is named', (names, message, hint) => {
    expect(() => {
      checkNames('h', names);
    }).toThrow(
      expect.objectContaining({
        message: `${message}: it has characters that a shell could run`,
        hint: `${hint}, its ProxyJump, and HostName and User in ~/.ssh/config`,
      }),
    );
  });

  const refused = (address: string, user?: string): boolean => {
    try {
      checkNames('h', { address, user });
      return false;
    } catch (error) {
      expect(error).toMatchObject({ code: 'ssh-config-invalid', host: 'h' });
      return true;
    }
  };

  /** What a shell would take for more than a name. */
  const OF_A_SHELL = ["a'b", 'a"b', 'a`b', 'a;b', 'a&b', 'a<b', 'a>b', 'a|b', 'a(b', 'a)b', 'a{b', 'a}b', 'a\nb'];

  test.each(['-oProxyCommand=x', 'a b', 'a$b', 'a\\b', 'a\u0007b', ...OF_A_SHELL])('as an address: %j', (address) => {
    expect(refused(address)).toBe(true);
  });

  test.each(['-x', '$(x', 'a -x', 'a\\', ...OF_A_SHELL])('as a user: %j', (user) => {
    expect(refused('10.0.0.1', user)).toBe(true);
  });

  test.each([
    ['10.0.0.1', undefined],
    ['fe80::1%eth0', 'me'],
    ['node-1.example', 'DOMAIN\\me'],
    ['a-b', 'a b'],
    ['a', 'me-x'],
    ['a', 'a$b'],
  ])('are none: %j, %j', (address, user) => {
    expect(refused(address, user)).toBe(false);
  });
});

test('what ssh starts inherits no secret of ours', () => {
  expect(
    childEnvironment({
      PROVISION_CA_PASSPHRASE: 'x',
      PROVISION_SSH_KEY_PASSPHRASE: 'y',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=x',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://me:x@collector/token',
      MY_PROVISION_X: 'z',
      PATH: '/bin',
    }),
  ).toEqual({ MY_PROVISION_X: 'z', PATH: '/bin' });
});

describe('a host that can’t be connected to', () => {
  const error = (code: string | undefined, message = 'said'): Error => Object.assign(new Error(message), { code });
  test.each([
    ['ENOTFOUND', 'said', 'the name node.example is not known', 'set ansible_host to an address'],
    ['EAI_AGAIN', 'said', 'the name node.example is not known', 'set ansible_host to an address'],
    ['ECONNREFUSED', 'said', 'nothing listens on port 2222', 'ansible_port (2222)'],
    ['EHOSTUNREACH', 'said', 'no route to node.example', 'ip route get node.example'],
    ['ENETUNREACH', 'said', 'no route to node.example', 'ip route get node.example'],
    ['ETIMEDOUT', 'late', 'late', 'nc -vz node.example 2222'],
    [undefined, 'Timed out while waiting', 'Timed out while waiting', 'nc -vz node.example 2222'],
    [undefined, 'Connection lost before handshake', 'the server closes the connection at once', 'MaxStartups'],
    [undefined, 'else', 'else', 'ssh -v -p 2222 node.example true'],
  ])('%s, %s: %s', (code, message, text, hint) => {
    const cause = error(code, message);
    expect(unreachable('etcd-1', settings('hostname node.example\nport 2222'), cause)).toMatchObject({
      code: 'unreachable',
      host: 'etcd-1',
      message: expect.stringMatching(RegExp(`^etcd-1: can't connect to .*node\\.example.*: ${text}$`)) as unknown,
      hint: expect.stringContaining(hint) as unknown,
      cause,
    });
  });
});

describe('keys and passwords that are tried', () => {
  const newKey = (passphrase?: string): string =>
    generateKeyPairSync('ec', { namedCurve: 'P-256' })
      .privateKey.export({
        type: 'sec1',
        format: 'pem',
        ...(passphrase === undefined ? {} : { cipher: 'aes-128-cbc', passphrase }),
      } as never)
      .toString();
  const find = async (
    options: string,
    more: {
      readonly privateKeyFile?: string;
      readonly privateKeyNamedBy?: string;
      readonly password?: Secret;
      readonly variable?: Secret;
    } = {},
  ) => {
    const keys = createPrivateKeys({ variable: more.variable, ask: undefined });
    return createCredentials(
      keys,
      {},
    )({
      host: 'etcd-1',
      settings: settings(options),
      privateKeyFile: more.privateKeyFile,
      privateKeyNamedBy: more.privateKeyNamedBy,
      password: more.password,
    });
  };
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(directory, name), text);
    return join(directory, name);
  };

  test('are each by its name, once, the named key first and the password last', async () => {
    const [one, two] = [await file('one', newKey()), await file('two', newKey())];
    const options = `user ops\nidentityfile ${one}\nidentityfile ${two}\nidentityfile ${directory}/none\n`;
    const found = await find(options, { privateKeyFile: two, password: new Secret('planted') });
    expect(found.tried).toEqual([two, one, 'the password']);
    expect(found.methods.map(({ type, username }) => `${type} ${username}`)).toEqual([
      'publickey ops',
      'publickey ops',
      'password ops',
      'keyboard-interactive ops',
    ]);
    expect(found.skipped).toEqual([]);
  });

  test('a password answers every hidden question, and no other', async () => {
    const { methods } = await find(`identityfile ${directory}/none`, { password: new Secret('planted') });
    const answers: string[] = [];
    for (const method of methods)
      if (method.type === 'keyboard-interactive')
        method.prompt(
          '',
          '',
          '',
          [
            { prompt: 'Password: ', echo: false },
            { prompt: 'Token: ', echo: true },
            { prompt: 'Again: ', echo: false },
          ],
          (given) => answers.push(...given),
        );
    expect(answers).toEqual(['planted', '', 'planted']);
  });

  test('an encrypted key is opened where nothing else may do, else left out', async () => {
    const locked = await file('locked', newKey('secret'));
    const options = `identityfile ${locked}`;
    expect((await find(options, { variable: new Secret('secret') })).tried).toEqual([locked]);
    expect((await find(options, { variable: new Secret('wrong') })).skipped).toEqual([
      expect.stringContaining('the passphrase does not open it'),
    ]);
    expect((await find(options)).skipped).toEqual([expect.stringContaining('no terminal to ask')]);
    const beside = await find(options, { password: new Secret('x'), variable: new Secret('secret') });
    expect([beside.tried, beside.skipped]).toEqual([
      ['the password'],
      [`${locked}: encrypted, and not in the agent (ssh-add ${locked})`],
    ]);
  });

  test('the key that was named must be one', async () => {
    const by = 'ansible_ssh_private_key_file of inventory.yaml:3:5';
    const none = { privateKeyFile: join(directory, 'none'), privateKeyNamedBy: by };
    await expect(find('', none)).rejects.toMatchObject({
      ...{
        code: 'key-unusable',
        host: 'etcd-1',
        hint: expect.stringContaining('put the key there, or correct the path'),
      },
      message: `etcd-1: private key ${none.privateKeyFile}: no such file, named by ${by}`,
    });
    const locked = await file('locked', newKey('secret'));
    const opened = await find('', { privateKeyFile: locked, variable: new Secret('secret') });
    expect([opened.tried, opened.skipped]).toEqual([[locked], []]);
    await expect(find('', { privateKeyFile: locked, variable: new Secret('wrong') })).rejects.toMatchObject({
      message: expect.stringContaining(`private key ${locked}: the passphrase does not open it`),
    });
    for (const [text, reason] of [
      ['nonsense', 'not a private key'],
      ['-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', 'PKCS#8'],
      ['-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n', 'PKCS#8'],
      ['-----BEGIN DSA PRIVATE KEY-----\nAAAA\n-----END DSA PRIVATE KEY-----\n', `private key ${directory}/bad: `],
    ] as const)
      await expect(find('', { privateKeyFile: await file('bad', text) })).rejects.toMatchObject({
        message: expect.stringContaining(reason),
        hint:
          text === 'nonsense'
            ? `name the private key, not the .pub file or the certificate: ${directory}/bad`
            : `rewrite it in OpenSSH's format: ssh-keygen -p -f ${directory}/bad`,
      });
  });

  test('a key file that can’t be read is one that can’t be used, and only the named one is an error', async () => {
    const found = await find(`identityfile ${directory}`, { password: new Secret('x') });
    expect(found.tried).toEqual(['the password']);
    expect(found.skipped).toEqual([
      expect.stringMatching(/^.*: it cannot be read: .*EISDIR.* \(look at it with: ls -ld /),
    ]);
    await expect(find('', { privateKeyFile: directory })).rejects.toMatchObject({
      code: 'key-unusable',
      host: 'etcd-1',
    });
  });

  test('a certificate that lies beside a key is named', async () => {
    const key = await file('one', newKey());
    await file('one-cert.pub', 'x');
    expect((await find('', { privateKeyFile: key })).skipped).toEqual([expect.stringContaining(`${key}-cert.pub: `)]);
  });
});

test.each([
  ['hostname none.example\nproxyjump None\nhostkeyalias NONE', { proxyJump: undefined, hostKeyAlias: undefined }],
  ['identityfile none', { identityFiles: [] }],
  ['userknownhostsfile none', { userKnownHostsFiles: [] }],
  ['userknownhostsfile ', { userKnownHostsFiles: [] }],
  ['identitiesonly yes', { identitiesOnly: true }],
  ['connecttimeout 0', { connectTimeoutMs: undefined }],
  ['hostname %h.example', { hostname: 'node.example' }],
])('ssh’s own words mean: %j', (options, expected) => {
  expect(settings(options)).toMatchObject(expected);
});

test('the way before the last hop is what is left of it', () => {
  expect(lastHop(',b').before).toBe('');
  expect(lastHop('a').before).toBeUndefined();
});
