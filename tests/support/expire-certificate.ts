import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { CertificateProfile } from '../../src/model/certificate.js';
import { Secret } from '../../src/model/secret.js';
import { widenProfile } from '../../src/pki/compare.js';
import { publicKeyText } from '../../src/pki/inspect.js';
import { issueCertificate } from '../../src/pki/issue.js';
import type { SigningAuthority } from '../../src/pki/signing-authority.js';
import type { TestLab } from './lab.js';
import { circumstancesAt } from './test-authority.js';

/** An authority whose key somebody else made. @param certificate path @param key path */
export async function authorityOf(certificate: string, key: string): Promise<SigningAuthority> {
  const [certificatePem, keyPem] = await Promise.all([readFile(certificate, 'utf8'), readFile(key, 'utf8')]);
  return { certificatePem, keyPem: new Secret(keyPem) };
}

/** When the certificate was signed, and for how many days. */
export interface ShortLife {
  readonly signed: Date;
  readonly days: number;
}

/** What an authority of today can sign that ends: it lasts for a second. */
export function aSecond(): ShortLife {
  return { signed: new Date(), days: 1 / (24 * 60 * 60) };
}

/**
 * The certificate that a host has becomes one that its authority signed for the same key with the same contents, and that
 * has ended.
 * @param path of the certificate, or of a bundle with its key
 */
export async function expireCertificate(
  lab: TestLab,
  place: { readonly host: string; readonly path: string },
  authority: SigningAuthority,
  { signed, days }: ShortLife,
): Promise<void> {
  const { host, path } = place;
  const read = await lab.ssh(host, `openssl x509 -in ${path}`);
  if (read.status !== 0) throw new Error(`${host}: ${path}\n${read.stderr}`);
  const leaf = new X509Certificate(read.stdout);
  const none: CertificateProfile = {
    ...{ commonName: '', organizations: [], dnsNames: [], ipAddresses: [], usages: [] },
    ...{ days, keyType: 'ecdsa-p256', keepPublicKey: publicKeyText(leaf.publicKey) },
  };
  const { certificatePem } = await issueCertificate(authority, widenProfile(none, leaf), circumstancesAt(signed));
  const script = [
    `key=$(awk '/BEGIN .*PRIVATE/ {on=1} on {print}' ${path})`,
    `cat > ${path} << 'END'\n${certificatePem}END`,
    `[ -z "$key" ] || printf '%s\\n' "$key" >> ${path}`,
    `while openssl x509 -in ${path} -noout -checkend 0 >/dev/null; do sleep 0.2; done`,
  ];
  const written = await lab.ssh(host, script.join('\n'));
  if (written.status !== 0) throw new Error(`${host}: ${path}\n${written.stderr}`);
}
