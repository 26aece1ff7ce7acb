// What a host says of its certificates and keys, asked of this machine with a real shell and a real openssl.
import { createPublicKey, createVerify, generateKeyPairSync } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { bootId, BOOT } from '../../src/facts/boot-id.js';
import { certificateFiles, certificateFilesKey } from '../../src/facts/certificate-files.js';
import { clusterLock, LOCK } from '../../src/facts/cluster-lock.js';
import { keyProof, keyProofKey } from '../../src/facts/key-proof.js';
import { askHere } from '../support/ask-here.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const CERTIFICATE = (text: string): string => `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`;
const KEYS = ['first', 'second'].map(() => generateKeyPairSync('ec', { namedCurve: 'P-256' }));

let directory: string;
const at = (name: string): string => join(directory, name);
const keyPem = (index: number): string =>
  KEYS[index]?.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() ?? '';
const publicPem = (index: number): string =>
  KEYS[index]?.publicKey.export({ type: 'spki', format: 'pem' }).toString() ?? '';

beforeAll(() => {
  directory = temporaryDirectory('certificate-facts');
  const encrypted = KEYS[0]?.privateKey.export({
    ...{ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'planted' },
  } as never);
  const files: Readonly<Record<string, string>> = {
    "it's.crt": `# planted-comment\n${CERTIFICATE('AAAA')}${CERTIFICATE('BBBB')}C 2\nK 1\n`,
    'bundle.pem': `${keyPem(1)}${CERTIFICATE('CCCC').trimEnd()}`,
    'last.crt': CERTIFICATE('DDDD'),
    'empty.crt': '',
    'first.key': keyPem(0),
    'second.key': keyPem(1),
    'encrypted.key': String(encrypted),
    'no.key': 'planted-text\n',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(at(name), text, { mode: 0o644 });
  mkdirSync(at('directory'));
  symlinkSync('first.key', at('link.key'));
  chmodSync(at('first.key'), 0o600);
  chmodSync(at('encrypted.key'), 0o40);
  if (process.getuid?.() === 0) chownSync(at('encrypted.key'), 61_777, 61_888);
});

const isRoot = process.getuid?.() === 0;
const OWNER = isRoot ? { owner: 'root', group: 'root' } : { owner: expect.anything(), group: expect.anything() };

describe('certificates and keys', () => {
  const pairs = (): readonly (readonly [string, string?])[] => [
    [at("it's.crt"), at('first.key')],
    [at('none.crt'), at('link.key')],
    [at('bundle.pem'), at('bundle.pem')],
    [at('empty.crt'), at('encrypted.key')],
    [at('directory'), at('directory')],
    [at('last.crt')],
    [at('last.crt'), at('no.key')],
    [at("it's.crt"), at('none.key')],
  ];
  const ask = async (only?: readonly string[]) =>
    askHere(
      certificateFiles,
      pairs().map(([certificate, key]) => certificateFilesKey(certificate, key)),
      only === undefined ? {} : { only },
    );

  test('come each with its own owner, mode and public half, whatever is asked beside it', async () => {
    const found = await ask();
    const plain = { ...OWNER, mode: '0644' };
    const own = { ...OWNER, mode: '0600' };
    const first = { kind: 'known', pem: publicPem(0) };
    const both = CERTIFICATE('AAAA') + CERTIFICATE('BBBB');
    const foreign = isRoot
      ? { owner: '61777', group: '61888', mode: '0040' }
      : { owner: expect.anything(), group: expect.anything(), mode: '0040' };
    expect(found).toEqual([
      { certificate: plain, key: own, pem: both, publicKey: first },
      // A link is followed: what it leads to is what a service reads.
      { certificate: undefined, key: own, pem: '', publicKey: first },
      { certificate: plain, key: plain, pem: CERTIFICATE('CCCC'), publicKey: { kind: 'known', pem: publicPem(1) } },
      { certificate: plain, key: foreign, pem: '', publicKey: { kind: 'unreadable' } },
      {
        certificate: expect.objectContaining({ mode: '0755' }),
        key: expect.objectContaining({ mode: '0755' }),
        pem: '',
        publicKey: { kind: 'unchecked' },
      },
      { certificate: plain, key: undefined, pem: CERTIFICATE('DDDD'), publicKey: { kind: 'unchecked' } },
      { certificate: plain, key: plain, pem: CERTIFICATE('DDDD'), publicKey: { kind: 'unreadable' } },
      { certificate: plain, key: undefined, pem: both, publicKey: { kind: 'unchecked' } },
    ]);
    expect(JSON.stringify(found)).not.toMatch(/PRIVATE|planted/);
    expect(certificateFiles.evidence?.(found[0] as never)).toEqual(found[0]);
  });

  test('are not compared by a host without openssl, and no key is read there', async () => {
    const found = await ask(['stat', 'awk', 'sed']);
    expect(found.map(({ publicKey }) => publicKey)).toEqual(Array(8).fill({ kind: 'unchecked' }));
    expect(found.map(({ pem }) => pem !== '')).toEqual([true, false, true, false, false, true, true, true]);
  });

  test('none of which is there are nothing', async () => {
    expect(await askHere(certificateFiles, [certificateFilesKey(at('none'))])).toEqual([
      { certificate: undefined, key: undefined, pem: '', publicKey: { kind: 'unchecked' } },
    ]);
  });
});

test('a proof is a signature of the statement by the key in the file, and none without one', async () => {
  const statement = "host etcd-1, it's %s \\n 2026";
  const files = ['first.key', 'none.key', 'second.key', 'encrypted.key', 'no.key'];
  const proofs = await askHere(
    keyProof,
    files.map((name) => keyProofKey(at(name), statement)),
  );
  const isOf = (index: number, proof: Buffer | undefined, text: string): boolean =>
    proof !== undefined &&
    createVerify('sha256')
      .update(text)
      .verify(createPublicKey(publicPem(index)), proof);
  expect([isOf(0, proofs[0], statement), isOf(1, proofs[2], statement)]).toEqual([true, true]);
  expect([isOf(1, proofs[0], statement), isOf(0, proofs[0], `${statement}x`)]).toEqual([false, false]);
  expect([proofs[1], proofs[3], proofs[4]]).toEqual([undefined, undefined, undefined]);
});

test('the boot of a host has the id that the kernel gave it', async () => {
  const id = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  expect(await askHere(bootId, [BOOT])).toEqual([id]);
  for (const other of ['', `${id}0`, id.slice(1), id.replace('-', '_'), `x${id}`])
    expect(() => bootId.parse(other, [BOOT])).toThrow('no boot id came back');
});

test('the lock of a host is read as it is, or there is none', async () => {
  mkdirSync(at('locks'));
  const moved = { '/run/provision': at('locks') };
  expect(await askHere(clusterLock, [LOCK], { moved })).toEqual([undefined]);
  symlinkSync('{"user":"anna"}', at('locks/lock'));
  expect(await askHere(clusterLock, [LOCK], { moved })).toEqual([Buffer.from('{"user":"anna"}').toString('base64')]);
});
