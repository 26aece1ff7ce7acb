import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { etcdIdentity, etcdIdentityKey, type EtcdIdentity } from '../../src/facts/etcd-identity.js';
import { run } from '../support/lab.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** A gRPC message with a header of cluster 14841639068965178418, member 10276657743932975437, revision 300; its leader is 9. */
const MESSAGE = '000000002a0a1b08b298eaf1948386fccd0110cdd2918bd2b881cf8e0118ac0220021206332e342e3233182a2009';
const IDENTITY = {
  kind: 'answers',
  clusterId: '14841639068965178418',
  memberId: '10276657743932975437',
  leaderId: '9',
  revision: 300,
};

let directory: string;
let file: (name: string) => string;
let [tls, plain]: readonly [number, number] = [0, 0];
let close: () => void;

beforeAll(async () => {
  directory = temporaryDirectory('etcd-identity');
  file = (name) => join(directory, name);
  for (const name of ['own', 'other']) {
    const words = [
      '-noenc',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
    ];
    const sans = ['-addext', 'subjectAltName=IP:127.0.0.1'];
    await run([
      'openssl',
      'req',
      '-x509',
      ...words,
      ...sans,
      '-keyout',
      file(`${name}.key`),
      '-out',
      file(`${name}.crt`),
    ]);
  }
  const words = ['tests/support/etcd-status-server.mjs', file('own.key'), file('own.crt'), MESSAGE];
  const server = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  close = () => server.stdin.end();
  const [line] = (await once(server.stdout, 'data')) as [Buffer];
  [tls, plain] = JSON.parse(line.toString()) as [number, number];
});

afterAll(async () => {
  close();
});

/** Asks with this machine's own shell, all at once. */
async function asked(...requests: readonly Parameters<typeof etcdIdentityKey>[0][]): Promise<readonly unknown[]> {
  const keys = requests.map(etcdIdentityKey);
  const { stdout } = await run(['sh', '-c', etcdIdentity.script(keys)]);
  const found: ReadonlyMap<string, EtcdIdentity> = etcdIdentity.parse(stdout, keys);
  return keys.map((key) => found.get(key));
}

test('an etcd says who it is, over TLS and without it, to who shows and verifies by the right files', async () => {
  const own = { ca: file('own.crt'), certificate: file('own.crt'), key: file('own.key') };
  expect(
    await asked(
      { url: `https://127.0.0.1:${tls}`, ...own },
      { url: `http://127.0.0.1:${plain}` },
      // A recovery asks so who serves: by any certificate.
      { url: `https://127.0.0.1:${tls}`, certificate: own.certificate, key: own.key },
      { url: `https://127.0.0.1:${tls}`, ...own, ca: file('other.crt') },
      { url: `https://127.0.0.1:${tls}`, ca: own.ca },
      { url: `https://127.0.0.1:${tls}`, ...own, certificate: file('none') },
      { url: `https://127.0.0.2:${tls}`, ...own },
      { url: 'http://127.0.0.1:1' },
      { url: `http://127.0.0.1:${tls}` },
    ),
  ).toEqual([
    IDENTITY,
    IDENTITY,
    IDENTITY,
    ...Array.from({ length: 6 }, () => ({ kind: 'silent', reason: expect.stringMatching(/./) })),
  ]);
});
