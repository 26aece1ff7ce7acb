// What a run does with the authority in its store, beside making it: the credential of its own questions, what is installed.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { IssueCertificate } from '../../../src/model/action.js';
import { Secret } from '../../../src/model/secret.js';
import {
  isSignedBy,
  keyTypeOf,
  namesOf,
  notAfterOf,
  publicKeyText,
  subjectOf,
  usagesOf,
} from '../../../src/pki/inspect.js';
import type { PassphraseSource } from '../../../src/pki/passphrase.js';
import { openStore, type WritableStore } from '../../../src/pki/store.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { authorityFrom, daysFromToday, repeatableBytes, SERVER_PROFILE, TODAY } from '../../support/test-authority.js';

const COPY = '20261125T120000.000Z.0';
const PROFILE = { commonName: 'etcd-ca', days: 3650, keyType: 'ecdsa-p256' } as const;
const ISSUE: IssueCertificate = {
  kind: 'issue-certificate',
  certificate: 'etcd-server',
  profile: SERVER_PROFILE,
  destination: { layout: 'pair', certificatePath: '/pki/server.crt', keyPath: '/pki/server.key' },
  ...{ owner: 'etcd', group: 'etcd', mode: '0600' },
};
const PLANNED = { host: 'etcd-1', action: ISSUE };

let directory: string;
beforeEach(() => {
  directory = temporaryDirectory('stored');
});

const given = new Secret('correct-horse');
const OWNER: PassphraseSource = { opening: async (_, use) => use(given), chosen: () => Promise.resolve(given) };

function open(now = TODAY, passphrase = OWNER): Promise<WritableStore> {
  return openStore({
    directory,
    passphrase,
    now: () => now,
    random: repeatableBytes(),
    scryptLogN: 4,
  });
}
function nobody(): never {
  throw new Error('no host is asked');
}

describe('the credential of a run', () => {
  test('is a client’s, as etcdctl has it, for a day, and stands nowhere', async () => {
    await (await open()).signer.createAuthority(PROFILE);
    const { signer } = await open();
    expect(signer.runCredential?.()).toBeUndefined();
    await signer.unlock([PLANNED], nobody);
    const credential = signer.runCredential?.();
    expect(JSON.stringify({ credential })).toBe('{"credential":"[redacted]"}');
    const pem = credential?.reveal() ?? '';
    const certificate = new X509Certificate(pem);
    const key = pem.slice(pem.indexOf('-----BEGIN PRIVATE KEY'));
    expect({
      subject: subjectOf(certificate),
      names: namesOf(certificate),
      usages: usagesOf(certificate),
      key: keyTypeOf(certificate.publicKey),
      end: notAfterOf(certificate),
      isSigned: isSignedBy(certificate, new X509Certificate(signer.trustBundle())),
      hasKey: certificate.checkPrivateKey(createPrivateKey(key)),
    }).toEqual({
      subject: { commonName: 'etcdctl', organizations: [] },
      names: { dnsNames: [], ipAddresses: [], otherNames: [] },
      usages: ['client'],
      key: 'ecdsa-p256',
      end: daysFromToday(1),
      isSigned: true,
      hasKey: true,
    });
  });

  test('is not made where nothing is signed', async () => {
    await (await open()).signer.createAuthority(PROFILE);
    const { signer } = await open();
    await signer.unlock([], nobody);
    expect(signer.runCredential?.()).toBeUndefined();
  });
});

describe('a leaf that is signed here', () => {
  test('travels with a new key, and without one where the host keeps its own', async () => {
    const { signer } = await open();
    await signer.createAuthority(PROFILE);
    const revealed = async (action: IssueCertificate): Promise<readonly [string, string]> => {
      const { command, undo } = await signer.issue({ host: 'etcd-1', action }, COPY);
      return [command.stdin instanceof Secret ? command.stdin.reveal() : '', undo('kept').script];
    };
    const [fresh, withKey] = await revealed(ISSUE);
    const leaf = new X509Certificate(fresh);
    expect(fresh).toMatch(
      /^-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n$/,
    );
    const keepPublicKey = publicKeyText(leaf.publicKey);
    const [kept, withoutKey] = await revealed({ ...ISSUE, profile: { ...SERVER_PROFILE, keepPublicKey } });
    // Only where a key came with it is one put back.
    expect([withKey, withoutKey].map((script) => script.includes('/pki/server.key'))).toEqual([true, false]);
    expect(kept).toMatch(/^-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n$/);
    expect(publicKeyText(new X509Certificate(kept).publicKey)).toBe(keepPublicKey);
  });

  test('is taken back from the copies that were made of just that installation', async () => {
    const { signer } = await open();
    await signer.createAuthority(PROFILE);
    const { command, undo } = await signer.issue(PLANNED, COPY);
    expect([command.summary, undo('kept').summary]).toEqual([
      'install the etcd-server certificate',
      'put the old etcd-server certificate back',
    ]);
    for (const when of ['kept', 'if-kept'] as const) expect(undo(when).script).toContain(COPY);
    // A copy that is missing is an error only where the installation was done.
    expect(undo('kept').script).not.toBe(undo('if-kept').script);
  });
});

describe('a store without an authority', () => {
  const asked: string[] = [];
  const noting: PassphraseSource = {
    opening: async (_, use) => {
      asked.push('of the key that is there');
      return use(given);
    },
    chosen: (path) => {
      asked.push(path);
      return Promise.resolve(given);
    },
  };
  beforeEach(() => {
    asked.length = 0;
  });

  test('has a passphrase chosen for its key before anything is done, and asks for none of a key that it has just made', async () => {
    const { signer } = await open(TODAY, noting);
    await signer.unlock([PLANNED], nobody);
    expect(asked).toEqual([join(directory, 'ca.key.age')]);
    await signer.createAuthority(PROFILE);
    await signer.issue(PLANNED, COPY);
    expect(asked).not.toContain('of the key that is there');
  });

  test('names itself where another run has made one meanwhile', async () => {
    const { signer } = await open();
    await (await open()).signer.createAuthority(PROFILE);
    await expect(signer.createAuthority(PROFILE)).rejects.toMatchObject({
      code: 'authority-exists',
      message: `there is a certificate authority in ${directory} already; it is never overwritten`,
    });
  });
});

describe('a store whose files were exchanged', () => {
  test('signs nothing with the key of another authority', async () => {
    await (await open()).signer.createAuthority(PROFILE);
    await writeFile(join(directory, 'ca.crt'), (await authorityFrom(TODAY)).certificatePem);
    await expect((await open()).signer.unlock([PLANNED], nobody)).rejects.toMatchObject({ code: 'input-invalid' });
  });

  test('signs nothing once its authority has ended', async () => {
    await (await open()).signer.createAuthority({ ...PROFILE, days: 40 });
    await expect((await open(daysFromToday(40))).signer.unlock([PLANNED], nobody)).rejects.toMatchObject({
      code: 'input-invalid',
    });
    // One that ends soon goes on signing to its end.
    await (await open(daysFromToday(39))).signer.unlock([PLANNED], nobody);
  });

  test('says which key is missing, where it goes while a run is open', async () => {
    await (await open()).signer.createAuthority(PROFILE);
    const { signer } = await open();
    await rename(join(directory, 'ca.key.age'), join(directory, 'elsewhere'));
    await expect(signer.unlock([PLANNED], nobody)).rejects.toMatchObject({
      code: 'authority-key-missing',
      message: expect.stringContaining(`${join(directory, 'ca.key.age')} is not there`) as unknown,
    });
  });

  test('does not take another authority’s certificate for its draft', async () => {
    const store = await open();
    await store.signer.createAuthority(PROFILE);
    const own = await readFile(join(directory, 'ca.crt'), 'utf8');
    await rename(join(directory, 'ca.crt'), join(directory, 'ca.crt.making'));
    const next = await open();
    await writeFile(join(directory, 'ca.crt'), (await authorityFrom(TODAY)).certificatePem);
    await expect(next.signer.unlock([], nobody)).rejects.toMatchObject({ code: 'authority-exists' });
    expect(next.authority.certificate()).toBe(own);
  });
});
