import { X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { CertificateProfile } from '../../../src/model/certificate.js';
import { reasonsForNewKey, reasonsToSign, widenProfile, type CertificateFault } from '../../../src/pki/compare.js';
import { notAfterOf } from '../../../src/pki/inspect.js';
import { issueCertificate } from '../../../src/pki/issue.js';
import type { SigningAuthority } from '../../../src/pki/signing-authority.js';
import { authorityFrom, circumstancesAt, daysFromToday, SERVER_PROFILE, TODAY } from '../../support/test-authority.js';

const SECOND = 1000;
const DAY = 24 * 60 * 60 * SECOND;

let authority: SigningAuthority;
let leaf: X509Certificate;

async function issue(signer: SigningAuthority, profile: Partial<CertificateProfile> = {}): Promise<X509Certificate> {
  const wanted = { ...SERVER_PROFILE, ...profile };
  return new X509Certificate((await issueCertificate(signer, wanted, circumstancesAt(TODAY))).certificatePem);
}

beforeAll(async () => {
  authority = await authorityFrom(daysFromToday(-1));
  leaf = await issue(authority);
});

interface Given {
  readonly found?: X509Certificate;
  readonly signer?: SigningAuthority | undefined;
  readonly profile?: Partial<CertificateProfile>;
  readonly now?: Date;
  readonly days?: number;
}

function reasons(given: Given = {}): readonly CertificateFault[] {
  const signer = 'signer' in given ? given.signer : authority;
  return reasonsToSign(given.found ?? leaf, {
    profile: { ...SERVER_PROFILE, ...given.profile },
    authority: signer === undefined ? undefined : new X509Certificate(signer.certificatePem),
    now: given.now ?? TODAY,
    renewBeforeDays: given.days ?? 30,
  });
}

describe('a leaf is renewed', () => {
  const END = daysFromToday(365);
  const before = (ms: number): Date => new Date(END.getTime() - ms);
  const early = (days: number): CertificateFault[] => [
    { text: `expires on 2027-11-21, in less than ${days} days`, breaks: false },
  ];
  const late = [{ text: 'expired on 2027-11-21', breaks: true }];

  test.each([
    ['not on its first day', TODAY, 30, []],
    ['not a second before its days begin', before(30 * DAY + SECOND), 30, []],
    ['not when exactly its days are left', before(30 * DAY), 30, []],
    ['a second later', before(30 * DAY - SECOND), 30, early(30)],
    ['a day before its end', before(DAY), 30, early(30)],
    ['a second before its end', before(SECOND), 30, early(30)],
    ['at its end, when it is of no use', END, 30, late],
    ['after its end', before(-SECOND), 30, late],
    ['earlier where more days are wanted', before(90 * DAY - SECOND), 90, early(90)],
    ['and not earlier there', before(90 * DAY), 90, []],
    ['only after its end where no days are wanted', before(SECOND), 0, []],
    ['at its end also where no days are wanted', END, 0, late],
  ])('%s', (_, now, days, expected) => {
    expect(notAfterOf(leaf)).toEqual(END);
    expect(reasons({ now, days })).toEqual(expected);
  });

  test('not where a new one would live no longer: it ends with its authority', async () => {
    const signer = await authorityFrom(TODAY, 100);
    const found = await issue(signer);
    const now = daysFromToday(80);
    expect(reasons({ found, signer, now })).toEqual([]);
    expect(reasons({ found, signer: undefined, now }).map(({ text }) => text)).toEqual([
      "not signed by this cluster's authority",
      'expires on 2027-03-01, in less than 30 days',
    ]);
    expect(reasons({ found, signer, now: daysFromToday(100) })).toEqual([
      { text: 'expired on 2027-03-01', breaks: true },
    ]);
  });

  test('where its authority lives a second longer than it', async () => {
    const signer = await authorityFrom(new Date(TODAY.getTime() + SECOND), 100);
    const found = await issue(signer, { days: 100 });
    const { validTo } = new X509Certificate(signer.certificatePem);
    expect(notAfterOf(found).getTime()).toBe(new Date(validTo).getTime() - SECOND);
    expect(reasons({ found, signer, now: daysFromToday(80) })).toHaveLength(1);
  });
});

describe('a leaf is signed again', () => {
  test.each<readonly [string, Given, readonly CertificateFault[]]>([
    ['never where all is as it should be', {}, []],
    [
      'where no authority is there yet',
      { signer: undefined },
      [{ text: "not signed by this cluster's authority", breaks: true }],
    ],
    [
      'for another common name',
      { profile: { commonName: 'etcd-2' } },
      [{ text: 'subject is CN=etcd-1, not CN=etcd-2', breaks: false }],
    ],
    [
      'for an organization',
      { profile: { organizations: ['system:masters'] } },
      [{ text: 'subject is CN=etcd-1, not CN=etcd-1, O=system:masters', breaks: false }],
    ],
    [
      'for a name that is missing',
      { profile: { dnsNames: ['etcd-1', 'localhost', 'new'] } },
      [{ text: 'SAN DNS new missing', breaks: true, diff: '+ SAN DNS new' }],
    ],
    [
      'for each of several names, of both kinds',
      { profile: { dnsNames: ['new', 'newer'], ipAddresses: ['10.0.0.1', '127.0.0.1'] } },
      [
        { text: 'SAN DNS new missing', breaks: true, diff: '+ SAN DNS new' },
        { text: 'SAN DNS newer missing', breaks: true, diff: '+ SAN DNS newer' },
        { text: 'SAN DNS etcd-1 no longer wanted', breaks: false, diff: '- SAN DNS etcd-1', isFelt: true },
        { text: 'SAN DNS localhost no longer wanted', breaks: false, diff: '- SAN DNS localhost', isFelt: true },
        { text: 'SAN IP ::1 no longer wanted', breaks: false, diff: '- SAN IP ::1', isFelt: true },
      ],
    ],
    [
      'for a name that is not wanted',
      { profile: { dnsNames: ['etcd-1'] } },
      [{ text: 'SAN DNS localhost no longer wanted', breaks: false, diff: '- SAN DNS localhost', isFelt: true }],
    ],
    [
      'for an address that is missing',
      { profile: { ipAddresses: [...SERVER_PROFILE.ipAddresses, '10.0.0.9'] } },
      [{ text: 'SAN IP 10.0.0.9 missing', breaks: true, diff: '+ SAN IP 10.0.0.9' }],
    ],
    [
      'for a usage that is too much',
      { profile: { usages: ['client'] } },
      [{ text: 'usages are client, server, not client', breaks: true }],
    ],
    [
      'for a usage that is missing',
      { profile: { furtherUsages: ['1.2.3'] } },
      [{ text: 'usages are client, server, not server, client, 1.2.3', breaks: true }],
    ],
  ])('%s', (_, given, expected) => {
    expect(reasons(given)).toEqual(expected);
  });

  test('for all that is wrong at once, who signed it first', async () => {
    const found = await issue(await authorityFrom(daysFromToday(-1)), {
      ...{ commonName: 'x', dnsNames: ['y'], usages: ['client'] },
    });
    expect(reasons({ found, now: daysFromToday(400) }).map(({ text }) => text)).toEqual([
      ...["not signed by this cluster's authority", 'expired on 2027-11-21', 'subject is CN=x, not CN=etcd-1'],
      ...['SAN DNS etcd-1 missing', 'SAN DNS localhost missing', 'SAN DNS y no longer wanted'],
      'usages are client, not server, client',
    ]);
    const [first] = reasons({ found: new X509Certificate(authority.certificatePem) });
    expect(first?.text).toBe('is the certificate of an authority');
  });

  test('where it says nothing of usages: then it is good for every use', async () => {
    expect(reasons({ found: await issue(authority, { usages: [] }) })).toEqual([
      { text: 'usages are none, not server, client', breaks: true },
    ]);
  });

  test('where another authority of the same name has signed it', async () => {
    expect(reasons({ signer: await authorityFrom(daysFromToday(-1)) })).toEqual([
      { text: "not signed by this cluster's authority", breaks: true },
    ]);
  });

  test('where it is the certificate of an authority', () => {
    const found = new X509Certificate(authority.certificatePem);
    expect(reasons({ found })).toContainEqual({ text: 'is the certificate of an authority', breaks: true });
  });

  test('with all that it says beside what is wanted, where that is to be kept', async () => {
    const found = await issue(authority, {
      ...{ commonName: 'old', organizations: ['Example'], usages: ['client'], furtherUsages: ['1.2.3'] },
      ...{ dnsNames: ['etcd-1', 'old'], ipAddresses: ['10.0.0.7'], keyType: 'rsa-2048' },
    });
    const wanted = { ...SERVER_PROFILE, dnsNames: ['new'], ipAddresses: ['10.0.0.1'], usages: ['server'] as const };
    expect(widenProfile(wanted, found)).toEqual({
      ...wanted,
      ...{ commonName: 'old', organizations: ['Example'], subject: ['O=Example', 'CN=old'] },
      ...{ dnsNames: ['new', 'etcd-1', 'old'], ipAddresses: ['10.0.0.1', '10.0.0.7'] },
      ...{ usages: ['server', 'client'], furtherUsages: ['1.2.3'], keyType: 'rsa-2048' },
      keyUsages: ['digitalSignature', 'keyEncipherment'],
    });
    // Good for every use is more than any list; one key usage is one.
    const anyUse = widenProfile(wanted, await issue(authority, { usages: [] }));
    expect([anyUse.usages, anyUse.furtherUsages, anyUse.keyUsages, anyUse.keyType]).toEqual([
      [],
      undefined,
      ['digitalSignature'],
      'ecdsa-p256',
    ]);
  });

  test('with names of kinds that are never made here, where it has some', async () => {
    const otherNames = [
      { text: 'URI spiffe://x', der: Buffer.from('\x86\x0aspiffe://x', 'latin1').toString('base64') },
    ];
    const found = await issue(authority, { otherNames, organizations: ['One', 'Two'] });
    expect(widenProfile(SERVER_PROFILE, found)).toMatchObject({ otherNames, organizations: ['One', 'Two'] });
    expect(widenProfile(SERVER_PROFILE, leaf)).not.toHaveProperty('otherNames');
    expect(reasons({ found }).map(({ text }) => text)).toEqual([
      'subject is CN=etcd-1, O=One, O=Two, not CN=etcd-1',
      'SAN URI spiffe://x no longer wanted',
    ]);
  });

  test('with a new key, only where that is of another kind', () => {
    expect(reasonsForNewKey(leaf, SERVER_PROFILE)).toEqual([]);
    expect(reasonsForNewKey(leaf, { ...SERVER_PROFILE, keyType: 'rsa-3072' })).toEqual([
      { text: 'key is ecdsa-p256, not rsa-3072', breaks: false },
    ]);
  });
});

test('what another trusted authority signed serves on, and is to be signed again', async () => {
  const other = await authorityFrom(daysFromToday(-2), 3000);
  const found = await issue(other);
  const judged = (alsoTrusted: readonly X509Certificate[]): readonly CertificateFault[] =>
    reasonsToSign(found, {
      ...{ profile: SERVER_PROFILE, authority: new X509Certificate(authority.certificatePem), now: TODAY },
      ...{ renewBeforeDays: 30, alsoTrusted },
    });
  expect(judged([new X509Certificate(other.certificatePem)]).map(({ breaks }) => breaks)).toEqual([false]);
  expect(judged([]).map(({ breaks }) => breaks)).toEqual([true]);
});
