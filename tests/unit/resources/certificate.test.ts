import { createPrivateKey, createPublicKey, sign, X509Certificate } from 'node:crypto';
import { inspect } from 'node:util';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { type CertificateFiles, certificateFilesKey } from '../../../src/facts/certificate-files.js';
import type { CertificateProfile, OtherName } from '../../../src/model/certificate.js';
import type { IssueCertificate } from '../../../src/model/action.js';
import type { Change, Outcome } from '../../../src/model/change.js';
import type { Secret } from '../../../src/model/secret.js';
import type { WantedCertificate } from '../../../src/pki/certificate-list.js';
import { keyUsagesIn } from '../../../src/pki/extensions.js';
import { issueCertificate } from '../../../src/pki/issue.js';
import type { SigningAuthority } from '../../../src/pki/signing-authority.js';
import { keyProofKey } from '../../../src/facts/key-proof.js';
import { certificateResource } from '../../../src/resources/certificate.js';
import type { CertificateRules } from '../../../src/resources/judge-certificate.js';
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

/** A SAN of a kind that is only kept, of less than 128 bytes. */
function otherName(tag: number, kind: string, value: string): OtherName {
  const der = Buffer.concat([Buffer.from([tag, value.length]), Buffer.from(value)]);
  return { text: `${kind} ${value}`, der: der.toString('base64') };
}

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

interface Decision {
  readonly wanted?: WantedCertificate;
  readonly now?: Date;
  readonly certificate?: string | undefined;
  readonly rules?: Partial<CertificateRules>;
  /** The key that signs what the host must sign. */
  readonly holds?: string;
}

function decide(files: CertificateFiles, given: Decision = {}): Promise<Outcome> {
  const { wanted = WANTED, now = TODAY, rules = {}, holds } = given;
  const certificate = 'certificate' in given ? given.certificate : authority.certificatePem;
  const view = { certificate: () => certificate, trustBundle: () => certificate };
  const resource = certificateResource(wanted, { authority: view, now, renewBeforeDays: 30, ...rules });
  const { destination } = wanted;
  const key =
    destination.layout === 'pair'
      ? certificateFilesKey(destination.certificatePath, destination.keyPath)
      : certificateFilesKey(destination.path, destination.path);
  const statement = `provision: host-1 asks for a new key for ${CERTIFICATE} at ${now.toISOString()}`;
  const signature = holds === undefined ? undefined : sign('sha256', Buffer.from(statement), holds);
  const answers = {
    'certificate-files': { [key]: files },
    'key-proof': { [keyProofKey(KEY, statement)]: signature },
  };
  return resource.plan(fakeProbe(answers));
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
  test('is known by its file, and is in one or two', () => {
    const view = { certificate: () => undefined, trustBundle: () => undefined };
    const of = (wanted: WantedCertificate): readonly string[] => {
      const { address, paths } = certificateResource(wanted, { authority: view, now: TODAY, renewBeforeDays: 30 });
      return [address, ...paths];
    };
    expect(of(WANTED)).toEqual([`certificate:${CERTIFICATE}`, CERTIFICATE, KEY]);
    expect(of({ ...WANTED, destination: { layout: 'bundle', path: '/b.pem' } })).toEqual([
      'certificate:/b.pem',
      '/b.pem',
    ]);
  });

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

  test('only its owner and mode are corrected', async () => {
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

test.each([
  ['0600', undefined],
  ['0640', undefined],
  ['0601', 'key was open to every user of the host (mode 0601)'],
  ['0602', 'key was open to every user of the host (mode 0602)'],
  ['0604', 'key was open to every user of the host (mode 0604)'],
])('a key of mode %s is secret, or made anew: %j', async (mode, reason) => {
  const key = { owner: 'etcd', group: 'etcd', mode };
  const outcome = await decide({ ...good, key }, { wanted: { ...WANTED, ownership: key } });
  const diff = outcome.kind === 'change' ? outcome.change.diff.join() : '';
  expect(diff.includes('open to every user')).toBe(reason !== undefined);
  if (reason !== undefined) expect(diff).toContain(reason);
});

describe('a leaf that is missing', () => {
  test('is issued, in words that a person understands', async () => {
    const change = await changeOf(decide(NOTHING));
    expect(change.summary).toBe(`issue the etcd-server certificate ${CERTIFICATE}`);
    expect(change.diff).toEqual([
      '+ CN=etcd-1, server and client, 365 days',
      '+ SANs DNS etcd-1, DNS localhost, IP 10.0.0.1, IP 127.0.0.1, IP ::1',
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
    expect(await decide(NOTHING, { certificate: undefined })).toEqual(await decide(NOTHING));
    const foreign = await hostWith({}, await authorityFrom(TODAY));
    expect(await decide(foreign, { certificate: undefined })).toEqual(await decide(foreign));
  });
});

describe('a leaf that is wrong', () => {
  // [what is wrong, what the host has, the day, why it is signed again]
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
    expect(change.diff.slice(0, reasons.length).join()).toMatch(/^([-+] SAN |~ (subject|usages|expire))/);
    expect(change.diff.at(-1)).toBe(`  for the key that the host has, ${KEY}`);
    expect(change.disruptive).toBe(reasons.some((reason) => reason.endsWith('no longer wanted')));
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

  test('is replaced where another tool made it, and the inventory gives it up', async () => {
    const foreign = { replace: [CERTIFICATE], wayOut: '' };
    const files = await hostWith({}, await authorityFrom(TODAY));
    const change = await changeOf(decide(files, { rules: { foreign } }));
    expect(change.summary).toMatch(
      `replace the etcd-server certificate ${CERTIFICATE}, which another tool made: not signed by this cluster's authority`,
    );
    const own = await hostWith({ commonName: 'x' });
    expect((await changeOf(decide(own, { rules: { foreign } }))).summary).toMatch(
      /^reissue the etcd-server certificate/,
    );
  });

  test('another signer, even one of the same name: clients may notice', async () => {
    const change = await changeOf(decide(await hostWith({}, await authorityFrom(TODAY))));
    expect(change.summary).toContain("not signed by this cluster's authority");
    expect(change.disruptive).toBe(true);
  });

  test('all reasons are reported', async () => {
    const files = await hostWith({ commonName: 'x', ipAddresses: [] }, authority, daysFromToday(-350));
    const { diff } = await changeOf(decide(files));
    expect(diff.slice(0, 7)).toEqual([
      '~ expires on 2026-12-06, in less than 30 days',
      '~ subject is CN=x, not CN=etcd-1',
      '+ SAN IP 10.0.0.1',
      '+ SAN IP 127.0.0.1',
      '+ SAN IP ::1',
      '- CN=x, client and server, until 2026-12-06',
      '- SANs DNS etcd-1, DNS localhost',
    ]);
  });

  test('a name that goes is shown as one that goes, and clients may notice', async () => {
    const change = await changeOf(decide(await hostWith({ dnsNames: ['etcd-1', 'localhost', 'old.example.com'] })));
    expect(change.diff[0]).toBe('- SAN DNS old.example.com');
    expect(change.disruptive).toBe(true);
  });

  test('a name that comes is shown as one that comes, and nobody notices', async () => {
    const change = await changeOf(decide(await hostWith({ dnsNames: ['localhost'] })));
    expect(change.diff[0]).toBe('+ SAN DNS etcd-1');
    expect(change.disruptive).toBe(false);
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

  test('that is missing is reported once', async () => {
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

describe('a leaf that another tool issued', () => {
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

  const FURTHER: Partial<CertificateProfile> = {
    otherNames: [otherName(0x86, 'URI', 'spiffe://example/etcd'), otherName(0x81, 'email', 'etcd@example.com')],
    furtherUsages: ['1.3.6.1.5.5.7.3.9', '1.3.6.1.5.5.7.3.4'],
    keyUsages: ['digitalSignature', 'keyEncipherment', 'dataEncipherment'],
  };

  test('keeps names and usages of every kind, and says so', async () => {
    const had = await hostWith({ ...OTHERS, ...FURTHER, ipAddresses: ['10.0.0.1'] });
    const change = await changeOf(decide(had, { wanted: adopted }));
    expect(change.diff).toEqual([
      '+ SAN IP 127.0.0.1',
      '+ SAN IP ::1',
      '- C=US, L=Detroit, O=Example, OU=Platform, CN=etcd-1-dev, 1.3.6.1.5.5.7.3.4 and 1.3.6.1.5.5.7.3.9 and client and server, until 2027-11-21',
      '- SANs DNS etcd-1, DNS etcd-1-dev, DNS localhost, IP 10.0.0.1, email etcd@example.com, URI spiffe://example/etcd',
      '+ C=US, L=Detroit, O=Example, OU=Platform, CN=etcd-1-dev, server and client and 1.3.6.1.5.5.7.3.4 and 1.3.6.1.5.5.7.3.9, 365 days',
      '+ SANs DNS etcd-1, DNS localhost, DNS etcd-1-dev, IP 10.0.0.1, IP 127.0.0.1, IP ::1, email etcd@example.com, URI spiffe://example/etcd',
      `  for the key that the host has, ${KEY}`,
    ]);
    const signed = await issueCertificate(authority, issueOf(change).profile, circumstancesAt(TODAY));
    const leaf = new X509Certificate(signed.certificatePem);
    expect(leaf.subjectAltName).toContain('URI:spiffe://example/etcd');
    expect(leaf.subjectAltName).toContain('email:etcd@example.com');
    expect(leaf.keyUsage).toEqual(expect.arrayContaining(['1.3.6.1.5.5.7.3.9', '1.3.6.1.5.5.7.3.4']));
    expect(keyUsagesIn(leaf)).toEqual(['digitalSignature', 'keyEncipherment', 'dataEncipherment']);
    expect(await decide({ ...had, pem: signed.certificatePem }, { wanted: adopted })).toEqual({ kind: 'unchanged' });
  });

  // [what the host shows, signed by another authority; what is refused by name]
  const CLAIMS: readonly [string, Partial<CertificateProfile>, readonly string[]][] = [
    [
      'the name of an administrator of Kubernetes',
      { organizations: ['system:masters'], commonName: 'kubernetes-admin' },
      ['subject O=system:masters', 'subject CN=kubernetes-admin'],
    ],
    [
      'a wildcard, and a name of Kubernetes',
      { dnsNames: ['etcd-1', '*', 'kubernetes.default.svc'] },
      ['SAN DNS *', 'SAN DNS kubernetes.default.svc'],
    ],
    ['the address of another member', { ipAddresses: ['10.0.0.2'] }, ['SAN IP 10.0.0.2']],
    ['a URI', { otherNames: [otherName(0x86, 'URI', 'spiffe://cluster/admin')] }, ['SAN URI spiffe://cluster/admin']],
    ['a further usage', { furtherUsages: ['1.3.6.1.5.5.7.3.3'] }, ['usage 1.3.6.1.5.5.7.3.3']],
    ['every usage', { usages: [] }, ['every usage']],
  ];

  test.each(CLAIMS)('that claims %s is not signed, unless the inventory grants it', async (_, claim, items) => {
    const shown = await hostWith(claim, await authorityFrom(TODAY));
    await expect(decide(shown, { wanted: adopted })).rejects.toMatchObject({
      code: 'certificate-not-granted',
      message: expect.stringContaining(items.join('; ')),
      hint: expect.stringContaining(JSON.stringify(items)),
    });
    const change = await changeOf(decide(shown, { wanted: adopted, rules: { grants: items } }));
    expect(change.disruptive).toBe(true);
    // The same from this cluster's authority was granted when it was signed.
    expect(
      await decide(await hostWith(claim), { wanted: { ...adopted, profile: { ...SERVER_PROFILE, ...claim } } }),
    ).toEqual({ kind: 'unchanged' });
  });

  test('that claims thousands of names is refused in few words', async () => {
    const dnsNames = Array.from({ length: 2000 }, (_, index) => `n${index}.example`);
    const shown = await hostWith({ dnsNames }, await authorityFrom(TODAY));
    const refused = decide(shown, { wanted: adopted });
    await expect(refused).rejects.toMatchObject({ message: expect.stringContaining('; and 1980 more') });
  });

  test('of another authority is replaced by what the list says, when it says no more', async () => {
    const change = await changeOf(decide(await hostWith({}, await authorityFrom(TODAY)), { wanted: adopted }));
    expect(issueOf(change).profile).toMatchObject({ commonName: 'etcd-1', usages: ['server', 'client'] });
  });

  test.each([
    ['the authority itself', () => authority.certificatePem],
    ['an authority that it made', async () => (await authorityFrom(TODAY)).certificatePem],
  ])('that is %s is never signed', async (_, pem) => {
    const shown: CertificateFiles = { ...good, pem: await pem(), publicKey: { kind: 'unchecked' } };
    await expect(
      decide(shown, { wanted: adopted, rules: { grants: ['CA:TRUE', 'subject CN=etcd-ca'] } }),
    ).rejects.toMatchObject({
      code: 'certificate-not-granted',
      message: expect.stringContaining('CA:TRUE'),
    });
  });

  describe('for a new key', () => {
    const NEW_KEY = {
      wanted: adopted,
      rules: { renewal: { begun: daysFromToday(1), key: 'new' } },
      now: daysFromToday(1),
    } as const;

    test('gets what it had when the host proves to hold the old one', async () => {
      const had = await hostWith(OTHERS);
      const action = issueOf(await changeOf(decide(had, { ...NEW_KEY, holds: had.keyPem?.reveal() ?? '' })));
      expect(action.profile).toMatchObject({ ...OTHERS, keepPublicKey: null });
    });

    test.each([
      ['no signature', () => Promise.resolve(undefined)],
      ['a signature of another key', async () => (await hostWith(OTHERS)).keyPem?.reveal()],
    ])("of another host's certificate gets nothing: %s", async (_, signer) => {
      const shown = await hostWith({ ...OTHERS, ipAddresses: ['10.0.0.2'] });
      const holds = await signer();
      await expect(decide(shown, { ...NEW_KEY, ...(holds === undefined ? {} : { holds }) })).rejects.toMatchObject({
        code: 'certificate-not-granted',
        message: expect.stringContaining('does not prove to hold its key'),
      });
    });

    test('that replaces one which fits not gets nothing of the certificate beside it', async () => {
      const shown = { ...(await hostWith(OTHERS)), publicKey: good.publicKey };
      await expect(decide(shown, { wanted: adopted })).rejects.toMatchObject({
        message: expect.stringContaining('the key beside it is not its own'),
      });
    });
  });
});

describe('a renewal that was asked for', () => {
  const begun = daysFromToday(1);

  test('is made once: what was signed in the same run stays', async () => {
    const rules = { renewal: { begun, key: 'kept' } } as const;
    const change = await changeOf(decide(good, { rules, now: begun }));
    expect(change.summary).toBe(`reissue the etcd-server certificate ${CERTIFICATE}: its renewal was asked for`);
    const { profile } = issueOf(change);
    expect(profile.keepPublicKey).not.toBeNull();
    const { certificatePem } = await issueCertificate(authority, profile, circumstancesAt(begun));
    expect(await decide({ ...good, pem: certificatePem }, { rules, now: begun })).toEqual({ kind: 'unchanged' });
  });

  test('gets a new key where that is wanted, once', async () => {
    const rules = { renewal: { begun, key: 'new' } } as const;
    expect(issueOf(await changeOf(decide(good, { rules, now: begun }))).profile.keepPublicKey).toBeNull();
    expect(await decide(await hostWith({}, authority, begun), { rules, now: begun })).toEqual({ kind: 'unchanged' });
  });
});

test('near the end of its authority, how much shorter it lives is said', async () => {
  const ending = await authorityFrom(daysFromToday(-400), 500);
  const { diff } = await changeOf(decide(NOTHING, { certificate: ending.certificatePem }));
  expect(diff[0]).toBe('+ CN=etcd-1, server and client, 100 of 365 days: its authority ends on 2027-03-01');
});
