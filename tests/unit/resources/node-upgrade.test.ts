import { beforeAll, describe, expect, test } from '@jest/globals';
import { certificateFilesKey } from '../../../src/facts/certificate-files.js';
import type { AptUpgrade } from '../../../src/facts/apt-upgrade.js';
import { clusterNodes, type ClusterNode } from '../../../src/facts/cluster-nodes.js';
import { pendingReboot, REBOOT } from '../../../src/facts/pending-reboot.js';
import type { Outcome, Resource } from '../../../src/model/change.js';
import { ProvisionError } from '../../../src/model/errors.js';
import { KUBELET_CERTIFICATE } from '../../../src/model/kubeadm-certificate.js';
import { decideNodeUpgrade, type NodeUpgradeLook } from '../../../src/resources/decide-node-upgrade.js';
import { nodeUpgradeSteps, type NodeUpgradeSite } from '../../../src/resources/node-upgrade.js';
import { judgeListsOnce, packageLists } from '../../../src/resources/package-lists.js';
import { nodeUpgradeRole } from '../../../src/roles/node-upgrade/role.js';
import { fakeProbe, type FakeAnswers } from '../../support/fake-probe.js';
import { kubeletConf } from '../../support/kubeconfigs.js';
import { certifiedKubelet } from '../../support/kubelet-certificate.js';
import { SAMPLE_CLUSTER, sampleMember, sampleNode } from '../../support/sample-cluster.js';
import { namedHost, templateInventory } from '../../support/template-inventory.js';
import { expectRefused } from '../../support/refusals.js';

const LISTED: ClusterNode = {
  ...{ name: 'worker-1', machine: 'm1', takesPods: true, isMarked: false, ready: 'true' },
  ...{ evicted: ['default/web-1'], unowned: [], budgets: [] },
};
const NEWER = { name: 'openssl', from: '3.0.1', to: '3.0.2' };
const APT: AptUpgrade = {
  ...{ listsAgeS: 3600, upgrades: [], keptBack: [], isCutOff: false },
  ...{ halfInstalled: [], problem: undefined },
};

function look(
  apt: Partial<AptUpgrade> = {},
  node: Partial<ClusterNode> = {},
  more: Partial<NodeUpgradeLook> = {},
): NodeUpgradeLook {
  const seen = { ...APT, ...apt };
  return {
    ...{ state: 'joined', apt: seen, reboot: undefined, etcd: 'known', ownName: 'worker-1' },
    lists: judgeListsOnce().areFresh('worker-1', seen) ? 'fresh' : 'old',
    cluster: { through: 'cp-1', authority: '', nodes: [{ ...LISTED, ...node }] },
    ...more,
  };
}

function words(seen: NodeUpgradeLook): string {
  const found = decideNodeUpgrade('worker-1', seen);
  if (typeof found === 'string') return `unknown: ${found}`;
  const { drained, finished, packages, reboot, uncordoned } = found;
  return [
    drained === undefined ? [] : 'drain',
    finished ? 'finish' : [],
    packages === false ? [] : packages === true ? 'packages' : 'packages?',
    reboot === undefined ? [] : reboot === 'unclear' ? 'reboot?' : 'reboot',
    uncordoned === undefined ? [] : 'uncordon',
  ]
    .flat()
    .join(' ');
}

const UPGRADES = { upgrades: [NEWER] };
const GONE = { takesPods: false, evicted: [] };

describe('what is left to do on a node', () => {
  test.each<readonly [string, NodeUpgradeLook, string]>([
    ['nothing', look(), ''],
    ['packages', look(UPGRADES), 'drain packages reboot? uncordon'],
    ['a reboot alone', look({}, {}, { reboot: 'x' }), 'drain reboot uncordon'],
    ['both', look(UPGRADES, {}, { reboot: 'x' }), 'drain packages reboot uncordon'],
    ['an installation was cut off', look({ isCutOff: true }), 'drain finish packages? reboot? uncordon'],
    ['killed after the drain', look(UPGRADES, { ...GONE, isMarked: true }), 'packages reboot? uncordon'],
    ['killed in the drain', look(UPGRADES, { takesPods: false, isMarked: true }), 'drain packages reboot? uncordon'],
    ['killed in the reboot', look({}, { ...GONE, isMarked: true }), 'uncordon'],
    ['uncordoned by hand meanwhile: its mark goes', look({}, { isMarked: true }), 'uncordon'],
    ['others have cordoned it', look(UPGRADES, GONE), 'packages reboot?'],
    ['others have cordoned it, and pods are there', look(UPGRADES, { takesPods: false }), 'drain packages reboot?'],
    ['others have cordoned it, and nothing is to do', look({}, GONE), ''],
    ...(['bare', 'begun', 'serving', 'joining', 'leaving'] as const).map(
      (state) =>
        [
          `a host that is no node yet: ${state}`,
          look(UPGRADES, {}, { state }),
          'unknown: what is upgraded is known once it has joined the cluster (playbook kubernetes)',
        ] as const,
    ),
    ['its lists are a day old', look({ ...UPGRADES, listsAgeS: 86_400 }), 'drain packages reboot? uncordon'],
    [
      'its lists are older',
      look({ listsAgeS: 86_401 }),
      'unknown: which packages are upgraded is known once apt has read its lists again (they are 24 h old)',
    ],
    [
      'its lists are much older',
      look({ listsAgeS: 12 * 86_400 }),
      'unknown: which packages are upgraded is known once apt has read its lists again (they are 12 days old)',
    ],
    [
      'nobody knows how old its lists are',
      look({ listsAgeS: undefined }),
      'unknown: which packages are upgraded is known once apt has read its lists again (nothing says when it has last done so)',
    ],
    [
      'nobody serves',
      look(UPGRADES, {}, { cluster: { silent: 'cp-1: refused' } }),
      'unknown: no control plane says whether it takes pods (cp-1: refused)',
    ],
    [
      'the cluster does not have it',
      look({}, {}, { cluster: { through: 'cp-1', authority: '', nodes: [] } }),
      'unknown: cp-1 lists no node at its address',
    ],
    [
      'nothing says which node it is',
      look(UPGRADES, {}, { ownName: undefined }),
      'unknown: its kubelet has no client certificate, signed by the cluster, that says which node it is',
    ],
    [
      'another kubelet claims its address',
      look(
        UPGRADES,
        {},
        { cluster: { through: 'cp-1', authority: '', nodes: [{ ...LISTED, name: 'worker-9' }, LISTED] } },
      ),
      'drain packages reboot? uncordon',
    ],
  ])('%s', (_, seen, expected) => {
    expect(words(seen)).toBe(expected);
  });

  test.each<readonly [string, NodeUpgradeLook]>([
    ['apt-broken', look({ problem: 'E: unmet' })],
    ['apt-broken', look({ isCutOff: true, halfInstalled: ['openssl'] })],
    ['upgrade-of-others', look({ upgrades: [NEWER, { name: 'kubelet', from: '1.30.2-1.1', to: '1.30.3-1.1' }] })],
    ['upgrade-of-others', look({ upgrades: [{ name: 'kubectl', from: undefined, to: '1.30.3-1.1' }] })],
    ['upgrade-of-others', look({ upgrades: [{ name: 'etcd-server', from: '3.4.23+dfsg-4', to: '3.5.16-4' }] })],
    ['etcd-of-others', look({}, {}, { etcd: 'unknown' })],
    ['node-name-differs', look({}, { name: 'worker-2' })],
    ['node-name-differs', look({}, {}, { ownName: 'worker-10' })],
  ])('is refused: %s (%#)', async (code, seen) => {
    await expectRefused(() => decideNodeUpgrade('worker-1', seen), code);
  });

  test.each([
    ['a killed run has cordoned the node', { isMarked: true, takesPods: false }, true],
    ['it takes pods again', { isMarked: true, takesPods: true }, false],
    ['others have cordoned it', { isMarked: false, takesPods: false }, false],
    ['it is another node that is cordoned', { isMarked: true, takesPods: false, name: 'worker-2' }, false],
  ])('a refusal names how the node takes pods again, where %s', (_, node, isNamed) => {
    const way = 'ssh cp-1 sudo kubectl --kubeconfig /etc/kubernetes/admin.conf uncordon worker-1';
    const hint = isNamed ? expect.stringContaining(way) : expect.not.stringContaining(way);
    expect(() => decideNodeUpgrade('worker-1', look({ problem: 'E: unmet' }, node))).toThrow(
      expect.objectContaining({ code: 'apt-broken', hint: hint as unknown }),
    );
  });

  test.each([
    [['openssl'], 'worker-1: openssl is half-installed: dpkg was cut off while it unpacked it', 'openssl'],
    [['libc6:amd64', 'zlib'], 'worker-1: libc6:amd64, zlib are half-installed', 'libc6:amd64 zlib'],
  ])('what is half-installed is refused before the drain: %j', (halfInstalled, message, names) => {
    expect(() => decideNodeUpgrade('worker-1', look({ isCutOff: true, halfInstalled }))).toThrow(
      expect.objectContaining({
        message: expect.stringContaining(message) as unknown,
        hint: `ssh worker-1 sudo apt-get install --reinstall ${names}`,
      }),
    );
  });

  test('what goes with other nodes is named, with how apt is told to leave it; a newer etcd of the same minor is none of it', () => {
    const upgrades = [
      { name: 'kubelet', from: '1.30.2-1.1', to: '1.31.0-1.1' },
      { name: 'etcd-server', from: '3.5.16-4', to: '3.6.1-1' },
    ];
    expect(() => decideNodeUpgrade('worker-1', look({ upgrades }))).toThrow(
      expect.objectContaining({
        message: expect.stringContaining('kubelet 1.30.2-1.1 → 1.31.0-1.1, etcd-server 3.5.16-4 → 3.6.1-1') as unknown,
        hint: 'have apt leave them: ssh worker-1 sudo apt-mark hold kubelet etcd-server',
      }),
    );
    const patch = [{ name: 'etcd-server', from: '3.5.16-4', to: '3.5.30-1' }];
    expect(words(look({ upgrades: patch }))).toBe('drain packages reboot? uncordon');
  });
});

let kubelet = { certificate: '', authority: '' };
beforeAll(async () => {
  kubelet = await certifiedKubelet('worker-1');
});

/** The host itself, with what it answers beside the cluster. */
function host(apt: AptUpgrade, { reboot = undefined as string | undefined, etcd = false } = {}): FakeAnswers {
  return {
    'apt-upgrade': { upgrade: apt },
    'pending-reboot': { reboot },
    'file-contents': {
      '/var/lib/provision/kubernetes': undefined,
      '/etc/kubernetes/kubelet.conf': kubeletConf('https://10.0.0.11:6443'),
    },
    'certificate-files': {
      [certificateFilesKey(KUBELET_CERTIFICATE)]: { pem: kubelet.certificate },
      [certificateFilesKey('/etc/kubernetes/pki/ca.crt')]: { pem: kubelet.authority },
    },
    paths: {
      '/etc/kubernetes/kubelet.conf': true,
      '/etc/kubernetes/bootstrap-kubelet.conf': false,
      '/etc/kubernetes/admin.conf': true,
      '/etc/kubernetes/manifests/kube-apiserver.yaml': true,
      '/etc/kubernetes/manifests/etcd.yaml': etcd,
    },
  };
}

const CONTROL_PLANES = ['cp-1', 'cp-2'].map((name) => ({
  ...sampleNode('cp-1', 'control-plane'),
  ...{ host: name, address: `10.0.0.${name === 'cp-1' ? 11 : 12}` },
}));

function steps(name = 'worker-1', parts: Partial<NodeUpgradeSite> = {}): readonly Resource[] {
  const node = CONTROL_PLANES.find((each) => each.host === name) ?? {
    ...sampleNode('worker-1', 'worker'),
    address: '10.0.0.11',
  };
  const site = {
    node,
    controlPlanes: CONTROL_PLANES,
    isMember: false,
    balancerOf: [],
    settings: { drainTimeoutS: 60 },
    lists: judgeListsOnce(),
  };
  return nodeUpgradeSteps({ ...site, ...parts });
}

async function outcomes(own: FakeAnswers, seen: readonly Partial<ClusterNode>[], name = 'worker-1') {
  const nodes = { 'cluster-nodes': { '10.0.0.11': { nodes: seen.map((each) => ({ ...LISTED, ...each })) } } };
  const serving = { ...host(APT), ...nodes };
  const hosts = { 'cp-1': serving, 'cp-2': serving, [name]: { ...own, ...nodes } };
  const probe = fakeProbe(hosts[name] ?? {}, hosts, name);
  const resources = steps(name);
  return {
    probe,
    resources,
    planned: await Promise.all(resources.map(async (resource) => resource.plan(probe))),
  };
}

const said = (outcome: Outcome | undefined): string =>
  outcome?.kind === 'change'
    ? outcome.change.summary
    : outcome?.kind === 'unknown'
      ? `unknown: ${outcome.because}`
      : '';

test('the steps of a node, as they are shown; another control plane is asked than the one that reboots', async () => {
  const apt = {
    ...APT,
    upgrades: [NEWER, { name: 'linux-image-6.1.0-26', from: undefined, to: '6.1.112-1' }],
    keptBack: ['kubelet'],
  };
  const { planned, resources, probe } = await outcomes(host(apt), [{ budgets: ['default/web'] }], 'cp-1');
  expect(planned.map(said)).toEqual([
    'drain node worker-1: its pods go elsewhere, as their disruption budgets let them',
    '',
    'upgrade 2 packages: openssl, linux-image-6.1.0-26 (apt-get upgrade)',
    'unknown: whether the host must be rebooted is known once its packages are upgraded',
    'have node worker-1 take pods again, once it is Ready (kubectl uncordon)',
  ]);
  expect(planned[0]).toMatchObject({
    change: {
      diff: [
        'through cp-2, within 60 s; no new pods come',
        '- default/web-1',
        '! what they keep in emptyDir volumes is gone with them',
      ],
      ...{ disruptive: true, actions: [{ kind: 'run-on', on: 'cp-2' }] },
    },
  });
  expect(planned[2]).toMatchObject({
    change: {
      diff: ['~ openssl 3.0.1 → 3.0.2', '+ linux-image-6.1.0-26 6.1.112-1'],
      actions: [
        { gate: 'apt-unlocked' },
        { gate: 'apiserver-can-spare-batch' },
        { command: { summary: 'apt-get upgrade' } },
      ],
    },
  });
  expect(planned[4]).toMatchObject({
    change: {
      actions: [
        { kind: 'await', gate: 'kubelet-ready' },
        { kind: 'run-on', on: 'cp-2' },
      ],
    },
  });
  const doubts = await Promise.all(resources.map(async (resource) => resource.doubt?.(probe)));
  expect(doubts).toEqual([
    '1 disruption budget allows nothing now, and holds the drain up where pods of the node are meant: default/web',
    undefined,
    "what is upgraded is decided by apt's lists, and they are 1 h old; held or kept back, they stay: kubelet",
    undefined,
    undefined,
  ]);
});

test('what a killed run has left, and a reboot', async () => {
  const { planned } = await outcomes(host(APT, { reboot: '/run/reboot-required is there' }), [
    { ...GONE, isMarked: true },
  ]);
  expect(planned.map(said)).toEqual([
    '',
    '',
    '',
    'reboot: /run/reboot-required is there',
    'have node worker-1 take pods again, once it is Ready (kubectl uncordon)',
  ]);
  expect(planned[3]).toMatchObject({
    change: { actions: [{ kind: 'await', gate: 'apt-unlocked' }, { kind: 'reboot-host' }] },
  });
  expect(planned[4]).toMatchObject({
    change: { diff: ['an earlier run has cordoned it, and did not come to its end'] },
  });
  const cutOff = await outcomes(host({ ...APT, isCutOff: true }), [{}]);
  expect(cutOff.planned.map(said).slice(1, 3)).toEqual([
    'finish an installation that was cut off (dpkg --configure -a)',
    'unknown: which packages are upgraded is known once the installation is finished',
  ]);
  const { planned: none, resources, probe } = await outcomes(host(APT), [{ budgets: ['default/web'] }]);
  expect(none.map(said)).toEqual(['', '', '', '', '']);
  expect(await resources[0]?.doubt?.(probe)).toBeUndefined();
});

describe('what is asked right before services of the host may be away', () => {
  const MEMBER = { isMember: true };
  const [API, ETCD] = ['apiserver-can-spare-batch', 'etcd-keeps-quorum-without-batch'];
  const [VIP, API_VIP] = ['vip-can-spare-batch: etcd', 'vip-can-spare-batch: kube-apiserver'];
  const BALANCER = { balancerOf: ['etcd', 'kube-apiserver'] } as const;

  test.each<readonly [string, string, Partial<NodeUpgradeSite>, readonly string[]]>([
    ['a worker', 'worker-1', {}, []],
    ['a control plane', 'cp-1', {}, [API]],
    ['a member on a worker', 'worker-1', MEMBER, [ETCD]],
    ['a load balancer on a worker', 'worker-1', { balancerOf: ['kube-apiserver'] }, [API_VIP]],
    ['all on one host', 'cp-1', { ...MEMBER, ...BALANCER }, [API, ETCD, VIP, API_VIP]],
  ])('%s', async (_, name, parts, gates) => {
    const probeOf = (own: FakeAnswers) => {
      const all = { ...own, 'cluster-nodes': { '10.0.0.11': { nodes: [LISTED] } } };
      return fakeProbe(all, { 'cp-1': all, 'cp-2': all, [name]: all }, name);
    };
    const [, finished, packages, reboot] = steps(name, parts);
    const cases = [
      [finished, host({ ...APT, isCutOff: true }), { kind: 'run', command: { summary: 'dpkg --configure -a' } }],
      [packages, host({ ...APT, upgrades: [NEWER] }), { kind: 'run', command: { summary: 'apt-get upgrade' } }],
      [reboot, host(APT, { reboot: 'x' }), { kind: 'reboot-host' }],
    ] as const;
    const asked = ['apt-unlocked', ...gates].map((gate) => ({ kind: 'await', gate, parameters: {} }));
    for (const [step, own, work] of cases)
      expect(await step?.plan(probeOf(own))).toMatchObject({ change: { actions: [...asked, work] } });
  });
});

test.each([
  ['a member', 'worker-1', [], [['etcd-keeps-quorum-without-batch']]],
  ['one that is to leave', 'etcd-1', ['worker-1'], [['etcd-keeps-quorum-without-batch']]],
  ['none', 'etcd-1', [], [[]]],
] as const)('the role knows that a host is %s of etcd', async (_, of, leaving, [gates]) => {
  const member = (name: string) => ({ ...sampleMember(1), host: name });
  const nodes = [...CONTROL_PLANES, { ...sampleNode('worker-1', 'worker'), address: '10.0.0.11' }];
  const cluster = {
    ...SAMPLE_CLUSTER,
    ...{ members: [member(of)], formerMembers: leaving.map(member), services: [] },
    kubernetes: { ...SAMPLE_CLUSTER.kubernetes, nodes },
  };
  const [, , packages] = nodeUpgradeRole(judgeListsOnce()).resources(
    namedHost('worker-1'),
    templateInventory(['worker-1']),
    cluster,
  );
  const own = { ...host({ ...APT, upgrades: [NEWER] }), 'cluster-nodes': { '10.0.0.11': { nodes: [LISTED] } } };
  const outcome = await packages?.plan(fakeProbe(own, { 'cp-1': own, 'cp-2': own, 'worker-1': own }, 'worker-1'));
  const actions = outcome?.kind === 'change' ? outcome.change.actions : [];
  expect(actions.flatMap((action) => (action.kind === 'await' ? [action.gate] : []))).toEqual([
    'apt-unlocked',
    ...gates,
  ]);
});

test('pods that nobody would make again, and a member of etcd that the inventory does not have, are refused', async () => {
  const codeOf = async (work: Promise<unknown>): Promise<string | undefined> =>
    work.then(
      () => undefined,
      (error: unknown) => (error instanceof ProvisionError ? error.code : String(error)),
    );
  const due = { ...APT, upgrades: [NEWER] };
  expect(await codeOf(outcomes(host(due), [{ unowned: ['default/alone'] }]))).toBe('node-not-drainable');
  expect(await codeOf(outcomes(host(due, { etcd: true }), [{}]))).toBe('etcd-of-others');
  const own = { ...host(due, { etcd: true }), 'cluster-nodes': { '10.0.0.11': { nodes: [LISTED] } } };
  const known = steps('cp-1', { isMember: true })[0]?.plan(fakeProbe(own, { 'cp-1': own, 'cp-2': own }, 'cp-1'));
  expect(await known).toMatchObject({ kind: 'change' });
});

const READ_LISTS = 'read the lists of packages again (apt-get update)';

test.each([
  [3600, ''],
  [86_400, ''],
  [undefined, READ_LISTS],
  [86_401, READ_LISTS],
])('lists of %j s', async (listsAgeS, expected) => {
  const probe = fakeProbe({ 'apt-upgrade': { upgrade: { ...APT, listsAgeS } } });
  expect(said(await packageLists(judgeListsOnce()).plan(probe))).toBe(expected);
});

test('lists that were fresh stay so for the run, those of another host and of another run do not', async () => {
  const judge = judgeListsOnce();
  const of = async (listsAgeS: number, host = 'a', by = judge): Promise<string> =>
    said(await packageLists(by).plan(fakeProbe({ 'apt-upgrade': { upgrade: { ...APT, listsAgeS } } }, {}, host)));
  expect([await of(86_401), await of(86_399), await of(90_000)]).toEqual([READ_LISTS, '', '']);
  expect([await of(90_000, 'b'), await of(90_000, 'a', judgeListsOnce())]).toEqual([READ_LISTS, READ_LISTS]);
});

describe('why a host needs a reboot', () => {
  const RUNS = 'U 6.1.0-25-amd64\n';
  test.each([
    ['', undefined],
    ['R linux-image-6.1.0-26-amd64 libc6 \n', '/run/reboot-required is there, for linux-image-6.1.0-26-amd64 libc6'],
    ['R \n', '/run/reboot-required is there'],
    [`${RUNS}K 6.1.0-9-amd64 before\nK 6.1.0-25-amd64 before\n`, undefined],
    [
      `${RUNS}K 6.1.0-25-amd64 before\nK 6.1.0-26-amd64 since\n`,
      'kernel 6.1.0-25-amd64 runs, and 6.1.0-26-amd64 was installed since',
    ],
    // The boot loader starts an older one: it has had its chance.
    [`${RUNS}K 6.1.0-25-amd64 before\nK 6.1.0-26-amd64 before\n`, undefined],
    [`${RUNS}K 6.1.0-24-amd64 since\nK 6.1.0-25-amd64 before\n`, undefined],
    [
      `${RUNS}K 6.1.0-25-amd64 since\nK 6.1.0-26-amd64 before\n`,
      'kernel 6.1.0-25-amd64 runs, and was installed again since',
    ],
    [RUNS, undefined],
  ])('%j', (stdout, expected) => {
    expect(pendingReboot.parse(stdout, [REBOOT]).get(REBOOT)).toBe(expected);
  });
});

test('a node that this program has cordoned is told from one that others have', () => {
  const line = (mark: string): string => `A\nN\tw-1\ttrue\tTrue\t${mark}\t"4f"\n`;
  for (const mark of ['-', 'marked'])
    expect(clusterNodes.parse(line(mark), ['10.0.0.2']).get('10.0.0.2')).toMatchObject({
      nodes: [{ takesPods: false, isMarked: mark === 'marked' }],
    });
});
