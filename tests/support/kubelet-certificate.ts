import type { CertificateProfile } from '../../src/model/certificate.js';
import { issueCertificate } from '../../src/pki/issue.js';
import { authorityFrom, circumstancesAt, SERVER_PROFILE, TODAY } from './test-authority.js';

/** The client certificate of a node's kubelet, PEM. */
export async function kubeletCertificate(node: string): Promise<string> {
  return (await certifiedKubelet(node)).certificate;
}

/**
 * The same, and the authority that has signed it: no two are signed by the same.
 * @param changes what it has that such a certificate has not
 */
export async function certifiedKubelet(
  node: string,
  changes: Partial<CertificateProfile> = {},
): Promise<{ readonly certificate: string; readonly authority: string }> {
  const profile: CertificateProfile = {
    ...{ ...SERVER_PROFILE, dnsNames: [], ipAddresses: [], usages: ['client'] },
    ...{ commonName: `system:node:${node}`, organizations: ['system:nodes'], ...changes },
  };
  const authority = await authorityFrom(TODAY);
  const issued = await issueCertificate(authority, profile, circumstancesAt(TODAY));
  return { certificate: issued.certificatePem, authority: authority.certificatePem };
}
