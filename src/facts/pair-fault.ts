import { createPublicKey, X509Certificate } from 'node:crypto';
import type { CertificateFiles } from './certificate-files.js';

/**
 * Why nobody can talk TLS with this certificate and key, as a predicate of its host: `has no /etc/…/server.key`. It says
 * nothing of who signed it. `undefined`: someone can.
 * @param paths of the certificate and the key
 */
export function pairFault(
  paths: readonly [certificate: string, key: string],
  { certificate, key, pem, publicKey }: CertificateFiles,
  now: Date,
): string | undefined {
  const [path, keyPath] = paths;
  if (certificate === undefined) return `has no ${path}`;
  if (key === undefined) return `has no ${keyPath}`;
  if (publicKey.kind === 'unreadable') return `has no readable key in ${keyPath}`;
  const leaf = readLeaf(pem);
  if (leaf === undefined) return `has no readable certificate in ${path}`;
  if (publicKey.kind === 'known' && !createPublicKey(publicKey.pem).equals(leaf.publicKey))
    return `has a key in ${keyPath} that does not match ${path}`;
  if (new Date(leaf.validTo) <= now) return `has ${path}, which expired on ${dayOf(leaf.validTo)}`;
  if (new Date(leaf.validFrom) > now) return `has ${path}, which is valid only from ${dayOf(leaf.validFrom)}`;
  return undefined;
}

function readLeaf(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function dayOf(date: string): string {
  return new Date(date).toISOString().slice(0, 10);
}
