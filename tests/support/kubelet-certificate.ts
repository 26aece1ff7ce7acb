import { issueCertificate } from '../../src/pki/issue.js';
import { authorityFrom, circumstancesAt, SERVER_PROFILE, TODAY } from './test-authority.js';

/** The client certificate of a node's kubelet, PEM. */
export async function kubeletCertificate(node: string): Promise<string> {
  return (await certifiedKubelet(node)).certificate;
}

/** The same, and the authority that has signed it: no two are signed by the same. */
export async function certifiedKubelet(
  node: string,
): Promise<{ readonly certificate: string; readonly authority: string }> {
  const profile = { ...SERVER_PROFILE, commonName: `system:node:${node}`, organizations: ['system:nodes'] };
  const authority = await authorityFrom(TODAY);
  const issued = await issueCertificate(authority, profile, circumstancesAt(TODAY));
  return { certificate: issued.certificatePem, authority: authority.certificatePem };
}
