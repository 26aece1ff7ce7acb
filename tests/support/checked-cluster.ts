// A whole healthy cluster, by what its hosts answer.
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { apiserverPart, certificateParts } from '../../src/checks/certificates.js';
import type { CheckContext } from '../../src/checks/check.js';
import { certificateFilesKey, type CertificateFiles } from '../../src/facts/certificate-files.js';
import type { CertificateProfile } from '../../src/model/certificate.js';
import type { Cluster } from '../../src/model/cluster.js';
import type { Outcome, Resource } from '../../src/model/change.js';
import type { Fact, Probe } from '../../src/model/remote.js';
import { issueCertificate } from '../../src/pki/issue.js';
import type { SigningAuthority } from '../../src/pki/signing-authority.js';
import { pathsOf } from '../../src/resources/judge-certificate.js';
import { healthy, RUNNING } from './etcd-answers.js';
import { kubeletConf } from './kubeconfigs.js';
import { SAMPLE_APISERVER, SAMPLE_SERVICE, sampleNode, withFirewall } from './sample-cluster.js';
import { authorityFrom, circumstancesAt, daysFromToday, TODAY } from './test-authority.js';
import { leafOf } from './kubeadm-answers.js';

/** The time of all hosts, in seconds since 1970. */
export const NOW_S = TODAY.getTime() / 1000;
/** Where etcd answers. */
export const VIP = 'https://10.0.0.100:2379';
const API = 'https://10.0.0.200:8443';
const PKI = '/etc/kubernetes/pki';
/** Hosts of control planes. */
export const PLANES = ['cp-1', 'cp-2', 'cp-3'];
const base = withFirewall();
const [PLANE] = base.controlPlanes;
if (PLANE === undefined) throw new Error('the sample has a control plane');
const CLIENT = {
  ca: `${PKI}/etcd/ca.crt`,
  certificate: `${PKI}/apiserver-etcd-client.crt`,
  key: `${PKI}/apiserver-etcd-client.key`,
};
const SCHEDULE = { onCalendar: 'hourly', directory: '/var/backups/etcd', keep: 7 };

/** Three members with balancers for both services, three control planes, two workers. */
export const CLUSTER: Cluster = {
  ...base,
  members: base.members.map((member) => ({ ...member, snapshots: SCHEDULE })),
  services: [SAMPLE_SERVICE, SAMPLE_APISERVER],
  controlPlanes: PLANES.map((host, index) => ({ ...PLANE, host, address: `10.0.0.1${index + 1}` })),
  nodes: [...PLANES, 'worker-1', 'worker-2'],
  kubernetes: {
    ...base.kubernetes,
    nodes: [
      ...PLANES.map((host, index) => ({ ...sampleNode(host, 'control-plane'), address: `10.0.0.1${index + 1}` })),
      ...[1, 2].map((number) => ({ ...sampleNode(`worker-${number}`, 'worker'), address: `10.0.0.2${number}` })),
    ],
  },
};

/** What a host answers by a fact's name and the key. */
export type Answer = (host: string, key: string) => unknown;

/** @param host of the cluster */
export const addressOf = (host: string): string => {
  const [kind = '', number = ''] = host.split('-');
  return `10.0.0.${kind === 'etcd' ? '' : kind === 'cp' ? '1' : '2'}${number}`;
};
/** Of each API server. */
export const MANIFEST_TEXT = `apiVersion: v1
kind: Pod
metadata: {name: kube-apiserver, namespace: kube-system}
spec:
  containers:
  - name: kube-apiserver
    image: registry.k8s.io/kube-apiserver:v1.30.1
    command: [kube-apiserver, "--etcd-servers=${VIP}"]
`;

/** The authority in the store, PEM. */
export let pem = '';
/** A leaf of it, PEM. */
export let leaf = '';
/** By host and key. */
const files = new Map<string, CertificateFiles>();
/** By host: of its kubelet. */
const nodeLeaves = new Map<string, string>();
/** Of etcd-2's server, as it is in other cases. */
export const LEAVES = new Map<string, CertificateFiles>();
const STAT = { owner: 'etcd', group: 'etcd', mode: '0600' } as const;

let authority: SigningAuthority;

/** A certificate that the authority in the store has signed, with its key. */
export async function issuedFor(profile: CertificateProfile, day = TODAY): Promise<CertificateFiles> {
  const made = await issueCertificate(authority, profile, circumstancesAt(day));
  const key = createPublicKey(createPrivateKey(made.keyPem?.reveal() ?? ''));
  const pemOfKey = key.export({ type: 'spki', format: 'pem' }).toString();
  return { certificate: STAT, key: STAT, pem: made.certificatePem, publicKey: { kind: 'known', pem: pemOfKey } };
}

/** Signs all certificates of the cluster, and what {@link LEAVES} has. */
export async function signAll(): Promise<void> {
  authority = await authorityFrom(daysFromToday(-400));
  pem = authority.certificatePem;
  leaf = await leafOf(authority, TODAY);
  for (const host of CLUSTER.nodes)
    nodeLeaves.set(
      host,
      await leafOf(authority, TODAY, { commonName: `system:node:${host}`, organizations: ['system:nodes'] }),
    );
  const parts = [...certificateParts(CLUSTER), ...PLANES.map((host) => apiserverPart(CLUSTER, host, CLIENT))];
  for (const { host, certificates } of parts)
    for (const { destination, profile } of certificates) {
      const { certificatePath, keyPath } = pathsOf(destination);
      files.set(`${host} ${certificateFilesKey(certificatePath, keyPath)}`, await issuedFor(profile));
    }
  const server = parts.find(({ host }) => host === 'etcd-2')?.certificates[0]?.profile;
  if (server === undefined) throw new Error('etcd-2 has a server certificate');
  const own = (changes: Partial<CertificateProfile>, day?: Date): Promise<CertificateFiles> =>
    issuedFor({ ...server, ...changes }, day);
  LEAVES.set('ended', await own({}, daysFromToday(-370)));
  LEAVES.set('ends today', await own({}, daysFromToday(-365)));
  LEAVES.set('ends soon', await own({}, daysFromToday(-340)));
  LEAVES.set('ends in 30 days', await own({}, daysFromToday(-335)));
  LEAVES.set('ends a second before that', await own({}, new Date(daysFromToday(-335).getTime() - 1000)));
  LEAVES.set('names one more', await own({ dnsNames: [...server.dnsNames, 'old'] }));
  LEAVES.set('names one more, and not the virtual IP', await own({ dnsNames: ['old'], ipAddresses: ['10.0.0.2'] }));
  LEAVES.set('without openssl', { ...(await own({})), publicKey: { kind: 'unchecked' } });
  LEAVES.set('is not there', { certificate: undefined, key: undefined, pem: '', publicKey: { kind: 'unchecked' } });
}

const FILE = { kind: 'file', owner: 'root', group: 'root', mode: '0600', sha256: 'x', changedAt: 100 } as const;
/** The last snapshot that each host has saved. */
export const SAVED = { file: 'a.db', savedAt: NOW_S - 600, revision: 300, keys: 10, bytes: 2_000_000 };

/** A cluster in which all is as it should be. */
export const WELL: Readonly<Record<string, Answer>> = {
  'etcd-status': (host) => healthy(Number(host.slice(-1))),
  'scheduled-snapshots': () => ({
    now: NOW_S,
    timer: { active: true, since: NOW_S - 86_400 },
    run: { isRunning: false, result: 'success', status: 0, said: '' },
    last: { ...SAVED, larger: 0, other: 0, upload: 'none' },
    lastBytes: SAVED.bytes,
    due: [NOW_S + 3000, NOW_S + 6600],
  }),
  units: () => RUNNING,
  'host-addresses': (host) => [
    { interface: 'eth0', address: addressOf(host), prefixLength: 24 },
    ...(host === 'etcd-1' ? [{ interface: 'eth0', address: '10.0.0.100', prefixLength: 24 }] : []),
    ...(host === 'etcd-2' ? [{ interface: 'eth0', address: '10.0.0.200', prefixLength: 24 }] : []),
  ],
  'name-addresses': () => ['10.9.0.1'],
  'source-addresses': (host) => addressOf(host),
  'vrrp-conflicts': () => ({ kind: 'nothing' }),
  sysctls: () => '1',
  'sysctls-at-boot': () => ({ value: '1', file: '/etc/sysctl.d/60-x.conf' }),
  'haproxy-servers': (_, key) =>
    (key.endsWith(' etcd') ? ['m1', 'm2', 'm3'] : ['cp-1']).map((name) => ({ name, status: 'UP', check: 'L7OK' })),
  'firewall-tables': () => ({ hasNft: true, loaded: 'a\n', kept: 'a\n', isOnTrial: false }),
  'certificate-files': (host, key) =>
    files.get(`${host} ${key}`) ?? {
      ...{ certificate: STAT, key: STAT, publicKey: { kind: 'unreadable' } },
      pem: key.includes('ca.crt') ? pem : key.includes('kubelet-client') ? (nodeLeaves.get(host) ?? '') : leaf,
    },
  'https-answers': () => ({ kind: 'answer', status: 200, body: 'ok' }),
  'file-contents': (_, path) => (path.endsWith('kubelet.conf') ? kubeletConf(API) : MANIFEST_TEXT),
  'file-states': () => FILE,
  paths: (_, path) => path === '/usr/bin/kubeadm',
  'etcd-processes': () => ({ processes: [], etcdctl: undefined }),
  'apiserver-processes': () => [
    { pid: 7, argv: ['kube-apiserver', `--etcd-servers=${VIP}`], connections: [{ address: '10.0.0.100', port: 2379 }] },
  ],
  'static-pod-files': () => [],
  'kubelet-processes': () => [],
  'kubeadm-config': () => ({ kind: 'found', configuration: `etcd: { external: { endpoints: ['${VIP}'] } }\n` }),
  'kubeadm-outline': () => ({ version: 'v1.30.1', sandboxImage: 'pause:3.9' }),
  'node-list': () => ({
    kind: 'listed',
    nodes: CLUSTER.kubernetes.nodes.map(({ host, address, kind }) => ({
      ...{ name: host, addresses: [address], isControlPlane: kind === 'control-plane', isUpgrading: false },
    })),
  }),
  restores: () => [],
  clock: () => TODAY.getTime(),
  'kubeconfig-answers': (_, key) => ({
    kind: 'answer',
    status: 200,
    body: key.includes('/leases/')
      ? JSON.stringify({ spec: { renewTime: new Date(2_000_000).toISOString() } })
      : JSON.stringify({
          status: {
            conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: new Date(2_000_000).toISOString() }],
          },
        }),
  }),
  'program-starts': () => [{ pid: 7, startedAt: 200 }],
  'kubeconfig-certificates': (_, path) => (path.includes('*') ? [] : [{ path, pem: leaf }]),
  'directory-ways': () => undefined,
  'directory-certificates': (_, directory) =>
    ['apiserver.crt', 'etcd/server.crt', 'front-proxy-client.crt', 'of/others.pem'].map((name) => ({
      path: `${directory}/${name}`,
      pem: leaf,
    })),
};

/** @param changes other answers @param more what else is looked at */
export function checkedCluster(
  changes: Readonly<Record<string, Answer>>,
  more: Partial<CheckContext> = {},
): CheckContext {
  const answers = { ...WELL, ...changes };
  function probe(host: string): Probe {
    return {
      host,
      on: probe,
      ask: <V>({ name }: Fact<V>, key: string) => {
        const answer = answers[name];
        if (answer === undefined) return Promise.reject(new Error(`no answer for ${name} ${key}`));
        return Promise.resolve(answer(host, key) as V);
      },
    };
  }
  return {
    cluster: CLUSTER,
    probe,
    probeAgain: probe,
    certificates: {
      authority: { certificate: () => pem, trustBundle: () => pem },
      now: TODAY,
      renewBeforeDays: 30,
    },
    resources: new Map(),
    inventory: 'inventory.yaml',
    now: () => TODAY.getTime(),
    ...more,
  };
}

/** What a playbook that sets up nodes wants of them, and what others want. */
/** One that comes to this. */
export const resourceNamed = (address: string, outcome: Outcome): Resource => ({
  address,
  paths: [],
  plan: () => Promise.resolve(outcome),
});
export const RESOURCES = new Map<string, readonly Resource[]>([
  ['etcd-1', [resourceNamed('file:/a', { kind: 'unchanged' })]],
  ...['cp-1', 'worker-1', 'worker-2'].map((host): [string, readonly Resource[]] => [
    host,
    [resourceNamed('file:/a', { kind: 'unchanged' }), resourceNamed('kubernetes:node', { kind: 'unchanged' })],
  ]),
]);
