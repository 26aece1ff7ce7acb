import type { X509Certificate } from 'node:crypto';
import { describeSubject } from '../pki/compare.js';
import { isSignedBy, readCertificates, subjectOf } from '../pki/inspect.js';
import { Obstacle } from './obstacle.js';

/** A member's certificates, PEM. */
export interface TrustFiles {
  /** What `--cert-file` holds. */
  readonly server: string;
  readonly trustedCaFile: string;
  /** What `--trusted-ca-file` holds. */
  readonly trusted: string;
}

/** Who signed a member's server certificate. */
export interface FoundAuthority {
  readonly authority: X509Certificate;
  readonly leaf: X509Certificate;
  /** How many more the member trusts as its clients' authorities. */
  readonly others: number;
}

/**
 * The one authority that signed a member's server certificate and that the member trusts for its clients: a new
 * certificate from it is accepted on both sides.
 * @throws Obstacle when there is none that this program can work with
 */
export function findAuthority(files: TrustFiles): FoundAuthority {
  const [leaf] = readCertificates(files.server);
  const trusted = readCertificates(files.trusted).flatMap((certificate) => certificate ?? []);
  if (leaf === undefined)
    throw new Obstacle('certificate', 'its server certificate cannot be read', 'check the file given as --cert-file');
  const authority = trusted.find((candidate) => isSignedBy(leaf, candidate));
  if (authority === undefined) throw unknownSigner(leaf, files, trusted);
  const name = describeSubject(subjectOf(authority));
  if (!isSignedBy(authority, authority))
    throw new Obstacle(
      'authority',
      `its server certificate is signed by the intermediate ${name}; only a self-signed root is supported, as HAProxy trusts nothing else`,
      "issue the members' certificates from a root of their own first, one member at a time",
    );
  return { authority, leaf, others: trusted.length - 1 };
}

function unknownSigner(leaf: X509Certificate, files: TrustFiles, trusted: readonly X509Certificate[]): Obstacle {
  const names = trusted.map((certificate) => describeSubject(subjectOf(certificate))).join('; ') || 'nobody';
  const issuer = leaf.issuer.replaceAll('\n', ', ');
  return new Obstacle(
    'authority',
    `its server certificate is signed by ${issuer}, and ${files.trustedCaFile} trusts ${names}: one authority for servers and clients is supported`,
    `let ${files.trustedCaFile} hold the authority of the server certificates too, and restart etcd`,
  );
}
