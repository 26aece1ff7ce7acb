import { execFileSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { requestCertificates } from '../../../src/engine/request-certificates.js';
import { createLook, type Look } from '../../../src/facts/batched-probe.js';
import type { CertificateDestination, CertificateProfile } from '../../../src/model/certificate.js';
import { outputOf, type Command, type Output, type Transport } from '../../../src/model/remote.js';
import { Secret } from '../../../src/model/secret.js';
import type { PlannedCertificate } from '../../../src/pki/authority.js';
import { publicKeyText } from '../../../src/pki/inspect.js';
import { KEY_PLACEHOLDER, signingCommand } from '../../../src/pki/signing-command.js';
import { openStore, type WritableStore } from '../../../src/pki/store.js';
import { REQUESTED_KEYS } from '../../../src/shell/request-certificate.js';
import { BACKUP_ROOT } from '../../../src/shell/kept-copy.js';
import { createLocalTransport, noDownload } from '../../support/local-transport.js';
import { hasOpenssl, openssl } from '../../support/openssl.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { repeatableBytes, SERVER_PROFILE } from '../../support/test-authority.js';

/** Name of the copies of what is replaced. */
const COPY = '20261125T120000.000Z.0';

// openssl signs and judges by the real clock.
const NOW = new Date();
const present = hasOpenssl() && / [3-9]\./.test(openssl(['version']).output);
if (!present) console.warn('skipped: this machine has no openssl 3 to sign with');

let directory: string;
let caKey: string;
let waitingKey: string;
let pair: CertificateDestination & { layout: 'pair' };
let store: WritableStore;
/** All that hosts have printed. */
let printed: string;
/** Shell lines before each script of a host. */
let before: string;

/** The directory of the company's authority, whose key takes longer to make than all the rest. */
let company: string;

beforeAll(() => {
  company = temporaryDirectory('company');
  const made = openssl([
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '3650', '-subj', '/O=Example/CN=company-ca'],
    ...['-addext', 'keyUsage=critical,keyCertSign'],
    ...['-keyout', join(company, 'ca.key'), '-out', join(company, 'ca.crt')],
  ]);
  if (made.status !== 0) throw new Error(made.output);
});

beforeEach(async () => {
  directory = temporaryDirectory('external-ca');
  printed = '';
  before = '';
  waitingKey = join(directory, 'waiting', 'etcd-server.key');
  pair = {
    layout: 'pair',
    certificatePath: join(directory, 'host', 'server.crt'),
    keyPath: join(directory, 'host', 'server.key'),
  };
  await Promise.all(['host', 'waiting', 'store'].map((name) => mkdir(join(directory, name))));
  caKey = join(directory, "the CA's.key");
  await copyFile(join(company, 'ca.key'), caKey);
  store = await open();
  await store.importCertificate(await readFile(join(company, 'ca.crt'), 'utf8'));
});

function refuse(): never {
  throw new Error('no passphrase is needed');
}

function open(): Promise<WritableStore> {
  const passphrase = { opening: refuse, chosen: refuse };
  return openStore({
    ...{ directory: join(directory, 'store'), passphrase, now: () => new Date(), random: repeatableBytes() },
    renewBeforeDays: 30,
  });
}

/** This machine as a host, with all that scripts touch inside the test's own directory. */
const HOST: Transport = {
  host: 'etcd-1',
  async run(command: Command): Promise<Output> {
    const script = command.script
      .replaceAll(REQUESTED_KEYS, join(directory, 'waiting'))
      .replaceAll(BACKUP_ROOT, join(directory, 'backups'));
    const output = await createLocalTransport('etcd-1').run({ ...command, script: `${before}\n${script}` });
    printed += output.stdout + output.stderr;
    return output;
  },
  download: noDownload,
  close: () => Promise.resolve(),
};

const connector = { connect: () => Promise.resolve(HOST), close: () => Promise.resolve() };

function look(): Look {
  // The answers are framed by the paths that were asked for.
  const send = async (_: string, script: string): Promise<Output> => {
    const output = await HOST.run({ summary: 'look', script });
    return outputOf(output.status, output.stdout.replaceAll(join(directory, 'waiting'), REQUESTED_KEYS), output.stderr);
  };
  return createLook({ token: () => 'token', send });
}

function wish(
  changes: Partial<CertificateProfile> = {},
  destination: CertificateDestination = pair,
): PlannedCertificate {
  const { username, gid } = userInfo();
  return {
    host: 'etcd-1',
    action: {
      kind: 'issue-certificate',
      certificate: 'etcd-server',
      profile: { ...SERVER_PROFILE, ...changes },
      destination,
      ...{ owner: username, group: String(gid), mode: '0600' },
    },
  };
}

async function request(planned: PlannedCertificate): Promise<string> {
  await requestCertificates([planned], (each, pem) => store.keepRequest(each, pem), {
    connector,
    forks: 5,
    emit: () => undefined,
  });
  return readFile(join(directory, 'store', 'requests', 'etcd-1', 'etcd-server.csr'), 'utf8');
}

/** Signs as the verb says. */
async function sign(days = 365): Promise<void> {
  const command = signingCommand(['etcd-1/etcd-server'], {
    ...{ authorityPem: store.authority.certificate() ?? '', days, now: NOW },
  }).replace(KEY_PLACEHOLDER, `"${caKey}"`);
  const script = `cd '${join(directory, 'store')}'\n${command}`;
  const output = await createLocalTransport('ca').run({ summary: 'sign', script });
  if (output.status !== 0) throw new Error(output.stderr);
}

/** Checks and installs as apply does. @returns what takes it back */
async function install(planned: PlannedCertificate): Promise<Command> {
  const fresh = await open();
  const hosts = look();
  await fresh.signer.unlock([planned], (host) => hosts.probe(host));
  const { command, undo } = await fresh.signer.issue(planned, COPY);
  const output = await HOST.run(command);
  if (output.status !== 0) throw new Error(output.stderr);
  return undo('kept');
}

function publicHalf(path: string): string {
  return openssl(['pkey', '-in', path, '-pubout']).output;
}

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}

(present ? describe : describe.skip)('signed by an external CA, with openssl', () => {
  test.each(['ecdsa-p256', 'rsa-2048'] as const)('a new %s key: asked for, signed as told, installed', async (type) => {
    const planned = wish({ keyType: type, organizations: ['a, b', '"c" $d #e'], commonName: 'etcd-1\\;' });
    await request(planned);
    expect([await modeOf(join(directory, 'waiting')), await modeOf(waitingKey)]).toEqual(['700', '600']);
    const key = await readFile(waitingKey, 'utf8');
    await sign();
    const undo = await install(planned);
    expect(await readFile(pair.keyPath, 'utf8')).toBe(key);
    expect([await modeOf(pair.keyPath), await modeOf(pair.certificatePath)]).toEqual(['600', '644']);
    expect(await readdir(join(directory, 'waiting'))).toEqual([]);
    expect(openssl(['x509', '-in', pair.certificatePath, '-noout', '-pubkey']).output).toBe(publicHalf(pair.keyPath));
    const ca = join(company, 'ca.crt');
    for (const purpose of ['sslserver', 'sslclient'])
      expect(openssl(['verify', '-purpose', purpose, '-CAfile', ca, pair.certificatePath])).toMatchObject({
        status: 0,
      });
    expect(undo.summary).toBe('put the old etcd-server certificate back');
    // No private key was printed or came to the control side; the same search finds it where it is.
    const secretLine = key.split('\n')[1] ?? '';
    const kept = await Promise.all(
      ['ca.crt', 'requests/etcd-1/etcd-server.csr', 'requests/etcd-1/etcd-server.crt'].map((name) =>
        readFile(join(directory, 'store', name), 'utf8'),
      ),
    );
    expect([printed, ...kept].join('\n')).not.toContain(secretLine);
    expect(printed).not.toContain('PRIVATE');
    expect(await readFile(pair.keyPath, 'utf8')).toContain(secretLine);
  });

  test('a whole subject that is kept is asked for in its order', async () => {
    const subject = ['C=US', 'ST=MI', 'O=Lab', 'OU=One', 'OU=Two, #2', 'CN=etcd-1-dev', 'emailAddress=ops@example.com'];
    await request(wish({ subject, organizations: ['Lab'], commonName: 'etcd-1-dev' }));
    await sign();
    const csr = join(directory, 'store/requests/etcd-1/etcd-server.csr');
    const shown = openssl(['req', '-in', csr, '-noout', '-subject', '-nameopt', 'sep_comma_plus_space,sname']).output;
    expect(shown.trim()).toBe(
      'subject=C=US, ST=MI, O=Lab, OU=One, OU=Two, #2, CN=etcd-1-dev, emailAddress=ops@example.com',
    );
  });

  test('asking again is for the same key; for another kind of key, or the one in use, a new one is made', async () => {
    const first = await request(wish());
    const before = publicHalf(waitingKey);
    expect(await request(wish())).toBe(first);
    expect(await request(wish({ dnsNames: ['etcd-1', 'localhost', 'more'] }))).not.toBe(first);
    expect(publicHalf(waitingKey)).toBe(before);

    await request(wish({ keyType: 'rsa-2048' }));
    expect(createPublicKey(publicHalf(waitingKey)).asymmetricKeyType).toBe('rsa');
    await request(wish());
    const second = publicHalf(waitingKey);
    expect([before, second].map((pem) => createPublicKey(pem).asymmetricKeyType)).toEqual(['ec', 'ec']);
    expect(second).not.toBe(before);

    // As long, and no RSA.
    execFileSync('openssl', ['genpkey', '-algorithm', 'DH', '-pkeyopt', 'group:ffdhe2048', '-out', waitingKey]);
    await request(wish({ keyType: 'rsa-2048' }));
    expect(createPublicKey(publicHalf(waitingKey)).asymmetricKeyType).toBe('rsa');
    await request(wish());

    await writeFile(pair.keyPath, await readFile(waitingKey, 'utf8'));
    await request(wish());
    expect(publicHalf(waitingKey)).not.toBe(publicHalf(pair.keyPath));
    expect(await readdir(join(directory, 'waiting'))).toEqual(['etcd-server.key']);
  });

  test('the directory of the keys that wait is closed to others as soon as it is there', async () => {
    await rm(join(directory, 'waiting'), { recursive: true });
    before = `umask 022; mkdir() { command mkdir "$@"; stat -c %a "$2" >${join(directory, 'made')}; }`;
    await request(wish());
    expect(await readFile(join(directory, 'made'), 'utf8')).toBe('700\n');
  });

  test('where another operator was quicker, the request is for the key that waits by then', async () => {
    before = `openssl() { [ "$1" != genpkey ] || command openssl "$@" -out ${waitingKey}; command openssl "$@"; }`;
    const csr = join(directory, 'quicker.csr');
    await writeFile(csr, await request(wish()));
    expect(openssl(['req', '-in', csr, '-noout', '-pubkey']).output).toBe(publicHalf(waitingKey));
    expect(await readdir(join(directory, 'waiting'))).toEqual(['etcd-server.key']);
  });

  test('what was left by a killed run goes, and a key that cannot be read is made again', async () => {
    await writeFile(join(directory, 'waiting', '.etcd-server.key.a1B2c3'), 'planted');
    await writeFile(waitingKey, 'no key');
    await request(wish());
    expect(await readdir(join(directory, 'waiting'))).toEqual(['etcd-server.key']);
    expect(publicHalf(waitingKey)).toContain('BEGIN PUBLIC KEY');
  });

  test('the key that the host has is asked for and stays; no other is made', async () => {
    await request(wish());
    await sign();
    await install(wish());
    const key = await stat(pair.keyPath, { bigint: true });
    const keepPublicKey = publicKeyText(createPublicKey(publicHalf(pair.keyPath)));
    const wider = wish({ keepPublicKey, dnsNames: ['etcd-1', 'localhost', 'more'] });
    await request(wider);
    expect(await readdir(join(directory, 'waiting'))).toEqual([]);
    await expect(install(wider)).rejects.toThrow('does not fit: SAN DNS more missing');
    await sign();
    await install(wider);
    expect((await stat(pair.keyPath, { bigint: true })).ctimeNs).toBe(key.ctimeNs);
    expect(openssl(['x509', '-in', pair.certificatePath, '-noout', '-ext', 'subjectAltName']).output).toContain('more');
  });

  test('a bundle, and what takes it back: the key waits again', async () => {
    const path = join(directory, 'host', 'client.pem');
    await writeFile(path, 'the old one\n');
    const planned = wish({ usages: ['client'], dnsNames: [], ipAddresses: [] }, { layout: 'bundle', path });
    await request(planned);
    const key = await readFile(waitingKey, 'utf8');
    await sign();
    const undo = await install(planned);
    const certificate = await readFile(join(directory, 'store/requests/etcd-1/etcd-server.crt'), 'utf8');
    expect(await readFile(path, 'utf8')).toBe(certificate + key);
    expect(await readdir(join(directory, 'waiting'))).toEqual([]);
    expect(await HOST.run(undo)).toMatchObject({ status: 0, stderr: '' });
    expect(await readFile(path, 'utf8')).toBe('the old one\n');
    expect([await readFile(waitingKey, 'utf8'), await modeOf(waitingKey)]).toEqual([key, '600']);
    await install(planned);
    expect(await readFile(path, 'utf8')).toBe(certificate + key);
  });

  test('a pair is rolled back as well', async () => {
    await Promise.all([writeFile(pair.certificatePath, 'old certificate'), writeFile(pair.keyPath, 'old key')]);
    await request(wish());
    const key = await readFile(waitingKey, 'utf8');
    await sign();
    expect(await HOST.run(await install(wish()))).toMatchObject({ status: 0, stderr: '' });
    expect(
      await Promise.all([pair.certificatePath, pair.keyPath, waitingKey].map((path) => readFile(path, 'utf8'))),
    ).toEqual(['old certificate', 'old key', key]);
  });

  test('a key that was asked for since then goes on waiting when a pair is rolled back', async () => {
    await request(wish());
    await sign();
    const undo = await install(wish());
    await request(wish());
    const key = await readFile(waitingKey, 'utf8');
    expect(key).not.toBe(await readFile(pair.keyPath, 'utf8'));
    expect(await HOST.run(undo)).toMatchObject({ status: 0, stderr: '' });
    expect(await readFile(waitingKey, 'utf8')).toBe(key);
  });

  test('where there was nothing before, nothing is left, and the key waits again', async () => {
    await request(wish());
    const key = await readFile(waitingKey, 'utf8');
    await sign();
    expect(await HOST.run(await install(wish()))).toMatchObject({ status: 0, stderr: '' });
    expect(await readdir(join(directory, 'host'))).toEqual([]);
    expect(await readFile(waitingKey, 'utf8')).toBe(key);
  });

  test('a key that went away between the check and the installation changes nothing', async () => {
    await request(wish());
    await sign();
    const { command } = await store.signer.issue(wish(), COPY);
    await rm(waitingKey);
    const output = await HOST.run(command);
    expect(output).toMatchObject({ status: 1, stderr: expect.stringContaining('does not wait in') });
    expect(await readdir(join(directory, 'host'))).toEqual([]);
    await expect(install(wish())).rejects.toThrow('is for a key that is no longer waiting on etcd-1');
  });

  test('a request that cannot be made is a failure of its host, with what is wrong there', async () => {
    await rm(join(directory, 'waiting'), { recursive: true });
    await writeFile(join(directory, 'waiting'), 'no directory');
    await expect(request(wish())).rejects.toThrow(/etcd-1: make the request for etcd-server: ended with status 1/);
  });

  test('no private key travels when its certificate is installed', async () => {
    await request(wish());
    await sign();
    const { command } = await store.signer.issue(wish(), COPY);
    expect(command.stdin).toBeInstanceOf(Secret);
    expect((command.stdin as Secret).reveal()).not.toContain('PRIVATE');
  });
});
