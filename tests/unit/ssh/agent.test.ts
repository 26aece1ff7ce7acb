// Which keys of an agent a host is offered: an agent that a test serves holds them.
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { AnyAuthMethod, BaseAgent, ParsedKey } from 'ssh2';
import type { Secret } from '../../../src/model/secret.js';
import { openAgent } from '../../../src/ssh/agent.js';
import { createCredentials, type Credentials } from '../../../src/ssh/credentials.js';
import { createPrivateKeys } from '../../../src/ssh/private-keys.js';
import { parseOptions, settingsFrom } from '../../../src/ssh/settings.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

let directory: string;
let agent: Server;
/** How often it was asked. */
let asked: number;

function word(bytes: Buffer | string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, Buffer.from(bytes)]);
}
/** A public key in wire format. */
const keyOf = (byte: number): Buffer => Buffer.concat([word('ssh-ed25519'), word(Buffer.alloc(32, byte))]);
const KEYS = [keyOf(1), keyOf(2), keyOf(3)];

/** SSH_AGENT_IDENTITIES_ANSWER (draft-miller-ssh-agent). */
function identities(keys: readonly Buffer[]): Buffer {
  const count = Buffer.alloc(4);
  count.writeUInt32BE(keys.length);
  return word(Buffer.concat([Buffer.from([12]), count, ...keys.flatMap((key) => [word(key), word('a comment')])]));
}

/** What it signs whatever with. */
const SIGNED = word(Buffer.concat([Buffer.from([14]), word(Buffer.concat([word('ssh-ed25519'), word('signature')]))]));

beforeEach(async () => {
  directory = temporaryDirectory('agent');
  asked = 0;
  agent = createServer((connection) => {
    asked += 1;
    connection.on('error', () => undefined);
    // 13: to sign something (draft-ietf-sshm-ssh-agent, 5.1).
    connection.on('data', (chunk: Buffer) => connection.write(chunk[4] === 13 ? SIGNED : identities(KEYS)));
  });
  agent.listen(join(directory, 'socket'));
  await once(agent, 'listening');
});
afterEach(() => {
  agent.close();
});

/** An encrypted key; what lies beside it says which one it is. */
async function locked(name: string, key: Buffer | undefined): Promise<string> {
  const file = join(directory, name);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ type: 'sec1', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'x' } as never);
  await writeFile(file, pem);
  if (key !== undefined) await writeFile(`${file}.pub`, `ssh-ed25519 ${key.toString('base64')} comment\n`);
  return file;
}

const offeredBy = (method: AnyAuthMethod | undefined): Promise<readonly Buffer[]> =>
  new Promise((resolve, reject) => {
    const { agent: offering } = method as { readonly agent: BaseAgent<ParsedKey> };
    offering.getIdentities((error, keys = []) => {
      if (error) reject(error);
      else resolve(keys.map((key) => (key as ParsedKey).getPublicSSH()));
    });
  });

function search(env: Readonly<Record<string, string>> = { SSH_AUTH_SOCK: join(directory, 'socket') }) {
  const find = createCredentials(createPrivateKeys({ variable: undefined, ask: undefined }), env);
  return (options: string, more: { privateKeyFile?: string; password?: Secret } = {}): Promise<Credentials> =>
    find({
      host: 'etcd-1',
      settings: settingsFrom(parseOptions(options), { alias: 'node', home: directory, user: 'me' }),
      privateKeyFile: more.privateKeyFile,
      password: more.password,
    });
}

describe('an agent', () => {
  test('is asked once, and offers all that it holds', async () => {
    const find = search();
    const [first, again] = [await find('user ops'), await find('user ops')];
    expect(first.tried).toEqual(['3 keys of the agent']);
    expect(first.methods).toEqual([expect.objectContaining({ type: 'agent', username: 'ops' })]);
    expect(await offeredBy(first.methods[0])).toEqual(KEYS);
    expect(await offeredBy(again.methods[0])).toEqual(KEYS);
    expect(asked).toBe(1);
  });

  test('offers the one key that was named, before it all others', async () => {
    const file = await locked('named', KEYS[1]);
    const found = await search()('', { privateKeyFile: file });
    expect(await offeredBy(found.methods[0])).toEqual([KEYS[1]]);
    expect(found.tried[0]).toBe('1 key of the agent');
  });

  test('with IdentitiesOnly offers those that are listed, also where their files are encrypted', async () => {
    const files = [await locked('one', KEYS[2]), await locked('two', KEYS[0]), await locked('three', keyOf(9))];
    const options = files.map((file) => `identityfile ${file}\n`).join('');
    const only = await search()(`${options}identitiesonly yes`);
    expect(await offeredBy(only.methods[0])).toEqual([KEYS[0], KEYS[2]]);
    expect(only.skipped).toEqual([expect.stringContaining(`${files[2] ?? ''}: encrypted`)]);
    expect(await offeredBy((await search()(options)).methods[0])).toEqual(KEYS);
    const none = await search()('identityfile none\nidentitiesonly yes');
    expect([none.methods, none.tried]).toEqual([[], []]);
  });

  test('spares a person the question for a passphrase', async () => {
    const file = await locked('other', undefined);
    const found = await search()(`identityfile ${file}`);
    expect(found.skipped).toEqual([`${file}: encrypted, and not in the agent (ssh-add ${file})`]);
  });

  // [IdentityAgent, the environment, whether it is asked]
  test.each([
    [undefined, 'SSH_AUTH_SOCK', true],
    ['SSH_AUTH_SOCK', 'SSH_AUTH_SOCK', true],
    ['$MY_SOCK', 'MY_SOCK', true],
    ['${MY_SOCK}', 'MY_SOCK', true],
    ['none', 'SSH_AUTH_SOCK', false],
    ['$MY_SOCK', 'SSH_AUTH_SOCK', false],
    [undefined, 'OTHER', false],
  ])('is found by IdentityAgent %s and the variable %s: %s', async (configured, variable, isAsked) => {
    const find = search({ [variable]: join(directory, 'socket') });
    const found = await find(configured === undefined ? '' : `identityagent ${configured}`);
    expect(found.tried).toEqual(isAsked ? ['3 keys of the agent'] : []);
    expect(found.skipped).toEqual([]);
  });

  test('signs with the keys that are offered', async () => {
    const { methods } = await search()('');
    const { agent: offering } = methods[0] as unknown as { readonly agent: BaseAgent<ParsedKey> };
    const key = await new Promise<ParsedKey | undefined>((resolve) => {
      offering.getIdentities((_, keys = []) => {
        resolve(keys[0] as ParsedKey);
      });
    });
    if (key === undefined) throw new Error('no key');
    const signature = await new Promise<string>((resolve, reject) => {
      offering.sign(key, Buffer.from('data'), {}, (error, bytes) => {
        if (error) reject(error);
        else resolve(String(bytes));
      });
    });
    expect(signature).toContain('signature');
  });

  test('that accepts and never answers is given up, with how long that took', async () => {
    const path = join(directory, 'mute');
    const mute = createServer((connection) => connection.on('error', () => undefined)).listen(path);
    await once(mute, 'listening');
    await expect(openAgent(path, 50)).rejects.toThrow('no answer within 0.05 s');
    mute.close();
  });

  test('that is not there is left out, with its place', async () => {
    const found = await search({})(`identityagent ${directory}/nobody`);
    expect(found.methods).toEqual([]);
    expect(found.skipped).toEqual([expect.stringMatching(RegExp(`^the agent at ${directory}/nobody: .+`))]);
    expect((await search({ SSH_AUTH_SOCK: '' })('')).skipped).toEqual([]);
  });
});
