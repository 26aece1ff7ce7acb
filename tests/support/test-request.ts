import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { webcrypto } from 'node:crypto';
import type { CertificateProfile, KeyUsage } from '../../src/model/certificate.js';

/** A request as a host makes it. */
export interface TestRequest {
  /** PKCS#10. */
  readonly pem: string;
  /** SubjectPublicKeyInfo, DER as base64. */
  readonly publicKey: string;
}

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** A P-256 key of a host. */
export function hostKey(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
}

/** What a host puts into a request beside, or in place of, what a profile says. */
interface Strange {
  readonly extensions?: readonly x509.Extension[];
  readonly attributes?: x509.Attribute[];
  readonly subject?: x509.JsonName;
}

function flagsOf(usages: readonly KeyUsage[]): x509.KeyUsageFlags {
  return usages
    .map((usage): x509.KeyUsageFlags => x509.KeyUsageFlags[usage])
    .reduce((sum, flag): x509.KeyUsageFlags => sum | flag);
}

/** A request for a profile, made without openssl. @param keys the host's; a new one each time by default */
export async function requestFor(
  profile: CertificateProfile,
  keys?: webcrypto.CryptoKeyPair,
  { extensions = [], attributes = [], subject }: Strange = {},
): Promise<TestRequest> {
  const own = keys ?? (await hostKey());
  const names = [
    ...profile.dnsNames.map((value) => ({ type: 'dns', value }) as const),
    ...profile.ipAddresses.map((value) => ({ type: 'ip', value }) as const),
  ];
  const usages = { server: x509.ExtendedKeyUsage.serverAuth, client: x509.ExtendedKeyUsage.clientAuth } as const;
  const request = await x509.Pkcs10CertificateRequestGenerator.create(
    {
      name: subject ?? [...profile.organizations.map((name) => ({ O: [name] })), { CN: [profile.commonName] }],
      attributes,
      keys: own,
      signingAlgorithm: P256,
      extensions: [
        new x509.KeyUsagesExtension(flagsOf(['digitalSignature', ...(profile.keyUsages ?? [])]), true),
        new x509.ExtendedKeyUsageExtension([
          ...profile.usages.map((usage) => usages[usage]),
          ...(profile.furtherUsages ?? []),
        ]),
        ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
        ...extensions,
      ],
    },
    webcrypto,
  );
  const publicKey = Buffer.from(await webcrypto.subtle.exportKey('spki', own.publicKey)).toString('base64');
  return { pem: `${request.toString('pem')}\n`, publicKey };
}
