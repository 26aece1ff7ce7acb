import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { X509Certificate } from 'node:crypto';
import { dirname, join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { certificateFilesKey, type CertificateFiles } from '../../../src/facts/certificate-files.js';
import type { CertificateProfile } from '../../../src/model/certificate.js';
import { ProvisionError } from '../../../src/model/errors.js';
import type { Probe } from '../../../src/model/remote.js';
import { Secret } from '../../../src/model/secret.js';
import type { PlannedCertificate } from '../../../src/pki/authority.js';
import { requireSignatures } from '../../../src/pki/external-ca.js';
import { issueCertificate } from '../../../src/pki/issue.js';
import type { SigningAuthority } from '../../../src/pki/signing-authority.js';
import { openStore, type WritableStore } from '../../../src/pki/store.js';
import { fakeProbe } from '../../support/fake-probe.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import {
  authorityFrom,
  circumstancesAt,
  daysFromToday,
  repeatableBytes,
  SERVER_PROFILE,
  TODAY,
} from '../../support/test-authority.js';
import { hostKey, requestFor, type TestRequest } from '../../support/test-request.js';

/** Name of the copies of what is replaced. */
const COPY = '20261125T120000.000Z.0';

const WAITING = '/var/lib/provision/requests/etcd-server.key';

let directory: string;
let authority: SigningAuthority;
let store: WritableStore;

beforeAll(async () => {
  authority = await authorityFrom(daysFromToday(-1));
});

beforeEach(async () => {
  directory = temporaryDirectory('external-ca');
  await writeFile(join(directory, 'ca.crt'), authority.certificatePem);
  store = await open();
});

function refuse(): never {
  throw new Error('no passphrase is needed');
}

function open(now = TODAY): Promise<WritableStore> {
  const passphrase = { opening: refuse, chosen: refuse };
  return openStore({ directory, passphrase, now: () => now, random: repeatableBytes(), renewBeforeDays: 30 });
}

function wish(changes: Partial<CertificateProfile> = {}, host = 'etcd-1'): PlannedCertificate {
  return {
    host,
    action: {
      kind: 'issue-certificate',
      certificate: 'etcd-server',
      profile: { ...SERVER_PROFILE, ...changes },
      destination: { layout: 'pair', certificatePath: '/pki/server.crt', keyPath: '/pki/server.key' },
      ...{ owner: 'etcd', group: 'etcd', mode: '0600' },
    },
  };
}

function path(kind: 'csr' | 'crt', host = 'etcd-1'): string {
  return join(directory, 'requests', host, `etcd-server.${kind}`);
}

async function put(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}

/** What someone signs for a request. */
async function signedFor(
  request: TestRequest,
  changes: Partial<CertificateProfile> = {},
  { signer = authority, day = TODAY } = {},
): Promise<string> {
  const profile = { ...SERVER_PROFILE, ...changes, keepPublicKey: request.publicKey };
  return (await issueCertificate(signer, profile, circumstancesAt(day))).certificatePem;
}

/** A host on which a key waits; without one, none does. @param more what it says otherwise */
function waiting(request?: TestRequest, more: Partial<CertificateFiles> = {}): () => Probe {
  const pem = `-----BEGIN PUBLIC KEY-----\n${request?.publicKey ?? ''}\n-----END PUBLIC KEY-----\n`;
  const files: CertificateFiles = {
    certificate: undefined,
    key: request === undefined ? undefined : { owner: 'root', group: 'root', mode: '0600' },
    pem: '',
    publicKey: request === undefined ? { kind: 'unchecked' } : { kind: 'known', pem },
    ...more,
  };
  return () => fakeProbe({ 'certificate-files': { [certificateFilesKey(WAITING, WAITING)]: files } });
}

async function refused(promise: Promise<unknown>): Promise<ProvisionError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof ProvisionError) return error;
  throw new Error(`no refusal: ${String(error)}`);
}

describe('what a plan says', () => {
  test('before the request, before the signature, and after it', async () => {
    const described = async (): Promise<string> => (await store.authority.describeSignature?.(wish())) ?? '';
    const where = `external CA: ${path('crt')}`;
    expect(await described()).toBe(`${where} is not requested yet`);
    const request = await requestFor(SERVER_PROFILE);
    await store.keepRequest(wish(), request.pem);
    expect(await described()).toBe(`${where} is requested, and not signed yet`);
    await put(path('crt'), await signedFor(request));
    expect(await described()).toBe(`${where} is there, valid until 2027-11-21`);
  });
});

describe('a certificate that was signed by an external CA', () => {
  let request: TestRequest;

  beforeEach(async () => {
    request = await requestFor(SERVER_PROFILE);
    await store.keepRequest(wish(), request.pem);
  });

  test('is taken when it fits, and its key waits on the host; no passphrase is asked for', async () => {
    await put(path('crt'), await signedFor(request));
    await store.signer.unlock([wish()], waiting(request));
    const { command, undo } = await store.signer.issue(wish(), COPY);
    expect(command.stdin).toBeInstanceOf(Secret);
    expect((command.stdin as Secret).reveal()).toBe(await readFile(path('crt'), 'utf8'));
    expect(command.script).toContain(WAITING);
    expect(undo('kept').script).toContain(WAITING);
  });

  test('is found in a chain, wherever it stands', async () => {
    const leaf = await signedFor(request);
    await put(path('crt'), authority.certificatePem + leaf);
    const { command } = await store.signer.issue(wish(), COPY);
    expect((command.stdin as Secret).reveal()).toBe(leaf);
  });

  const missing = { dnsNames: ['etcd-1'] };
  test.each([
    ['by another authority', {}, { signer: 'other' }, "not signed by this cluster's authority"],
    ['without a name', missing, {}, 'SAN DNS localhost missing'],
    ['with a name too many', { dnsNames: [...SERVER_PROFILE.dnsNames, 'x'] }, {}, 'SAN DNS x no longer wanted'],
    ['for clients alone', { usages: ['client'] as const }, {}, 'usages are client, not server, client'],
    ['for another subject', { commonName: 'etcd-9' }, {}, 'subject is CN=etcd-9, not CN=etcd-1'],
    ['for too short a time', { days: 29 }, {}, 'expires on 2026-12-20, in less than 30 days'],
    ['long ago', { days: 1 }, { day: daysFromToday(-1) }, 'expired on 2026-11-21'],
    ['for later', {}, { day: daysFromToday(2) }, 'is valid only from 2026-11-23T11:55:00.000Z'],
  ])('is refused when it was signed %s', async (_name, changes, how, fault) => {
    const signer = 'signer' in how ? await authorityFrom(daysFromToday(-1)) : authority;
    const day = 'day' in how ? how.day : TODAY;
    await put(path('crt'), await signedFor(request, changes, { signer, day }));
    const error = await refused(store.signer.unlock([wish()], waiting(request)));
    expect(error.code).toBe('signatures-missing');
    expect(error.message).toContain(`etcd-1, etcd-server: ${path('crt')} does not fit: ${fault}: have its request`);
    expect(error.hint).toContain('provision ca request INVENTORY');
    // The same words while planning, and again while applying.
    expect(await store.authority.describeSignature?.(wish())).toContain(fault);
    expect((await refused(store.signer.issue(wish(), COPY))).code).toBe('signatures-missing');
  });

  test('is refused when it is for another key, is none, or is an authority', async () => {
    const message = async (): Promise<string> => (await refused(store.signer.issue(wish(), COPY))).message;
    await put(path('crt'), await signedFor(await requestFor(SERVER_PROFILE)));
    expect(await message()).toContain('is for another key than its request');
    await put(path('crt'), authority.certificatePem);
    expect(await message()).toContain('is the certificate of an authority');
    await put(path('crt'), 'no certificate');
    expect(await message()).toContain('holds no readable certificate; PEM was expected');
  });

  test('is refused when its key does not wait on the host any more, or another one does', async () => {
    await put(path('crt'), await signedFor(request));
    for (const probe of [waiting(), waiting(await requestFor(SERVER_PROFILE))]) {
      const error = await refused(store.signer.unlock([wish()], probe));
      expect(error.message).toContain(`is for a key that is no longer waiting on etcd-1, in ${WAITING}, any more`);
    }
  });

  test('is taken where the host has no openssl to tell its key by, and only then', async () => {
    await put(path('crt'), await signedFor(request));
    await store.signer.unlock([wish()], waiting(request, { publicKey: { kind: 'unchecked' } }));
    for (const probe of [
      waiting(request, { publicKey: { kind: 'unreadable' } }),
      waiting(request, { publicKey: { kind: 'unchecked' }, key: undefined }),
    ])
      expect((await refused(store.signer.unlock([wish()], probe))).message).toContain('no longer waiting on etcd-1');
  });

  test('is refused when the wish has changed since it was requested', async () => {
    const changed = wish({ ipAddresses: [...SERVER_PROFILE.ipAddresses, '10.0.0.9'] });
    const message = async (): Promise<string> => (await refused(store.signer.issue(changed, COPY))).message;
    expect(await message()).toContain('is requested with outdated contents (SAN IP 10.0.0.9 missing)');
    await put(path('crt'), await signedFor(request));
    expect(await message()).toContain('was signed with outdated contents (SAN IP 10.0.0.9 missing): request it again');
  });

  test('all that is outdated in it is shown', async () => {
    const profile = { ...SERVER_PROFILE, dnsNames: ['etcd-1', 'x'] };
    await put(path('crt'), await signedFor(request));
    await put(path('csr'), (await requestFor(profile)).pem);
    expect((await refused(store.signer.issue(wish(), COPY))).message).toContain(
      'was signed with outdated contents (SAN DNS localhost missing; SAN DNS x no longer wanted): request it again',
    );
  });

  test('of several each is given, in their order', async () => {
    const other = await requestFor(SERVER_PROFILE);
    await store.keepRequest(wish({}, 'etcd-2'), other.pem);
    const leaves = [await signedFor(request), await signedFor(other)];
    await put(path('crt'), leaves[0] ?? '');
    await put(path('crt', 'etcd-2'), leaves[1] ?? '');
    const place = {
      ...{ directory, authority: new X509Certificate(authority.certificatePem), now: TODAY, renewBeforeDays: 30 },
    };
    const found = await requireSignatures([wish({}, 'etcd-2'), wish()], place);
    expect(found.map(({ certificatePem, publicKey }) => [certificatePem, publicKey])).toEqual([
      [leaves[1], other.publicKey],
      [leaves[0], request.publicKey],
    ]);
  });

  test('all that is missing or wrong is listed at once', async () => {
    const others = [wish({}, 'etcd-2'), wish({}, 'etcd-3')];
    await put(path('csr', 'etcd-3'), 'no request');
    await put(path('crt'), await signedFor(request));
    const { message } = await refused(store.signer.unlock([wish(), ...others], waiting(request)));
    expect(message.split('\n')).toEqual([
      'an external CA signs 3 certificates, of which 2 cannot be used:',
      `  etcd-2, etcd-server: ${path('crt', 'etcd-2')} is not requested yet`,
      `  etcd-3, etcd-server: ${path('crt', 'etcd-3')} has a request that cannot be read: request it again`,
    ]);
  });
});

describe('a certificate for the key that the host has', () => {
  test('needs no key that waits, and another key is refused', async () => {
    const request = await requestFor(SERVER_PROFILE);
    const kept = wish({ keepPublicKey: request.publicKey });
    await store.keepRequest(kept, request.pem);
    await put(path('crt'), await signedFor(request));
    await store.signer.unlock([kept], refuse);
    expect((await store.signer.issue(kept, COPY)).command.script).not.toContain(WAITING);
    const other = wish({ keepPublicKey: (await requestFor(SERVER_PROFILE)).publicKey });
    expect((await refused(store.signer.issue(other, COPY))).message).toContain(
      'is for another key than the one that the host has',
    );
  });
});

describe('a request', () => {
  test('is written once for the same key and wish, and again for another', async () => {
    const keys = await hostKey();
    const [first, again] = [await requestFor(SERVER_PROFILE, keys), await requestFor(SERVER_PROFILE, keys)];
    const kept = { path: path('csr'), isSigned: false };
    expect(await store.keepRequest(wish(), first.pem)).toEqual({ ...kept, isNew: true });
    expect(await store.keepRequest(wish(), again.pem)).toEqual({ ...kept, isNew: false });
    expect(await readFile(path('csr'), 'utf8')).toBe(first.pem);
    expect((await stat(path('csr'))).mode & 0o777).toBe(0o644);
    await put(path('crt'), await signedFor(first));
    expect(await store.keepRequest(wish(), again.pem)).toEqual({ ...kept, isNew: false, isSigned: true });

    const otherKey = await requestFor(SERVER_PROFILE);
    expect(await store.keepRequest(wish(), otherKey.pem)).toEqual({ ...kept, isNew: true });
    expect(await readFile(path('csr'), 'utf8')).toBe(otherKey.pem);

    const wider = { ...SERVER_PROFILE, dnsNames: [...SERVER_PROFILE.dnsNames, 'etcd.example.org'] };
    const remade = await requestFor(wider, keys);
    expect(await store.keepRequest(wish(wider), remade.pem)).toEqual({ ...kept, isNew: true });
    expect(await readFile(path('csr'), 'utf8')).toBe(remade.pem);
    expect((await readdir(dirname(path('csr')))).sort()).toEqual(['etcd-server.crt', 'etcd-server.csr']);
  });

  // Whoever signs a request copies its extensions: `openssl x509 -req -copy_extensions copy`.
  test.each([
    ['asks to be an authority', [new x509.BasicConstraintsExtension(true, 0, true)], 'CA:TRUE'],
    [
      'hides a second list of names behind the first',
      [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: '*' }])],
      'extension 2.5.29.17 is not wanted',
    ],
    ['brings an extension of its own', [new x509.Extension('1.2.3.4', false, Buffer.from('0500', 'hex'))], '1.2.3.4'],
  ])('that %s is discarded', async (_, extensions, fault) => {
    const { pem } = await requestFor(SERVER_PROFILE, undefined, { extensions });
    const error = await refused(store.keepRequest(wish(), pem));
    expect(error.code).toBe('request-rejected');
    expect(error.message).toContain(fault);
    // A request that lay there already is judged in the same way.
    await put(path('csr'), pem);
    expect(await store.authority.describeSignature?.(wish())).toContain('request it again');
  });

  test('with a further attribute is discarded', async () => {
    const { pem } = await requestFor(SERVER_PROFILE, undefined, {
      attributes: [new x509.ChallengePasswordAttribute('planted')],
    });
    expect((await refused(store.keepRequest(wish(), pem))).message).toContain('further attributes');
  });

  test('with an attribute more in its subject is discarded', async () => {
    const { pem } = await requestFor(SERVER_PROFILE, undefined, { subject: [{ CN: ['etcd-1'] }, { OU: ['admins'] }] });
    expect((await refused(store.keepRequest(wish(), pem))).message).toContain(
      'subject is CN=etcd-1, OU=admins, not CN=etcd-1',
    );
  });

  test.each([
    ['another name', { dnsNames: ['etcd-1', 'evil'] }, 'SAN DNS localhost missing; SAN DNS evil no longer wanted'],
    ['another subject', { organizations: ['system:masters'] }, 'subject is O=system:masters, CN=etcd-1'],
    ['other usages', { usages: ['client'] as const }, 'extended key usages are other ones'],
  ])('for %s is discarded', async (_name, changes, fault) => {
    const { pem } = await requestFor({ ...SERVER_PROFILE, ...changes });
    const error = await refused(store.keepRequest(wish(), pem));
    expect(error.code).toBe('request-rejected');
    expect(error.message).toContain(fault);
    expect(await readdir(directory)).toEqual(['ca.crt']);
  });

  test('for a key of another type, or none, is discarded', async () => {
    const { pem } = await requestFor(SERVER_PROFILE);
    expect((await refused(store.keepRequest(wish({ keyType: 'rsa-2048' }), pem))).message).toContain(
      'is for a key of type ecdsa-p256, not rsa-2048',
    );
    expect((await refused(store.keepRequest(wish(), 'nothing'))).message).toContain('cannot be read');
    // Its own signature proves that the host has the key.
    const damaged = pem.replace(/(.)(?=[^\n]*\n-----END)/, (letter) => (letter === 'A' ? 'B' : 'A'));
    expect((await refused(store.keepRequest(wish(), damaged))).message).toContain('cannot be read');
  });
});
