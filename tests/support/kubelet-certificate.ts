import { issueCertificate } from '../../src/pki/issue.js';
import { authorityFrom, circumstancesAt, SERVER_PROFILE, TODAY } from './test-authority.js';

/** The client certificate of a node's kubelet, PEM. */
export async function kubeletCertificate(node: string): Promise<string> {
  const profile = { ...SERVER_PROFILE, commonName: `system:node:${node}`, organizations: ['system:nodes'] };
  return (await issueCertificate(await authorityFrom(TODAY), profile, circumstancesAt(TODAY))).certificatePem;
}
