import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { inspect } from 'node:util';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { type CertificateFiles, certificateFilesKey } from '../../../src/facts/certificate-files.js';
import type { CertificateProfile } from '../../../src/model/certificate.js';
import type { Change, IssueCertificate, Outcome } from '../../../src/model/change.js';
import type { Secret } from '../../../src/model/secret.js';
import type { WantedCertificate } from '../../../src/pki/certificate-list.js';
import { issueCertificate } from '../../../src/pki/issue.js';
import type { SigningAuthority } from '../../../src/pki/signing-authority.js';
import { certificateResource } from '../../../src/resources/certificate.js';
import { fakeProbe } from '../../support/fake-probe.js';
import { authorityFrom, circumstancesAt, daysFromToday, SERVER_PROFILE, TODAY } from '../../support/test-authority.js';

const [CERTIFICATE, KEY] = ['/etc/etcd/pki/server.crt', '/etc/etcd/pki/server.key'] as const;
const WANTED: WantedCertificate = {
  name: 'etcd-server',
  profile: SERVER_PROFILE,
  destination: { layout: 'pair', certificatePath: CERTIFICATE, keyPath: KEY },
  policy: 'exact',
  ownership: { owner: 'etcd', group: 'etcd', mode: '0600' },
};
const NOTHING: CertificateFiles = {
  certificate: undefined,
  key: undefined,
  pem: '',
  publicKey: { kind: 'unchecked' },
};

let authority: SigningAuthority;
let good: CertificateFiles;
let goodKey: Secret | undefined;

/** What a host has after a leaf was issued for it on a day. */
async function hostWith(
  profile: Partial<CertificateProfile> = {},
  signer = authority,
  day = TODAY,
): Promise<CertificateFiles & { readonly keyPem: Secret | undefined }> {
  const { certificatePem, keyPem } = await issueCertificate(
    signer,
    { ...SERVER_PROFILE, ...profile },
    circumstancesAt(day),
  );
  return {
    certificate: { owner: 'etcd', group: 'etcd', mode: '0644' },
    key: { owner: 'etcd', group: 'etcd', mode: '0600' },
    pem: certificatePem,
    publicKey: { kind: 'known', pem: publicHalf(keyPem) },
    keyPem,
  };
}

function publicHalf(keyPem: Secret | undefined): string {
  const privateKey = createPrivateKey(keyPem?.reveal() ?? '');
  return createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString();
}

beforeAll(async () => {
  authority = await authorityFrom(daysFromToday(-400));
  const { keyPem, ...files } = await hostWith();
  good = files;
  goodKey = keyPem;
});

function decide(
  files: CertificateFiles,
  { wanted = WANTED, now = TODAY, certificate = authority.certificatePem } = {},
): Promise<Outcome> {
  const view = { certificate: () => certificate, trustBundle: () => certificate };
  const resource = certificateResource(wanted, { authority: view, now, renewBeforeDays: 30 });
  const { destination } = wanted;
  const key =
    destination.layout === 'pair'
      ? certificateFilesKey(destination.certificatePath, destination.keyPath)
      : certificateFilesKey(destination.path, destination.path);
  return resource.plan(fakeProbe({ 'certificate-files': { [key]: files } }));
}

async function changeOf(outcome: Promise<Outcome>): Promise<Change> {
  const decided = await outcome;
  if (decided.kind !== 'change') throw new Error(`decided ${decided.kind}`);
  return decided.change;
}

function issueOf(change: Change): IssueCertificate {
  const [action, ...rest] = change.actions;
  if (action?.kind !== 'issue-certificate' || rest.length > 0) throw new Error(inspect(change.actions));
  return action;
}

describe('a leaf that is as it should be', () => {
  test('is left alone', async () => {
    expect(await decide(good)).toEqual({ kind: 'unchanged' });
  });

  test('is left alone without openssl on the host', async () => {
    expect(await decide({ ...good, publicKey: { kind: 'unchecked' } })).toEqual({ kind: 'unchanged' });
  });

  test('is left alone until 30 days before its end', async () => {
    expect(await decide(good, { now: daysFromToday(335) })).toEqual({ kind: 'unchanged' });
  });

  test('is left alone when a new one would live no longer, because the authority ends', async () => {
    const short = await authorityFrom(daysFromToday(-400), 420);
    expect(await decide(await hostWith({}, short), { certificate: short.certificatePem })).toEqual({
      kind: 'unchanged',
    });
  });

  test('only its owner and mode are mended', async () => {
    const files = {
      ...good,
      key: { owner: 'root', group: 'root', mode: '0640' },
      certificate: { owner: 'etcd', group: 'etcd', mode: '0600' },
    };
    const change = await changeOf(decide(files));
    expect(change).toMatchObject({
      summary: `set owner and mode of ${KEY}, set owner and mode of ${CERTIFICATE}`,
      diff: ['- root:root 0640', '+ etcd:etcd 0600', '- etcd:etcd 0600', '+ etcd:etcd 0644'],
      disruptive: false,
    });
    expect(change.actions.map(({ kind }) => kind)).toEqual(['run', 'run']);
  });
});

describe('a leaf that is missing', () => {
  test('is issued, in words that a person understands', async () => {
    const change = await changeOf(decide(NOTHING));
    expect(change.summary).toBe(`issue the etcd-server certificate ${CERTIFICATE}`);
    expect(change.diff).toEqual([
      '+ CN=etcd-1, server and client, 365 days',
      '+ SANs etcd-1, localhost, 10.0.0.1, 127.0.0.1, ::1',
      `+ new ecdsa-p256 key ${KEY}, etcd:etcd 0600`,
    ]);
    expect(change.disruptive).toBe(false);
    expect(issueOf(change)).toEqual({
      kind: 'issue-certificate',
      certificate: 'etcd-server',
      profile: SERVER_PROFILE,
      destination: WANTED.destination,
      ...WANTED.ownership,
    });
  });

  test('is decided the same before the authority is made and after', async () => {
    expect(await decide(NOTHING, { certificate: undefined as string | undefined })).toEqual(await decide(NOTHING));
    const foreign = await hostWith({}, await authorityFrom(TODAY));
    expect(await decide(foreign, { certificate: undefined as string | undefined })).toEqual(await decide(foreign));
  });
});

describe('a leaf that is wrong', () => {
  // [what is wrong, what the host has, the day, why it is signed anew]
  const RENEWED: readonly [string, () => CertificateFiles | Promise<CertificateFiles>, Date, readonly string[]][] = [
    [
      'an address is missing',
      () => hostWith({ ipAddresses: ['127.0.0.1', '::1'] }),
      TODAY,
      ['SAN IP 10.0.0.1 missing'],
    ],
    [
      'a name too many',
      () => hostWith({ dnsNames: ['etcd-1', 'localhost', 'old.example.com'] }),
      TODAY,
      ['SAN DNS old.example.com no longer wanted'],
    ],
    ['another subject', () => hostWith({ commonName: 'etcd' }), TODAY, ['subject is CN=etcd, not CN=etcd-1']],
    ['no client usage', () => hostWith({ usages: ['server'] }), TODAY, ['usages are server, not server, client']],
    ['near its end', () => good, daysFromToday(336), ['expires on 2027-11-21, in less than 30 days']],
    ['past its end', () => good, daysFromToday(366), ['expired on 2027-11-21']],
  ];

  test.each(RENEWED)('%s: it is renewed for its own key', async (_, host, now, reasons) => {
    const files = await host();
    const change = await changeOf(decide(files, { now }));
    expect(change.summary).toBe(`reissue the etcd-server certificate ${CERTIFICATE}: ${reasons.join('; ')}`);
    expect(change.diff).toEqual(expect.arrayContaining(reasons.map((reason) => `- ${reason}`)));
    expect(change.diff.at(-1)).toBe(`  for the key that the host has, ${KEY}`);
    expect(change.disruptive).toBe(false);
    const { keepPublicKey } = issueOf(change).profile;
    expect(files.publicKey).toMatchObject({ pem: expect.stringContaining(keepPublicKey?.slice(0, 40) ?? 'none') });
  });

  const REKEYED: readonly [string, () => CertificateFiles | Promise<CertificateFiles>, string][] = [
    ['no key', () => ({ ...good, key: undefined, publicKey: { kind: 'unchecked' } }), `no ${KEY}`],
    ['no certificate', () => ({ ...good, certificate: undefined, pem: '' }), `no ${CERTIFICATE}`],
    ['no PEM in the file', () => ({ ...good, pem: '' }), 'holds no readable certificate'],
    [
      'a broken certificate',
      () => ({ ...good, pem: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n' }),
      'holds no readable certificate',
    ],
    ['a broken key', () => ({ ...good, publicKey: { kind: 'unreadable' } }), 'key cannot be read'],
    [
      "another certificate's key",
      async () => ({ ...good, publicKey: (await hostWith()).publicKey }),
      'key does not match the certificate',
    ],
    ['another type of key', () => hostWith({ keyType: 'rsa-2048' }), 'key is rsa-2048, not ecdsa-p256'],
    [
      'a key that all could read',
      () => ({ ...good, key: { owner: 'etcd', group: 'etcd', mode: '0644' } }),
      'key was open to every user of the host (mode 0644)',
    ],
  ];

  test.each(REKEYED)('%s: it gets a new key', async (_, host, reason) => {
    const change = await changeOf(decide(await host()));
    expect(change.summary).toBe(`reissue the etcd-server certificate ${CERTIFICATE}: ${reason}`);
    expect(issueOf(change).profile.keepPublicKey).toBeNull();
  });

  test('it gets a new key when the host has no openssl to check the old one', async () => {
    const files: CertificateFiles = { ...good, publicKey: { kind: 'unchecked' } };
    expect(issueOf(await changeOf(decide(files, { now: daysFromToday(350) }))).profile.keepPublicKey).toBeNull();
  });

  test('another signer, even one of the same name: clients may notice', async () => {
    const change = await changeOf(decide(await hostWith({}, await authorityFrom(TODAY))));
    expect(change.summary).toContain("not signed by this cluster's authority");
    expect(change.disruptive).toBe(true);
  });

  test('all reasons are told', async () => {
    const files = await hostWith({ commonName: 'x', ipAddresses: [] }, authority, daysFromToday(-350));
    const { diff } = await changeOf(decide(files));
    expect(diff.filter((line) => line.startsWith('- '))).toEqual([
      '- expires on 2026-12-06, in less than 30 days',
      '- subject is CN=x, not CN=etcd-1',
      '- SAN IP 10.0.0.1 missing',
      '- SAN IP 127.0.0.1 missing',
      '- SAN IP ::1 missing',
    ]);
  });
});

describe('a bundle', () => {
  const path = '/etc/haproxy/etcd-client.pem';
  const wanted: WantedCertificate = {
    ...WANTED,
    name: 'haproxy-healthcheck-client',
    destination: { layout: 'bundle', path },
    ownership: { owner: 'root', group: 'root', mode: '0600' },
  };
  const owned = { owner: 'root', group: 'root', mode: '0600' };

  test('is one file, with one owner and mode', async () => {
    expect(await decide({ ...good, certificate: owned, key: owned }, { wanted })).toEqual({ kind: 'unchanged' });
    const open = { ...owned, group: 'haproxy', mode: '0640' };
    const change = await changeOf(decide({ ...good, certificate: open, key: open }, { wanted }));
    expect(change.summary).toBe(`set owner and mode of ${path}`);
  });

  test('is written whole, so it gets a new key', async () => {
    const late = { wanted, now: daysFromToday(350) };
    const change = await changeOf(decide({ ...good, certificate: owned, key: owned }, late));
    expect(issueOf(change).profile.keepPublicKey).toBeNull();
  });

  test('that is missing is told once', async () => {
    const change = await changeOf(decide(NOTHING, { wanted }));
    expect(change.summary).toBe(`issue the haproxy-healthcheck-client certificate ${path}`);
  });
});

test('no outcome holds anything of a private key', async () => {
  const outcomes = await Promise.all([
    decide(good),
    decide(good, { now: daysFromToday(350) }),
    decide({ ...good, publicKey: { kind: 'unreadable' } }),
  ]);
  const printed = [JSON.stringify(outcomes), inspect(outcomes, { depth: 9 })].join('\n');
  const keyLine = (goodKey?.reveal() ?? '').split('\n')[1] ?? '';
  expect(keyLine).toHaveLength(64);
  expect(printed).not.toContain(keyLine);
  expect(printed).not.toContain('PRIVATE KEY');
  // The same search finds it where it is.
  expect(goodKey?.reveal()).toContain(keyLine);
});

describe('a leaf that others made', () => {
  const adopted: WantedCertificate = { ...WANTED, policy: 'at-least' };
  const OTHERS = {
    commonName: 'etcd-1-dev',
    organizations: ['Example'],
    subject: ['C=US', 'L=Detroit', 'O=Example', 'OU=Platform', 'CN=etcd-1-dev'],
    dnsNames: ['etcd-1', 'localhost', 'etcd-1-dev'],
    ipAddresses: ['10.0.0.1', '127.0.0.1', '::1', '10.9.9.9'],
    keyType: 'rsa-2048',
  } as const;
  const owned = {
    key: { owner: 'root', group: 'ssl', mode: '0644' },
    certificate: { owner: 'root', group: 'ssl', mode: '0600' },
  };

  test('is left alone with its own subject, further names, kind of key, owner and mode', async () => {
    expect(await decide({ ...(await hostWith(OTHERS)), ...owned }, { wanted: adopted })).toEqual({ kind: 'unchanged' });
  });

  test('is left alone when it is good for every use', async () => {
    expect(await decide(await hostWith({ ...OTHERS, usages: [] }), { wanted: adopted })).toEqual({ kind: 'unchanged' });
  });

  test.each([
    ['with openssl on the host', 'known'],
    ['without', 'unchecked'],
  ])('gets what is missing for the same key, and keeps all it has, %s', async (_, kind) => {
    const had = await hostWith({ ...OTHERS, ipAddresses: ['10.0.0.1', '10.9.9.9'] });
    const files = { ...had, ...owned, ...(kind === 'known' ? {} : { publicKey: { kind: 'unchecked' } as const }) };
    const change = await changeOf(decide(files, { wanted: adopted }));
    expect(change.summary).toBe(
      `reissue the etcd-server certificate ${CERTIFICATE}: SAN IP 127.0.0.1 missing; SAN IP ::1 missing`,
    );
    const action = issueOf(change);
    expect(action).toMatchObject({
      ...owned.key,
      profile: { ...OTHERS, ipAddresses: ['10.0.0.1', '127.0.0.1', '::1', '10.9.9.9'] },
    });
    const { certificatePem, keyPem } = await issueCertificate(authority, action.profile, circumstancesAt(TODAY));
    expect(keyPem).toBeUndefined();
    expect(new X509Certificate(certificatePem).subject).toBe('C=US\nL=Detroit\nO=Example\nOU=Platform\nCN=etcd-1-dev');
    expect(await decide({ ...files, pem: certificatePem }, { wanted: adopted })).toEqual({ kind: 'unchanged' });
  });
});
