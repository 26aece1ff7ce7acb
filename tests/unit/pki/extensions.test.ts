import { X509Certificate } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { keyUsagesIn, saysAuthority } from '../../../src/pki/extensions.js';
import { issueCertificate } from '../../../src/pki/issue.js';
import { authorityFrom, circumstancesAt, SERVER_PROFILE, TODAY } from '../../support/test-authority.js';

// Made with openssl req -x509 -addext basicConstraints=…; all but the last two without the right to sign certificates.
describe('a certificate says that it is an authority', () => {
  test.each([
    [
      'with CA:TRUE beside a harmless key usage',
      'MIIBhjCCASugAwIBAgIUJ5MTmoj82lUkQ8bMp2KfRUR/djEwCgYIKoZIzj0EAwIwDzENMAsGA1UEAwwEbGVhZjAgFw0yNjExMjUyMzE4MzZaGA8yMTI2MTEwMTIzMTgzNlowDzENMAsGA1UEAwwEbGVhZjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABJ/gvJqGjf/RoIhhdXZeiZW+b4KC2O5q7eibUtJkUK8r7dEuHdoPcfmPHJbF3kNaUWUhV1MR/VwkSG6Op4yzah+jYzBhMB0GA1UdDgQWBBTSMLcyKP9DDkT5Z8TqsQGpHMF6+DAfBgNVHSMEGDAWgBTSMLcyKP9DDkT5Z8TqsQGpHMF6+DAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwIHgDAKBggqhkjOPQQDAgNJADBGAiEArRTefeA39l4gMSz+dIH4CQWFe5ruLhhCWdosMYg4WaACIQDL0JuV5/+shQSDfkZfJLBgNOawX9XHQ+B7INaVoC93vg==',
      true,
    ],
    [
      'with CA:TRUE and a length of the path',
      'MIIBhTCCASugAwIBAgIUEHA6j9rWvwdOVq0IBaMNLm8pyB8wCgYIKoZIzj0EAwIwDzENMAsGA1UEAwwEbGVhZjAgFw0yNjExMjUyMzE4MzZaGA8yMTI2MTEwMTIzMTgzNlowDzENMAsGA1UEAwwEbGVhZjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABJ/gvJqGjf/RoIhhdXZeiZW+b4KC2O5q7eibUtJkUK8r7dEuHdoPcfmPHJbF3kNaUWUhV1MR/VwkSG6Op4yzah+jYzBhMB0GA1UdDgQWBBTSMLcyKP9DDkT5Z8TqsQGpHMF6+DAfBgNVHSMEGDAWgBTSMLcyKP9DDkT5Z8TqsQGpHMF6+DAPBgNVHRMECDAGAQH/AgEAMA4GA1UdDwEB/wQEAwIHgDAKBggqhkjOPQQDAgNIADBFAiEAlBi54FL/XdgN89qbiQWBf7Fwebyd3kloEl/ZsCO1T8gCIFVCoALW88HwRwggsq2x1u+32iXavJ0F6IhRfRpGQfvu',
      true,
    ],
    [
      'not with CA:FALSE',
      'MIIBbzCCARWgAwIBAgIUXY0EnSX4xkYlxfOH15QF6skc4c0wCgYIKoZIzj0EAwIwDzENMAsGA1UEAwwEbGVhZjAgFw0yNjExMjUyMzE4MzZaGA8yMTI2MTEwMTIzMTgzNlowDzENMAsGA1UEAwwEbGVhZjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABJ/gvJqGjf/RoIhhdXZeiZW+b4KC2O5q7eibUtJkUK8r7dEuHdoPcfmPHJbF3kNaUWUhV1MR/VwkSG6Op4yzah+jTTBLMB0GA1UdDgQWBBTSMLcyKP9DDkT5Z8TqsQGpHMF6+DAfBgNVHSMEGDAWgBTSMLcyKP9DDkT5Z8TqsQGpHMF6+DAJBgNVHRMEAjAAMAoGCCqGSM49BAMCA0gAMEUCIDYGNFiNyJRxILFxmfJwWF9of2yTYVTRlsXHdh+Zd619AiEAjmQ1pqyiXhzuZunXVW5D8kyEtOdFOvCIvAkdmp29Lnw=',
      false,
    ],
    [
      'not without any extension',
      'MIIBGzCBwQIUH71OknEu11ITQUuNPmFBbxuzDJEwCgYIKoZIzj0EAwIwDzENMAsGA1UEAwwEbGVhZjAgFw0yNjExMjUyMzE4MzZaGA8yMTI2MTEwMTIzMTgzNlowDzENMAsGA1UEAwwEbGVhZjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABJ/gvJqGjf/RoIhhdXZeiZW+b4KC2O5q7eibUtJkUK8r7dEuHdoPcfmPHJbF3kNaUWUhV1MR/VwkSG6Op4yzah8wCgYIKoZIzj0EAwIDSQAwRgIhAOGn9DeGwfRJavqgl8NUGMbTXmFGbYCef8LQzTmNIIk0AiEAvvrWrtY6pXc/y2UAbI+1ukQF42Gi7wATsImApHXICSg=',
      false,
    ],
  ])('%s', (_, base64, is) => {
    expect(saysAuthority(new X509Certificate(Buffer.from(base64, 'base64')))).toBe(is);
  });
});

test.each([
  ['nonRepudiation', 'digitalSignature,nonRepudiation'],
  ['keyEncipherment', 'digitalSignature,keyEncipherment'],
  ['dataEncipherment', 'digitalSignature,dataEncipherment'],
  ['keyAgreement', 'digitalSignature,keyAgreement'],
] as const)('a key that does %s too says so', async (usage, expected) => {
  const profile = { ...SERVER_PROFILE, keyUsages: [usage] };
  const { certificatePem } = await issueCertificate(await authorityFrom(TODAY), profile, circumstancesAt(TODAY));
  expect(keyUsagesIn(new X509Certificate(certificatePem)).join()).toBe(expected);
});
