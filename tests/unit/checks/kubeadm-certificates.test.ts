import { beforeAll, describe, expect, test } from '@jest/globals';
import { checkKubeadmCertificates } from '../../../src/checks/kubeadm-certificates.js';
import { KUBEADM_CERTIFICATES } from '../../../src/model/kubeadm-certificate.js';
import type { SigningAuthority } from '../../../src/pki/signing-authority.js';
import { contextOf, linesOf, UNREACHABLE } from '../../support/check-context.js';
import { kubeadmHost, leafOf, STACKED_MANIFEST, type KubeadmHost } from '../../support/kubeadm-answers.js';
import { SAMPLE_APISERVER, SAMPLE_CLUSTER, sampleMember } from '../../support/sample-cluster.js';
import { authorityFrom, daysFromToday, TODAY } from '../../support/test-authority.js';

let authority: SigningAuthority;
let long = '';
let short = '';
let ended = '';

beforeAll(async () => {
  authority = await authorityFrom(daysFromToday(-400));
  long = await leafOf(authority, TODAY);
  short = await leafOf(authority, daysFromToday(-360));
  ended = await leafOf(authority, daysFromToday(-370));
});

async function found(host: Partial<KubeadmHost>): Promise<readonly string[]> {
  const answers = kubeadmHost({ authority, pem: long, ...host });
  return linesOf(checkKubeadmCertificates, contextOf({ 'cp-1': answers }));
}

describe('what kubeadm made', () => {
  test('is one line where nothing ends', async () => {
    expect(await found({ others: { 'super-admin.conf': undefined } })).toEqual([
      'ok kubernetes-certificate cp-1: 6 certificates of kubeadm, the first one valid until 2027-11-21 (365 days)',
    ]);
  });

  test('is nothing where there is nothing of it', async () => {
    const others = Object.fromEntries(KUBEADM_CERTIFICATES.map(({ name }) => [name, undefined]));
    expect(await found({ others })).toEqual([]);
  });

  test.each([
    [
      'ends soon',
      { 'scheduler.conf': 'short' },
      'warn kubernetes-certificate cp-1 /etc/kubernetes/scheduler.conf: valid until 2026-11-26 (5 days)',
    ],
    [
      'has ended',
      { apiserver: 'ended' },
      'fail kubernetes-certificate cp-1 /etc/kubernetes/pki/apiserver.crt: expired on 2026-11-16',
    ],
    [
      'is no certificate',
      { apiserver: 'none' },
      'fail kubernetes-certificate cp-1 /etc/kubernetes/pki/apiserver.crt: holds no readable certificate',
    ],
  ] as const)('%s', async (_, which, line) => {
    const pems = { short, ended, none: '' };
    const others = Object.fromEntries(Object.entries(which).map(([name, kind]) => [name, pems[kind]]));
    expect(await found({ others })).toEqual([line]);
  });

  test('is of a stacked member, too, while that is there', async () => {
    const cluster = {
      ...SAMPLE_CLUSTER,
      formerMembers: [{ ...sampleMember(4), host: 'cp-1', manifest: STACKED_MANIFEST }],
    };
    const host = { authority, pem: long, others: { 'etcd-peer': short } };
    const told = async (isStacked: boolean): Promise<readonly string[]> =>
      linesOf(checkKubeadmCertificates, contextOf({ 'cp-1': kubeadmHost({ ...host, isStacked }) }, { cluster }));
    expect(await told(true)).toEqual([
      'warn kubernetes-certificate cp-1 /etc/kubernetes/pki/etcd/peer.crt: valid until 2026-11-26 (5 days)',
    ]);
    expect(await told(false)).toEqual([expect.stringMatching(/^ok .* 7 certificates of kubeadm/)]);
  });

  test('is renewed by its name', async () => {
    const answers = kubeadmHost({ authority, pem: long, others: { 'scheduler.conf': short } });
    const items = await checkKubeadmCertificates(contextOf({ 'cp-1': answers }));
    expect(items.map(({ next }) => next)).toEqual(['provision certs renew inventory.yaml cp-1/scheduler.conf']);
  });

  test('was read before it was renewed: who shows the old one', async () => {
    expect((await found({ changedAt: 300 })).slice(1)).toEqual([
      'warn kubernetes-certificate cp-1 kube-controller-manager: was started before /etc/kubernetes/controller-manager.conf was changed: it shows the certificate from before',
      'warn kubernetes-certificate cp-1 kube-scheduler: was started before /etc/kubernetes/scheduler.conf was changed: it shows the certificate from before',
    ]);
  });

  test('has copies, which nobody renews; what others signed is none', async () => {
    const other = await leafOf(await authorityFrom(daysFromToday(-400)), daysFromToday(-370));
    const copies = [
      { path: '/root/.kube/config', pem: ended },
      { path: '/home/a/.kube/config', pem: other },
      { path: '/home/b/.kube/config', pem: long },
      // Nobody tells to give her an administrator's.
      { path: '/home/jane/.kube/config', pem: await leafOf(authority, daysFromToday(-370), { commonName: 'jane' }) },
    ];
    expect((await found({ copies, others: { 'super-admin.conf': undefined } })).slice(1)).toEqual([
      'warn kubernetes-certificate cp-1 /root/.kube/config: a copy of /etc/kubernetes/admin.conf, expired on 2026-11-16; nobody renews it',
    ]);
  });

  test('is signed by an authority that ends before', async () => {
    const old = await authorityFrom(daysFromToday(-400), 700);
    const lines = await found({ authority: old, pem: await leafOf(old, daysFromToday(-100)) });
    expect(lines.slice(1)).toEqual(
      ['ca', 'front-proxy-ca'].map(
        (name) =>
          `warn kubernetes-authority cp-1 /etc/kubernetes/pki/${name}.crt: valid until 2027-09-17 (300 days): shorter than the lifetime of what kubeadm signs with it`,
      ),
    );
  });

  test('of a kubelet only what has ended is reported; workers are asked where the virtual IP is theirs', async () => {
    const cluster = { ...SAMPLE_CLUSTER, services: [SAMPLE_APISERVER] };
    const plane = kubeadmHost({ authority, pem: long, kubelet: short });
    const worker = {
      'certificate-files': kubeadmHost({ authority, pem: long, kubelet: ended })['certificate-files'] ?? {},
    };
    const context = contextOf({ 'cp-1': plane, 'worker-1': worker }, { cluster });
    expect((await linesOf(checkKubeadmCertificates, context)).slice(1)).toEqual([
      'fail kubelet-certificate worker-1 /var/lib/kubelet/pki/kubelet-client-current.pem: expired on 2026-11-16: the kubelet can renew it no more',
    ]);
    const away = contextOf({ 'cp-1': UNREACHABLE }, {});
    expect((await linesOf(checkKubeadmCertificates, away)).at(0)).toBe('fail host cp-1: cp-1: connection refused');
  });
});
