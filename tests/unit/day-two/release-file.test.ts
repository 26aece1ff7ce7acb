import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openRelease } from '../../../src/day-two/release-file.js';
import type { EtcdRelease } from '../../../src/model/cluster.js';
import type { StdinFile } from '../../../src/model/remote.js';
import { Secret } from '../../../src/model/secret.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const BYTES = Buffer.from('a tarball of etcd');
const SHA = createHash('sha256').update(BYTES).digest('hex');

let cache = '';
let server: Server;
let asked: string[] = [];
let said: string[] = [];

beforeEach(async () => {
  cache = join(temporaryDirectory('releases'), 'releases');
  [asked, said] = [[], []];
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    if (request.url === '/moved') response.writeHead(302, { location: '/etcd.tar.gz' }).end();
    else if (request.url?.startsWith('/etcd.tar.gz') === true) response.end(BYTES);
    else if (request.url === '/cut')
      response.writeHead(200, { 'content-length': 100 }).write(BYTES, () => response.destroy());
    else if (request.url === '/endless') endless(response);
    else response.writeHead(404).end('not found');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function endless(response: { write(chunk: Buffer, done: (error?: Error | null) => void): void }): void {
  const chunk = Buffer.alloc(4 * 1024 * 1024);
  function more(error?: Error | null): void {
    if (error === undefined || error === null) response.write(chunk, more);
  }
  more();
}

function releaseAt(source: string): EtcdRelease {
  return { version: '3.5.16', sha256: SHA, source, fetch: 'control' };
}

const url = (path: string): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;

const open = async (source: string): Promise<StdinFile> =>
  openRelease(releaseAt(source), cache, (message) => said.push(message));

async function contentOf(file: StdinFile): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of file.read()) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('a release at a URL', () => {
  test.each(['/etcd.tar.gz', '/moved'])('is downloaded once, and read for each host: %s', async (path) => {
    const first = await open(url(path));
    const again = await open(url(path));
    expect([first.bytes, first.sha256, await contentOf(first), await contentOf(first)]).toEqual([
      BYTES.length,
      SHA,
      String(BYTES),
      String(BYTES),
    ]);
    expect(await contentOf(again)).toBe(String(BYTES));
    expect(asked.filter((each) => each === path)).toHaveLength(1);
    const [name = ''] = readdirSync(cache);
    expect(name).toMatch(/^etcd-3\.5\.16-.*\.tar\.gz$/);
    expect(said).toEqual([`downloaded ${url(path)} to ${join(cache, name)}`]);
    expect((statSync(join(cache, name)).mode & 0o777).toString(8)).toBe('600');
  });

  test.each([
    ['/missing', 'release-unreadable', 'the server answered 404'],
    ['/cut', 'release-unreadable', 'cannot be read'],
    ['/endless', 'release-unreadable', 'it has more than 256 MiB'],
  ])('%s leaves nothing', async (path, code, message) => {
    await expect(open(url(path))).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
      hint: 'name a mirror or a file with etcd_release_url; where only the hosts reach it: etcd_release_fetch: host',
    });
    expect(readdirSync(cache)).toEqual([]);
  });

  test('that is another file is sent to nobody, and not kept', async () => {
    const other = { ...releaseAt(url('/etcd.tar.gz')), sha256: '0'.repeat(64) };
    await expect(openRelease(other, cache, () => undefined)).rejects.toMatchObject({
      code: 'release-differs',
      message: expect.stringContaining(`has SHA-256 ${SHA}, and etcd_release_sha256 is ${other.sha256}: `),
    });
    expect(readdirSync(cache)).toEqual([]);
  });

  test('with a token is asked for with it, and says nothing of it', async () => {
    const query = new Secret('?token=planted');
    const say = (message: string): unknown => said.push(message);
    await openRelease({ ...releaseAt(url('/etcd.tar.gz')), query }, cache, say);
    expect(asked).toEqual(['/etcd.tar.gz?token=planted']);
    expect(said.join('\n')).not.toContain('planted');
    const missing = openRelease({ ...releaseAt(url('/missing')), query, sha256: '0'.repeat(64) }, cache, say);
    const error = await missing.catch((each: unknown) => each);
    expect(inspect(error, { depth: 9 })).toContain('the server answered 404');
    expect(inspect(error, { depth: 9 })).not.toContain('planted');
    // Node's own words of a URL that is none have all of it.
    const wrong = openRelease({ ...releaseAt('http://['), query, sha256: '0'.repeat(64) }, cache, say);
    expect(inspect(await wrong.catch((each: unknown) => each), { depth: 9 })).not.toContain('planted');
  });

  test('that nobody serves says why', async () => {
    const at = url('/etcd.tar.gz');
    server.close();
    await expect(open(at)).rejects.toMatchObject({
      code: 'release-unreadable',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  test('is not taken from a file that was changed meanwhile', async () => {
    await open(url('/etcd.tar.gz'));
    writeFileSync(join(cache, readdirSync(cache)[0] ?? ''), 'changed');
    await expect(open(url('/etcd.tar.gz'))).rejects.toMatchObject({ code: 'release-differs' });
  });
});

describe('a release in a file', () => {
  test('is read where it is', async () => {
    const path = join(cache, '..', 'etcd.tar.gz');
    writeFileSync(path, BYTES);
    expect(await contentOf(await open(path))).toBe(String(BYTES));
    expect([existsSync(cache), said]).toEqual([false, []]);
  });

  test.each([
    ['missing', 'release-unreadable'],
    ['other', 'release-differs'],
    ['', 'release-unreadable'],
  ])('%j is refused', async (name, code) => {
    writeFileSync(join(cache, '..', 'other'), 'other');
    await expect(open(join(cache, '..', name))).rejects.toMatchObject({ code });
  });
});
