// All that `verify` says of a whole cluster, and what else it says where one thing is wrong on one host or on all, or where it is a cluster of another kind.
import { beforeAll, expect, test } from '@jest/globals';
import { certificateParts } from '../../../src/checks/certificates.js';
import type { CheckContext, CheckItem } from '../../../src/checks/check.js';
import { runChecks } from '../../../src/checks/run-checks.js';
import { type CertificateFiles } from '../../../src/facts/certificate-files.js';
import type { Cluster, ControlPlane } from '../../../src/model/cluster.js';
import type { Outcome } from '../../../src/model/change.js';
import { healthy, RUNNING } from '../../support/etcd-answers.js';
import { expectGolden } from '../../support/golden.js';
import { kubeletConf } from '../../support/kubeconfigs.js';
import { sampleMember, withExternal, SAMPLE_SERVICE } from '../../support/sample-cluster.js';
import { daysFromToday, TODAY } from '../../support/test-authority.js';

import {
  CLUSTER,
  LEAVES,
  MANIFEST_TEXT,
  NOW_S,
  PLANES,
  RESOURCES,
  SAVED,
  VIP,
  WELL,
  addressOf,
  checkedCluster,
  issuedFor,
  leaf,
  pem,
  resourceNamed,
  signAll,
  type Answer,
} from '../../support/checked-cluster.js';

beforeAll(signAll);

function said({ verdict, check, host, subject, evidence, next }: CheckItem): string {
  const what = [verdict, check, host, subject].filter((word) => word !== undefined).join(' ');
  return `${what}: ${evidence}${next === undefined ? '' : `\n    → ${next}`}`;
}

async function saidOf(
  changes: Readonly<Record<string, Answer>> = {},
  more: Partial<CheckContext> = {},
): Promise<readonly string[]> {
  return (await runChecks(checkedCluster(changes, { resources: RESOURCES, ...more }))).map(said);
}

/** What is said instead, as the lines of a diff. */
function apart(before: readonly string[], after: readonly string[]): readonly string[] {
  return [
    ...before.filter((line) => !after.includes(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !before.includes(line)).map((line) => `+ ${line}`),
  ];
}

test('a healthy cluster', async () => {
  expectGolden('fixtures/checks/well.txt', `${(await saidOf()).join('\n')}\n`);
});

const silent = { kind: 'silent', reason: 'connection refused' } as const;
const status =
  (changes: Parameters<typeof healthy>[1]): Answer =>
  (host) =>
    healthy(Number(host.slice(-1)), changes);
const snapshots =
  (changes: object): Answer =>
  (host, key) => ({ ...(WELL['scheduled-snapshots']?.(host, key) as object), ...changes });
const last = (changes: object): object => ({ last: { ...SAVED, larger: 0, other: 0, upload: 'none', ...changes } });
const unit =
  (name: string, changes: object): Answer =>
  (_, key) =>
    key === name ? { ...RUNNING, ...changes } : RUNNING;
const NOT_THERE = { load: 'not-found', active: false, enabled: false, startedAt: undefined };
const contents =
  (end: string, text: string | undefined): Answer =>
  (host, path) =>
    path.endsWith(end) ? text : WELL['file-contents']?.(host, path);
const manifest = (servers: string): string => MANIFEST_TEXT.replace(VIP, servers);
const DIRECT = [1, 2, 3].map((number) => `https://10.0.0.${number}:2379`).join(',');
const certificate =
  (part: string, found: () => CertificateFiles): Answer =>
  (host, key) =>
    key.includes(part) ? found() : WELL['certificate-files']?.(host, key);
const made = (name: string) => (): CertificateFiles => {
  const found = LEAVES.get(name);
  if (found === undefined) throw new Error(`no leaf that ${name}`);
  return found;
};
const https =
  (part: string, answer: unknown): Answer =>
  (host, key) =>
    key.includes(part) ? answer : WELL['https-answers']?.(host, key);
const nodes =
  (...more: readonly object[]): Answer =>
  (host, key) => ({
    kind: 'listed',
    nodes: [...(WELL['node-list']?.(host, key) as { nodes: readonly object[] }).nodes, ...more],
  });
const stray = { name: 'worker-9', addresses: ['10.0.0.29'], isControlPlane: false, isUpgrading: false };
const restored =
  (ago: number, more: object = {}): Answer =>
  () => [
    { id: '20261126T010203Z-abcdef12', stages: new Map(), notedAgo: new Map([['apiserver-started', ago]]), ...more },
  ];

const ETCD = ['etcd-1', 'etcd-2', 'etcd-3'];
const NODES = ['worker-1', 'worker-2'];

/** What may be wrong: of which fact a host has another answer, and whose hosts may. */
const FAULTS: Readonly<Record<string, readonly [hosts: readonly string[], answers: Readonly<Record<string, Answer>>]>> =
  {
    'etcd is silent': [ETCD, { 'etcd-status': () => silent }],
    'etcd refuses its usual client': [ETCD, { 'etcd-status': status({ usualFailure: 'bad certificate' }) }],
    'etcd cannot commit': [ETCD, { 'etcd-status': status({ isHealthy: false }) }],
    'etcd is a learner': [ETCD, { 'etcd-status': status({ isLearner: true }) }],
    'etcd names another leader': [ETCD, { 'etcd-status': status({ leaderId: '9' }) }],
    'etcd of another cluster': [ETCD, { 'etcd-status': status({ clusterId: '99' }) }],
    'etcd of another version': [ETCD, { 'etcd-status': status({ version: '3.5.16' }) }],
    'etcd lists two': [ETCD, { 'etcd-status': status({ members: healthy(1).members.slice(0, 2) }) }],
    'etcd lists a learner': [
      ETCD,
      {
        'etcd-status': status({
          members: [
            ...healthy(1).members.slice(0, 2),
            { id: '3', name: 'm3', peerUrls: ['https://10.0.0.3:2380'], isLearner: true },
          ],
        }),
      },
    ],
    NOSPACE: [ETCD, { 'etcd-status': status({ alarms: ['NOSPACE'] }) }],
    CORRUPT: [ETCD, { 'etcd-status': status({ alarms: ['CORRUPT'] }) }],
    ...Object.fromEntries(
      [79.9, 80, 94.9, 95].map((share) => [
        `a database of ${share} %`,
        [ETCD, { 'etcd-status': status({ dbSize: (2_147_483_648 * share) / 100 }) }] as const,
      ]),
    ),
    'the timer of snapshots is stopped': [ETCD, { 'scheduled-snapshots': snapshots({ timer: { active: false } }) }],
    'a snapshot was missed': [ETCD, { 'scheduled-snapshots': snapshots({ due: [NOW_S - 3901, NOW_S] }) }],
    'a snapshot is late': [ETCD, { 'scheduled-snapshots': snapshots({ due: [NOW_S - 3900, NOW_S] }) }],
    'all snapshots were missed': [ETCD, { 'scheduled-snapshots': snapshots({ due: [NOW_S - 9000, NOW_S - 5400] }) }],
    'no snapshot is due': [ETCD, { 'scheduled-snapshots': snapshots({ due: [] }) }],
    'the stamp of snapshots is damaged': [ETCD, { 'scheduled-snapshots': snapshots({ last: 'unreadable' }) }],
    'no snapshot yet': [ETCD, { 'scheduled-snapshots': snapshots({ last: undefined, lastBytes: undefined }) }],
    'the snapshot is gone': [ETCD, { 'scheduled-snapshots': snapshots({ lastBytes: undefined }) }],
    'the snapshot was cut': [ETCD, { 'scheduled-snapshots': snapshots({ lastBytes: 1 }) }],
    'the snapshot is of later': [ETCD, { 'scheduled-snapshots': snapshots(last({ savedAt: NOW_S + 3901 })) }],
    'the snapshot is of a little later': [ETCD, { 'scheduled-snapshots': snapshots(last({ savedAt: NOW_S + 3900 })) }],
    'the upload failed': [ETCD, { 'scheduled-snapshots': snapshots(last({ upload: { failedWith: 7 } })) }],
    'the upload was cut off': [ETCD, { 'scheduled-snapshots': snapshots(last({ upload: 'unfinished' })) }],
    'the run of a snapshot failed': [
      ETCD,
      { 'scheduled-snapshots': snapshots({ run: { isRunning: false, result: 'exit-code', status: 1, said: 'EOF' } }) },
    ],
    'the run of a snapshot was killed': [
      ETCD,
      { 'scheduled-snapshots': snapshots({ run: { isRunning: false, result: 'oom-kill', status: 9, said: '' } }) },
    ],
    'the run of a snapshot said much': [
      ETCD,
      {
        'scheduled-snapshots': snapshots({
          run: { isRunning: false, result: 'exit-code', status: 1, said: '1'.repeat(301) },
        }),
      },
    ],
    'snapshots are kept apart by their keys': [
      ETCD,
      { 'scheduled-snapshots': snapshots(last({ larger: 1, other: 0 })) },
    ],
    'snapshots are kept apart by their cluster': [
      ETCD,
      { 'scheduled-snapshots': snapshots(last({ larger: 0, other: 1 })) },
    ],
    'a snapshot runs': [
      ETCD,
      {
        'scheduled-snapshots': snapshots({
          run: { isRunning: true, result: 'exit-code', status: 1, said: '' },
          due: [NOW_S - 9000],
        }),
      },
    ],
    'snapshots are kept apart': [ETCD, { 'scheduled-snapshots': snapshots(last({ larger: 1, other: 2 })) }],
    ...Object.fromEntries(
      ['etcd', 'haproxy', 'provision-kube-apiserver-keepalived', 'provision-etcd-firewall'].flatMap((name) => [
        [`${name} is stopped`, [ETCD, { units: unit(name, { active: false }) }] as const],
        [`${name} is not enabled`, [ETCD, { units: unit(name, { enabled: false }) }] as const],
        [`${name} is not installed`, [ETCD, { units: unit(name, NOT_THERE) }] as const],
      ]),
    ),
    'nobody has an address': [ETCD, { 'host-addresses': () => [] }],
    'all have both virtual IPs': [
      ETCD,
      {
        'host-addresses': () =>
          ['10.0.0.100', '10.0.0.200'].map((address) => ({ interface: 'eth0', address, prefixLength: 24 })),
      },
    ],
    'etcd does not answer through its virtual IP': [
      ETCD,
      { 'https-answers': https('10.0.0.100', { kind: 'failure', reason: 'refused' }) },
    ],
    'API servers do not answer through theirs': [
      [...ETCD, 'cp-1'],
      { 'https-answers': https('10.0.0.200', { kind: 'answer', status: 500, body: '' }) },
    ],
    'another group on the network': [ETCD, { 'vrrp-conflicts': () => ({ kind: 'stranger', line: 'invalid passwd!' }) }],
    'another version on the network': [
      ETCD,
      { 'vrrp-conflicts': () => ({ kind: 'stranger', line: '(etcd) wrong version 2' }) },
    ],
    'a journal that is for others': [ETCD, { 'vrrp-conflicts': () => ({ kind: 'unknown' }) }],
    'no ip_nonlocal_bind': [ETCD, { sysctls: () => '0' }],
    'ip_nonlocal_bind that is not known': [ETCD, { sysctls: () => undefined }],
    'no ip_nonlocal_bind after a reboot': [ETCD, { 'sysctls-at-boot': () => undefined }],
    'ip_nonlocal_bind that is set back': [
      ETCD,
      { 'sysctls-at-boot': () => ({ value: '0', file: '/etc/sysctl.d/99.conf' }) },
    ],
    'a balancer is silent': [ETCD, { 'haproxy-servers': () => undefined }],
    'a balancer finds all down': [
      ETCD,
      {
        'haproxy-servers': (host, key) =>
          (WELL['haproxy-servers']?.(host, key) as readonly { name: string }[]).map(({ name }) => ({
            name,
            status: 'DOWN',
            check: 'L4CON',
          })),
      },
    ],
    'no firewall': [
      ETCD,
      { 'firewall-tables': () => ({ hasNft: false, loaded: undefined, kept: undefined, isOnTrial: false }) },
    ],
    'a firewall that was flushed': [
      ETCD,
      { 'firewall-tables': () => ({ hasNft: true, loaded: undefined, kept: 'a\n', isOnTrial: false }) },
    ],
    'a firewall that was changed': [
      ETCD,
      { 'firewall-tables': () => ({ hasNft: true, loaded: 'a\nb\n', kept: 'a\n', isOnTrial: false }) },
    ],
    'a firewall on trial': [
      ETCD,
      { 'firewall-tables': () => ({ hasNft: true, loaded: 'a\n', kept: 'a\n', isOnTrial: true }) },
    ],
    ...Object.fromEntries(
      [
        'ended',
        'ends today',
        'ends soon',
        'names one more',
        'names one more, and not the virtual IP',
        'without openssl',
        'is not there',
      ].map((name) => [
        `a server certificate: ${name}`,
        [['etcd-2'], { 'certificate-files': certificate('pki/server.crt', made(name)) }] as const,
      ]),
    ),
    'no authority on hosts': [
      [...ETCD, ...PLANES],
      { 'certificate-files': certificate('ca.crt"]', made('is not there')) },
    ],
    'another authority on hosts': [ETCD, { 'certificate-files': certificate('ca.crt"]', made('ended')) }],
    'certificates of kubeadm have ended': [PLANES, { 'certificate-files': certificate('apiserver', made('ended')) }],
    'certificates of kubeadm end soon': [PLANES, { 'certificate-files': certificate('apiserver', made('ends soon')) }],
    'a certificate of kubeadm ends before the others': [
      PLANES,
      { 'certificate-files': certificate('apiserver-kubelet', made('ends in 30 days')) },
    ],
    'a certificate of kubeadm ends a second before that': [
      PLANES,
      { 'certificate-files': certificate('apiserver-kubelet', made('ends a second before that')) },
    ],
    'certificates of kubeadm are gone': [
      PLANES,
      { 'certificate-files': certificate('apiserver', made('is not there')) },
    ],
    'kubeconfigs have ended': [
      PLANES,
      { 'kubeconfig-certificates': (_, path) => [{ path: path.replace('*', 'me'), pem: LEAVES.get('ended')?.pem }] },
    ],
    'programs were started before their files were changed': [
      PLANES,
      { 'program-starts': () => [{ pid: 7, startedAt: 50 }] },
    ],
    'the certificate of the kubelet has ended': [
      [...PLANES, ...NODES],
      { 'certificate-files': certificate('kubelet-client-current', made('ended')) },
    ],
    'the keys of a stacked member are left': [PLANES, { paths: (_, path) => /\.key$|kubeadm$/.test(path) }],
    'no manifest': [PLANES, { 'file-contents': contents('kube-apiserver.yaml', undefined) }],
    'a manifest of no pod': [PLANES, { 'file-contents': contents('kube-apiserver.yaml', 'spec: {}') }],
    'a manifest without servers': [
      PLANES,
      { 'file-contents': contents('kube-apiserver.yaml', MANIFEST_TEXT.replace(/--etcd-servers=[^"]+/, '-v')) },
    ],
    'a manifest with all members': [PLANES, { 'file-contents': contents('kube-apiserver.yaml', manifest(DIRECT)) }],
    'a manifest with two members': [
      PLANES,
      { 'file-contents': contents('kube-apiserver.yaml', manifest(DIRECT.split(',').slice(1).join(','))) },
    ],
    'a manifest with one member': [
      PLANES,
      { 'file-contents': contents('kube-apiserver.yaml', manifest(DIRECT.split(',')[2] ?? '')) },
    ],
    'a copy beside the manifest': [
      PLANES,
      { 'static-pod-files': () => ['kube-apiserver.yaml', 'old.yaml'].map((name) => ({ name, text: MANIFEST_TEXT })) },
    ],
    'no API server runs': [PLANES, { 'apiserver-processes': () => [] }],
    'two API servers run': [
      PLANES,
      { 'apiserver-processes': (host, key) => [1, 2].flatMap(() => WELL['apiserver-processes']?.(host, key)) },
    ],
    'an API server without etcd': [
      PLANES,
      { 'apiserver-processes': () => [{ pid: 7, argv: ['kube-apiserver', `--etcd-servers=${VIP}`], connections: [] }] },
    ],
    'an API server of the members': [
      PLANES,
      {
        'apiserver-processes': () => [
          { pid: 7, argv: ['kube-apiserver', `--etcd-servers=${DIRECT}`], connections: [] },
        ],
      },
    ],
    'an API server that names none': [
      PLANES,
      { 'apiserver-processes': () => [{ pid: 7, argv: ['kube-apiserver'], connections: [] }] },
    ],
    'an API server that is not ready': [
      PLANES,
      { 'https-answers': https('127.0.0.1', { kind: 'answer', status: 500, body: '[+]ping ok\n[-]etcd failed' }) },
    ],
    'a kubelet of one API server': [
      [...PLANES, ...NODES],
      { 'file-contents': contents('kubelet.conf', kubeletConf('https://10.0.0.11:6443')) },
    ],
    'no kubelet': [
      [...PLANES, ...NODES],
      { 'file-contents': contents('kubelet.conf', undefined), 'file-states': () => ({ kind: 'absent' }) },
    ],
    'a kubeconfig of nobody': [[...PLANES, ...NODES], { 'file-contents': contents('kubelet.conf', 'clusters: []') }],
    'an own API server, and one that stays local': [
      PLANES,
      {
        'file-contents': (host, path) =>
          path.endsWith('kubelet.conf')
            ? kubeletConf(`https://${addressOf(host)}:6443`)
            : MANIFEST_TEXT.replace('v1.30.1', 'v1.33.0'),
      },
    ],
    ...Object.fromEntries(
      Object.entries({
        'names members': { kind: 'found', configuration: `etcd: { external: { endpoints: [${DIRECT}] } }` },
        'names a local etcd': { kind: 'found', configuration: 'etcd: { local: {} }' },
        'is absent': { kind: 'absent' },
        'is refused': { kind: 'refused', status: 403 },
        'is silent': { kind: 'silent', reason: 'no route' },
      }).map(([name, answer]) => [`kubeadm-config ${name}`, [PLANES, { 'kubeadm-config': () => answer }] as const]),
    ),
    'another kubeadm': [
      ['cp-1', ...NODES],
      { 'kubeadm-outline': () => ({ version: 'v1.29.0', sandboxImage: 'pause:3.9' }) },
    ],
    'no kubeadm': [['cp-1', ...NODES], { 'kubeadm-outline': () => undefined }],
    'the kubelet is not enabled': [['cp-1', ...NODES], { units: unit('kubelet', { enabled: false }) }],
    'the kubelet is stopped': [['cp-1', ...NODES], { units: unit('kubelet', { active: false }) }],
    'a stray node': [PLANES, { 'node-list': nodes(stray) }],
    'a node that an upgrade has cordoned': [PLANES, { 'node-list': nodes({ ...stray, isUpgrading: true }) }],
    'no list of nodes': [PLANES, { 'node-list': () => ({ kind: 'silent' }) }],
    'a restore of before': [PLANES, { restores: restored(NOW_S) }],
    'a restore of since': [PLANES, { restores: restored(10) }],
    'a restore of the same time': [PLANES, { restores: restored(NOW_S - 1000) }],
    'a restore that was noted': [PLANES, { restores: restored(10, { stages: new Map([['restarted', 'yes']]) }) }],
    'a clock that is late': [[...ETCD, ...PLANES], { clock: () => TODAY.getTime() - 60_000 }],
    'a clock that is early': [[...ETCD, ...PLANES], { clock: () => TODAY.getTime() + 2000 }],
  };

/** Hosts without certificates: to judge those takes most of the time, and most faults are none of theirs. */
const BARE: Readonly<Record<string, Answer>> = {
  ...WELL,
  'certificate-files': () => made('is not there')(),
  'kubeconfig-certificates': () => [],
};

/** Faults of what is only looked at where there are certificates. */
const OF_CERTIFICATES = /certificate|kubeconfig|authority|^the kubelet|node|^programs/;

/** Faults whose verdict depends on how many have them. */
const OF_MOST = /^etcd (?!is stopped|is not)|^nobody|^all have|kubeadm-config|^a restore|node|^a manifest with/;

test.each([
  ['all-but-the-first', /./, (hosts: readonly string[]) => (hosts.length === 1 ? hosts : hosts.slice(1))],
  ['the-second', OF_MOST, (hosts: readonly string[]) => [hosts[1] ?? hosts[0] ?? '']],
  ['all', OF_MOST, (hosts: readonly string[]) => hosts],
])('what is said instead where %s of the hosts that may have it has a fault', async (file, which, chosen) => {
  const [ofWell, ofBare] = [await saidOf(), await saidOf(BARE)];
  const lines: string[] = [];
  for (const [fault, [hosts, answers]] of Object.entries(FAULTS)) {
    if (!which.test(fault)) continue;
    const [base, before] = OF_CERTIFICATES.test(fault) ? [WELL, ofWell] : [BARE, ofBare];
    const wrong = chosen(hosts);
    const changed = Object.entries(answers).map(([fact, answer]): [string, Answer] => [
      fact,
      (host, key) => (wrong.includes(host) ? answer(host, key) : base[fact]?.(host, key)),
    ]);
    const after = await saidOf({ ...base, ...Object.fromEntries(changed) });
    lines.push(fault, ...apart(before, after).map((line) => `  ${line}`));
  }
  expectGolden(`fixtures/checks/${file}.txt`, `${lines.join('\n')}\n`);
});

const external = (changes: Parameters<typeof withExternal>[0]): Partial<Cluster> => {
  const { services, external: made_ } = withExternal(changes);
  return { services, external: made_ };
};
const planes = (change: (plane: ControlPlane, index: number) => ControlPlane): Partial<Cluster> => ({
  controlPlanes: CLUSTER.controlPlanes.map(change),
});

/** Clusters of other kinds, on hosts that answer the same. */
const CLUSTERS: readonly (readonly [string, Partial<Cluster>])[] = [
  ['adopted', { isManaged: false }],
  ['behind-others-balancer', external({})],
  ['behind-others-balancer-by-address', external({ name: undefined })],
  ['behind-others-balancer-by-name', external({ ip: undefined })],
  ['behind-others-balancer-without-control-planes', { ...external({}), controlPlanes: [] }],
  ['without-services', { services: [] }],
  ['moved-on-demand', planes((plane) => ({ ...plane, repoint: 'on-demand' }))],
  [
    'two-of-which-move-on-demand',
    planes((plane, index) => ({ ...plane, repoint: index === 0 ? 'with-the-rest' : 'on-demand' })),
  ],
  [
    'with-former-hosts',
    {
      members: CLUSTER.members.slice(0, 2),
      formerMembers: [{ ...sampleMember(3), manifest: '/etc/kubernetes/manifests/etcd.yaml' }],
      services: [
        {
          ...SAMPLE_SERVICE,
          balancers: SAMPLE_SERVICE.balancers.slice(0, 2),
          formerBalancers: SAMPLE_SERVICE.balancers.slice(2),
        },
      ],
    },
  ],
  [
    'of-one-member',
    { members: CLUSTER.members.slice(0, 1), controlPlanes: CLUSTER.controlPlanes.slice(0, 1), firewall: undefined },
  ],
];

/** An authority that is exchanged. */
const exchanged = (): Partial<CheckContext> => ({
  certificates: {
    authority: {
      certificate: () => pem,
      trustBundle: () => pem,
      rotation: () => ({ old: pem, new: leaf, others: [], signing: 'old', trusted: 'both' }),
    },
    now: TODAY,
    renewBeforeDays: 30,
  },
});

test('what is said where the first control plane says less than the others, or some have moved and some not', async () => {
  const ofFirst =
    (fact: string, first: unknown): Answer =>
    (host, key) =>
      host === 'cp-1' ? first : WELL[fact]?.(host, key);
  const onDemand = { cluster: { ...CLUSTER, ...planes((plane) => ({ ...plane, repoint: 'on-demand' })) } };
  const two =
    (servers: readonly string[]): Answer =>
    (host, path) =>
      path.endsWith('kube-apiserver.yaml')
        ? manifest(servers[PLANES.indexOf(host)] ?? VIP)
        : WELL['file-contents']?.(host, path);
  const [one = '', other = '', third = ''] = DIRECT.split(',');
  const kubeadm =
    (url: string): Answer =>
    () => ({ kind: 'found', configuration: `etcd: { external: { endpoints: ['${url}'] } }` });
  const cases: readonly (readonly [string, Readonly<Record<string, Answer>>, Partial<CheckContext>])[] = [
    [
      'it may not read kubeadm-config',
      { 'kubeadm-config': ofFirst('kubeadm-config', { kind: 'refused', status: 403 }) },
      {},
    ],
    ['it does not answer', { 'kubeadm-config': ofFirst('kubeadm-config', { kind: 'silent', reason: 'x' }) }, {}],
    [
      'it does not answer, and others may not read it',
      {
        'kubeadm-config': (host) =>
          host === 'cp-1' ? { kind: 'silent', reason: 'x' } : { kind: 'refused', status: 403 },
      },
      {},
    ],
    [
      'it has moved on demand, and others have not',
      { 'file-contents': two([VIP, one, other]), 'kubeadm-config': kubeadm(one) },
      onDemand,
    ],
    [
      'none has moved on demand, and kubeadm names what one uses',
      { 'file-contents': two([one, other, third]), 'kubeadm-config': kubeadm(third) },
      onDemand,
    ],
    [
      'an authority is exchanged, and it has no manifest',
      { 'file-contents': (host, path) => (host === 'cp-1' ? undefined : WELL['file-contents']?.(host, path)) },
      exchanged(),
    ],
  ];
  const well = await saidOf();
  const lines: string[] = [];
  for (const [name, changes, more] of cases)
    lines.push(name, ...apart(well, await saidOf(changes, more)).map((line) => `  ${line}`));
  expectGolden('fixtures/checks/control-planes.txt', `${lines.join('\n')}\n`);
});

test('a certificate that names the load balancer of others is called so', async () => {
  const cluster = { ...CLUSTER, ...external({}) };
  const [wanted] = certificateParts(cluster).find(({ host }) => host === 'etcd-2')?.certificates ?? [];
  if (wanted === undefined) throw new Error('etcd-2 has a server certificate');
  const found = await issuedFor(wanted.profile);
  const lines = await saidOf({ 'certificate-files': certificate('pki/server.crt', () => found) }, { cluster });
  expect(lines.filter((line) => line.startsWith('ok certificate etcd-2 /etc/etcd/pki/server.crt'))).toEqual([
    expect.stringContaining("signed by this cluster's authority, names the load balancer that others run, valid until"),
  ]);
});

test('what is said instead of a cluster of another kind', async () => {
  const well = await saidOf();
  const lines: string[] = [];
  for (const [name, changes] of CLUSTERS) {
    const after = await saidOf({}, { cluster: { ...CLUSTER, ...changes } });
    lines.push(name, ...apart(well, after).map((line) => `  ${line}`));
  }
  expectGolden('fixtures/checks/clusters.txt', `${lines.join('\n')}\n`);
});

test('what is said of an authority that is missing, has ended or ends, of one that is exchanged, and of hosts that drift', async () => {
  const certificates = (
    now: Date,
    view: Partial<CheckContext['certificates']['authority']> = {},
  ): Partial<CheckContext> => ({
    certificates: {
      authority: { certificate: () => pem, trustBundle: () => pem, ...view },
      now,
      renewBeforeDays: 30,
    },
  });
  const rotation = { old: pem, new: leaf, others: [], signing: 'old', trusted: 'both' } as const;
  const change = (summary: string): Outcome => ({
    kind: 'change',
    change: { summary, effect: 'change', diff: [], actions: [], disruptive: false },
  });
  const drifts = (...outcomes: readonly Outcome[]): Partial<CheckContext> => ({
    resources: new Map([['etcd-2', outcomes.map((outcome, index) => resourceNamed(`file:/${index}`, outcome))]]),
  });
  const cases: Readonly<Record<string, Partial<CheckContext>>> = {
    'no authority': certificates(TODAY, { certificate: () => undefined, trustBundle: () => undefined }),
    'its last day but one with all of a leaf before it': certificates(daysFromToday(3250 - 395)),
    'less than that': certificates(daysFromToday(3250 - 394)),
    'the day before its end': certificates(daysFromToday(3249)),
    'its end': certificates(daysFromToday(3250)),
    'it is exchanged': certificates(TODAY, { rotation: () => rotation }),
    'half a day later': certificates(new Date(TODAY.getTime() + 43_200_000)),
    'one change': drifts({ kind: 'unchanged' }, change('install a')),
    'four changes, and one that is not known': drifts(
      ...['install a', 'install b', 'install c', 'install d'].map(change),
      { kind: 'unknown', because: 'nobody knows' },
    ),
    'not known': drifts({ kind: 'unknown', because: 'nobody knows' }),
  };
  const well = await saidOf();
  const lines: string[] = [];
  const isOfThem = (line: string): boolean => /^[-+] \w+ (?:authority|trust|rotation|drift|node|host) /.test(line);
  for (const [name, more] of Object.entries(cases))
    lines.push(
      name,
      ...apart(well, await saidOf({}, more))
        .filter(isOfThem)
        .map((line) => `  ${line}`),
    );
  expectGolden('fixtures/checks/authority-and-drift.txt', `${lines.join('\n')}\n`);
});
