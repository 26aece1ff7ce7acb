import { beforeAll, expect, test } from '@jest/globals';
import { certificateFilesKey } from '../../../src/facts/certificate-files.js';
import type { ClusterNode } from '../../../src/facts/cluster-nodes.js';
import { KUBELET_CERTIFICATE } from '../../../src/model/kubeadm-certificate.js';
import { claimsRemark, ownCertificate, proofOf, type KubeletProof } from '../../../src/resources/own-node-name.js';
import { fakeProbe } from '../../support/fake-probe.js';
import { certifiedKubelet, kubeletCertificate } from '../../support/kubelet-certificate.js';
import { authorityFrom, TODAY } from '../../support/test-authority.js';

const ELSEWHERE = '/etc/kubernetes/node.pem';
const conf = (user: string): string =>
  `clusters: [{name: c, cluster: {server: 'https://10.0.0.9:6443', certificate-authority: ca.crt}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
users: [{name: u, user: {${user}}}]
`;
const at = (path: string): string => conf(`client-certificate: ${path}, client-key: ${path}`);

let certificates: Readonly<Record<'usual' | 'elsewhere' | 'inline' | 'authority', string>>;
beforeAll(async () => {
  const [usual, elsewhere, inline] = await Promise.all(['w-1', 'w-2', 'w-3'].map(kubeletCertificate));
  const authority = (await authorityFrom(TODAY)).certificatePem;
  certificates = { usual: usual ?? '', elsewhere: elsewhere ?? '', inline: inline ?? '', authority };
});

async function nameOf(text: string | undefined, usual: keyof typeof certificates = 'usual') {
  const { elsewhere } = certificates;
  const probe = fakeProbe({
    'file-contents': { '/etc/kubernetes/kubelet.conf': text },
    'certificate-files': {
      [certificateFilesKey(KUBELET_CERTIFICATE)]: { pem: certificates[usual] },
      [certificateFilesKey(ELSEWHERE)]: { pem: elsewhere },
    },
  });
  return (await ownCertificate(probe))?.node;
}

test('the node of a host is that of the certificate which its kubeconfig names', async () => {
  const data = Buffer.from(certificates.inline).toString('base64');
  expect(await nameOf(at(KUBELET_CERTIFICATE))).toBe('w-1');
  expect(await nameOf(at(ELSEWHERE))).toBe('w-2');
  expect(await nameOf(conf(`client-certificate-data: ${data}, client-key-data: eA==`))).toBe('w-3');
});

test.each([
  ['it has no kubeconfig', undefined, 'usual'],
  ['its kubeconfig is none', '{', 'usual'],
  ['it is known by something else', conf('token: x'), 'usual'],
  ['its certificate is of no kubelet', at(KUBELET_CERTIFICATE), 'authority'],
] as const)('is not known where %s', async (_, text, usual) => {
  expect(await nameOf(text, usual)).toBeUndefined();
});

test('a certificate proves a node that an authority of the cluster has signed, by its key and not by its name alone', async () => {
  const [{ certificate: pem, authority }, other] = await Promise.all([
    certifiedKubelet('w-1'),
    certifiedKubelet('w-1'),
  ]);
  const own = { pem, node: 'w-1' };
  expect(proofOf(own, authority)).toBe('node');
  // While it is replaced there are two, and whatever else stands in the file.
  expect(
    proofOf(own, `${other.authority}-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n${authority}`),
  ).toBe('node');
  for (const signing of [other.authority, pem, '']) expect(proofOf(own, signing)).toBe('unsigned');
});

test.each<[string, Parameters<typeof certifiedKubelet>[1], KubeletProof]>([
  // As with serverTLSBootstrap: the cluster signs it for whoever is the node, by another signer (Kubernetes, "kubelet-serving").
  ['a kubelet serves with', { usages: ['server'], dnsNames: ['w-1'], ipAddresses: ['10.0.0.1'] }, 'other-use'],
  ['a kubelet serves with, and asks with', { usages: ['server', 'client'] }, 'node'],
  ['is of no node', { organizations: [] }, 'other-use'],
  ['is of an administrator', { organizations: ['system:masters'] }, 'other-use'],
  ['is of several groups, nodes among them', { organizations: ['system:nodes', 'ops'] }, 'node'],
  ['names another node', { commonName: 'system:node:w-2' }, 'other-use'],
  ['names a user whose name begins as a node', { commonName: 'system:node:w-1 x' }, 'other-use'],
  ['has ended long since', { days: 1 }, 'node'],
])('a certificate that %s', async (_, changes, proof) => {
  const { certificate: pem, authority } = await certifiedKubelet('w-1', changes);
  expect(proofOf({ pem, node: 'w-1' }, authority)).toBe(proof);
});

test('a kubelet that claims the address of another host is named', () => {
  const node = (name: string): ClusterNode => ({
    ...{ name, machine: '', takesPods: true, isMarked: false, ready: 'true', evicted: [], unowned: [], budgets: [] },
  });
  expect(claimsRemark('w-1', 'cp-1', [node('w-1')])).toBeUndefined();
  expect(claimsRemark(undefined, 'cp-1', [node('w-1')])).toBeUndefined();
  expect(claimsRemark('w-1', 'cp-1', [node('w-9'), node('w-1')])).toBe(
    'cp-1 lists w-9 at its address, too: the kubelet there reports an address of another host',
  );
});
