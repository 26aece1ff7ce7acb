// A request as this program has it made, and as it is judged: openssl itself is asked in tests/contract/pki.
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import fc from 'fast-check';
import { describe, expect, test } from '@jest/globals';
import type { CertificateProfile } from '../../../src/model/certificate.js';
import { readRequest, requestConfig } from '../../../src/pki/request.js';
import { SERVER_PROFILE } from '../../support/test-authority.js';
import { hostKey, requestFor } from '../../support/test-request.js';

const HEAD = ['[req]', 'prompt = no', 'string_mask = utf8only', 'distinguished_name = subject'];

describe('the configuration of a request', () => {
  test.each<[string, Partial<CertificateProfile>, readonly string[]]>([
    [
      'of a server in two organizations',
      { organizations: ['one', 'two'], dnsNames: ['a', 'b'], ipAddresses: ['10.0.0.1', '::1'] },
      [
        ...['[subject]', '0.O = one', '1.O = two', '2.CN = etcd-1'],
        ...['[wished]', 'basicConstraints = critical, CA:FALSE', 'keyUsage = critical, digitalSignature'],
        'extendedKeyUsage = serverAuth, clientAuth',
        ...['subjectAltName = @names', '[names]', 'DNS.1 = a', 'DNS.2 = b', 'IP.1 = 10.0.0.1', 'IP.2 = ::1'],
      ],
    ],
    [
      'of a client with an RSA key and no names',
      { usages: ['client'], keyType: 'rsa-2048', dnsNames: [], ipAddresses: [] },
      [
        ...['[subject]', '0.CN = etcd-1'],
        ...['[wished]', 'basicConstraints = critical, CA:FALSE'],
        ...['keyUsage = critical, digitalSignature, keyEncipherment', 'extendedKeyUsage = clientAuth'],
      ],
    ],
    [
      'of one that is kept, with all that it had beside what is made here',
      {
        subject: ['C=US', 'OU=a', 'OU=b', 'emailAddress=ops@example.com', 'CN=kept'],
        dnsNames: ['a'],
        ipAddresses: [],
        // A URI, `x:`.
        otherNames: [{ text: 'URI x:', der: 'hgJ4Og==' }],
        usages: ['server'],
        furtherUsages: ['1.2.3', '1.2.4'],
        keyUsages: ['keyAgreement'],
      },
      [
        ...['[subject]', '0.C = US', '1.OU = a', '2.OU = b', '3.emailAddress = ops@example.com', '4.CN = kept'],
        ...['[wished]', 'basicConstraints = critical, CA:FALSE', 'keyUsage = critical, digitalSignature, keyAgreement'],
        ...['extendedKeyUsage = serverAuth, 1.2.3, 1.2.4', 'subjectAltName = DER:30078201618602783a'],
      ],
    ],
    [
      'of one that is good for every use',
      { usages: [], dnsNames: ['a'], ipAddresses: [] },
      [
        ...['[subject]', '0.CN = etcd-1'],
        ...['[wished]', 'basicConstraints = critical, CA:FALSE', 'keyUsage = critical, digitalSignature'],
        ...['subjectAltName = @names', '[names]', 'DNS.1 = a'],
      ],
    ],
  ])('%s', (_, changes, lines) => {
    const text = requestConfig({ ...SERVER_PROFILE, ...changes });
    expect(text).toBe([...HEAD, 'req_extensions = wished', ...lines, ''].join('\n'));
  });

  /** What config(5) reads of a value: a backslash takes the meaning from what follows it, and makes a line end of `n`. */
  const read = (value: string): string =>
    value.replace(/\\(.)/g, (__, letter: string) => (letter === 'n' ? '\n' : letter));

  test('any text is read back as it is, and stays in its line', () => {
    const letters = fc.string({
      unit: fc.constantFrom('\\', '"', "'", '`', '$', '#', ';', '\n', '[', '=', ' ', 'a', 'n'),
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(letters, (text) => {
        const lines = requestConfig({ ...SERVER_PROFILE, commonName: text, dnsNames: [text] }).split('\n');
        const values = lines
          .filter((line) => /^(0\.CN|DNS\.1) = /.test(line))
          .map((line) => line.replace(/^\S+ = /, ''));
        expect(values.map(read)).toEqual([text, text]);
        // Nothing that means something to openssl stands alone.
        for (const value of values) expect(value.replace(/\\./g, '')).not.toMatch(/["'`$#;\n]/);
      }),
    );
  });
});

describe('a request is judged by all that it asks for', () => {
  const faultsOf = async (
    asked: Partial<CertificateProfile>,
    wanted: Partial<CertificateProfile> = {},
    strange: Parameters<typeof requestFor>[2] = {},
  ): Promise<readonly string[] | undefined> => {
    const { pem } = await requestFor({ ...SERVER_PROFILE, ...asked }, undefined, strange);
    return (await readRequest(pem, { ...SERVER_PROFILE, ...wanted }))?.faults;
  };

  const kept = { subject: ['emailAddress=ops@example.com', 'OU=a', 'OU=b', 'CN=etcd-1'] };
  const subject = (...units: readonly string[]): x509.JsonName => [
    { E: ['ops@example.com'] },
    ...units.map((unit) => ({ OU: [unit] })),
    { CN: ['etcd-1'] },
  ];

  test.each<[string, Parameters<typeof faultsOf>]>([
    ['just what is wanted', [{}]],
    ['the same in another order', [{ usages: ['client', 'server'], dnsNames: ['localhost', 'etcd-1'] }]],
    ['what it would get anyway: no authority', [{}, {}, { extensions: [new x509.BasicConstraintsExtension(false)] }]],
    ['a subject that is kept', [{}, kept, { subject: subject('a', 'b') }]],
    [
      'one of which an attribute has several values',
      [{}, kept, { subject: [{ E: ['ops@example.com'] }, { OU: ['a', 'b'] }, { CN: ['etcd-1'] }] }],
    ],
    [
      'one that has two attributes in one part',
      [{}, kept, { subject: [{ E: ['ops@example.com'] }, { OU: ['a'] }, { OU: ['b'], CN: ['etcd-1'] }] }],
    ],
    ['further usages', [{ furtherUsages: ['1.2.9', '1.2.3'] }, { furtherUsages: ['1.2.3', '1.2.9'] }]],
    ['further key usages', [{ keyUsages: ['keyAgreement'] }, { keyUsages: ['keyAgreement'] }]],
  ])('%s is taken', async (_, given) => {
    expect(await faultsOf(...given)).toEqual([]);
  });

  test.each<[string, Parameters<typeof faultsOf>, readonly string[]]>([
    [
      'names that are missing and names too many',
      [{ dnsNames: ['x', 'y'], ipAddresses: ['10.0.0.1', '::2', '::3'] }],
      [
        ...['SAN DNS etcd-1 missing', 'SAN DNS localhost missing', 'SAN IP 127.0.0.1 missing', 'SAN IP ::1 missing'],
        ...['SAN DNS x no longer wanted', 'SAN DNS y no longer wanted'],
        ...['SAN IP ::2 no longer wanted', 'SAN IP ::3 no longer wanted'],
      ],
    ],
    [
      'no names',
      [
        { dnsNames: [], ipAddresses: [] },
        { dnsNames: ['a'], ipAddresses: [] },
      ],
      ['SAN DNS a missing'],
    ],
    [
      'an organization less',
      [{ organizations: ['one'] }, { organizations: ['one', 'two'] }],
      ['subject is O=one, CN=etcd-1, not O=one, O=two, CN=etcd-1'],
    ],
    [
      'another unit than it had',
      [{}, kept, { subject: subject('a', 'c') }],
      [
        'subject is emailAddress=ops@example.com, OU=a, OU=c, CN=etcd-1, not emailAddress=ops@example.com, OU=a, OU=b, CN=etcd-1',
      ],
    ],
    ['one usage of two', [{ usages: ['server'] }], ['extended key usages are other ones']],
    ['a further usage', [{ furtherUsages: ['1.2.3'] }], ['extended key usages are other ones']],
    ['not all further usages', [{}, { furtherUsages: ['1.2.3'] }], ['extended key usages are other ones']],
    ['a further key usage', [{ keyUsages: ['keyEncipherment'] }], ['key usages are other ones']],
    ['not all key usages', [{}, { keyUsages: ['keyAgreement', 'dataEncipherment'] }], ['key usages are other ones']],
    [
      'to be an authority',
      [{}, {}, { extensions: [new x509.BasicConstraintsExtension(true, 0, true)] }],
      ['it asks to be an authority (CA:TRUE)'],
    ],
    [
      'a second list of names, and extensions of its own',
      [
        {},
        {},
        {
          extensions: [
            new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: '*' }]),
            new x509.Extension('1.2.3.4', false, Buffer.from('0500', 'hex')),
            new x509.Extension('1.2.3.5', false, Buffer.from('0500', 'hex')),
          ],
        },
      ],
      ['2.5.29.17', '1.2.3.4', '1.2.3.5'].map((type) => `extension ${type} is not wanted`),
    ],
    [
      'a further attribute',
      [{}, {}, { attributes: [new x509.ChallengePasswordAttribute('planted')] }],
      ['it has further attributes'],
    ],
    [
      'a key of another type',
      [{}, { keyType: 'rsa-2048', keyUsages: [] }],
      ['is for a key of type ecdsa-p256, not rsa-2048', 'key usages are other ones'],
    ],
  ])('%s is a fault', async (_, given, faults) => {
    expect(await faultsOf(...given)).toEqual(faults);
  });

  test('the key that the host has is taken, and no other', async () => {
    const [own, other] = [await hostKey(), await hostKey()];
    const [mine, theirs] = [await requestFor(SERVER_PROFILE, own), await requestFor(SERVER_PROFILE, other)];
    const wanted = { ...SERVER_PROFILE, keepPublicKey: mine.publicKey };
    expect((await readRequest(mine.pem, wanted))?.faults).toEqual([]);
    expect((await readRequest(theirs.pem, wanted))?.faults).toEqual([
      'is for another key than the one that the host has',
    ]);
  });
});
