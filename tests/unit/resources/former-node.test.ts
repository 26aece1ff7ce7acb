import { beforeAll, describe, expect, test } from '@jest/globals';
import { certificateFilesKey } from '../../../src/facts/certificate-files.js';
import { clusterNodes, type ClusterNode } from '../../../src/facts/cluster-nodes.js';
import type { Outcome } from '../../../src/model/change.js';
import { ProvisionError } from '../../../src/model/errors.js';
import { KUBELET_CERTIFICATE } from '../../../src/model/kubeadm-certificate.js';
import type { KubernetesNode } from '../../../src/model/kubernetes.js';
import { decideFormerNode, decideLostNode } from '../../../src/resources/decide-former-node.js';
import { formerNodeSteps, lostNodeDeleted } from '../../../src/resources/kubernetes-former.js';
import type { FormerNodeHost, FormerNodeLook } from '../../../src/resources/look-at-former-node.js';
import { drainNode } from '../../../src/shell/drain-node.js';
import { resetFormerNode } from '../../../src/shell/former-node.js';
import { fakeProbes, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { certifiedKubelet } from '../../support/kubelet-certificate.js';
import { STOPPED } from '../../support/etcd-answers.js';
import { sampleNode } from '../../support/sample-cluster.js';
import { shownChange } from '../../support/shown-change.js';
import { expectRefused } from '../../support/refusals.js';

const NODE = { host: 'worker-2', address: '10.0.0.22' };
const LISTED: ClusterNode = {
  ...{
    name: 'worker-2',
    machine: 'm2',
    takesPods: true,
    isMarked: false,
    ready: 'true',
    evicted: ['default/web-1'],
    unowned: [],
    budgets: [],
  },
};
const HERE: FormerNodeHost = {
  ...{
    state: 'joined',
    belonging: 'ours',
    ownName: 'worker-2',
    machine: 'm2',
    kubeletRuns: true,
    hasStackedEtcd: false,
    hasEtcdClient: false,
  },
};

const BARE = { state: 'bare', belonging: 'nobodys', ownName: undefined, kubeletRuns: false } as const;

function look(here: Partial<FormerNodeHost> | 'lost' = {}, ...nodes: readonly Partial<ClusterNode>[]): FormerNodeLook {
  return {
    cluster: { through: 'cp-1', authority: '', nodes: nodes.map((each) => ({ ...LISTED, ...each })) },
    here: here === 'lost' ? undefined : { ...HERE, ...here },
  };
}

function words(found: ReturnType<typeof decideFormerNode>): string {
  if (typeof found === 'string') return `unknown: ${found}`;
  const { drained, reset, etcdClient, deleted } = found;
  const parts = { drain: drained.length > 0, reset, client: etcdClient, delete: deleted.length > 0 };
  return Object.entries(parts)
    .flatMap(([word, isLeft]) => (isLeft ? word : []))
    .join(' ');
}

/** Of the error that it ends with. */
function codeOf(decide: () => unknown): string | undefined {
  try {
    decide();
  } catch (error) {
    return error instanceof ProvisionError ? error.code : String(error);
  }
  return undefined;
}

describe('what is left to do of a node that leaves', () => {
  test.each<readonly [string, FormerNodeLook, string]>([
    ['all of it', look({}, {}), 'drain reset delete'],
    ['pods are gone, and none come', look({}, { takesPods: false, evicted: [] }), 'reset delete'],
    ['none come, and some are there yet', look({}, { takesPods: false }), 'drain reset delete'],
    ['not Ready for a moment, and its kubelet runs', look({}, { ready: 'unknown' }), 'drain reset delete'],
    ['its kubelet does not run: pods would never be seen to end', look({ kubeletRuns: false }, {}), 'reset delete'],
    [
      'killed in the reset',
      look({ state: 'leaving', belonging: 'nobodys', kubeletRuns: false }, { ready: 'unknown' }),
      'reset delete',
    ],
    ['killed in a join before', look({ state: 'joining', belonging: 'nobodys', kubeletRuns: false }), 'reset'],
    [
      'its kubelet has no certificate any more: the machine decides',
      look({ ownName: undefined }, { name: 'worker-3' }, { name: 'worker-9', machine: 'm9' }),
      'drain reset delete',
    ],
    ['killed after the reset', look(BARE, { ready: 'false' }), 'delete'],
    ['it has left', look(BARE), ''],
    ['deleted by hand', look({}), 'reset'],
    [
      'another kubelet claims its address, and is not deleted',
      look({}, { name: 'worker-9' }, {}),
      'drain reset delete',
    ],
    ['it was a control plane', look({ hasEtcdClient: true }, {}), 'drain reset client delete'],
    ['it left as a control plane with what lets it use etcd', look({ ...BARE, hasEtcdClient: true }), 'client'],
    [
      'nobody serves, and it left with what lets it use etcd',
      { cluster: { silent: 'x' }, here: { ...HERE, ...BARE, hasEtcdClient: true } },
      'client',
    ],
    ['its host is lost: another play', look('lost', {}), ''],
    ['nobody serves, and nothing is there', { cluster: { silent: 'x' }, here: { ...HERE, state: 'bare' } }, ''],
    [
      'nobody serves',
      { cluster: { silent: 'cp-1: refused' }, here: HERE },
      'unknown: no control plane says which nodes there are (cp-1: refused)',
    ],
  ])('%s', (_, seen, expected) => {
    expect(words(decideFormerNode(NODE, seen))).toBe(expected);
  });

  test.each<readonly [string, FormerNodeLook]>([
    ['node-of-another-cluster', look({ belonging: 'trusts-others' }, {})],
    ['node-of-another-cluster', look({ belonging: 'unsigned', state: 'leaving' }, {})],
    ['node-of-another-cluster', look({ belonging: 'other-use' }, {})],
    ['node-name-differs', look({}, { name: 'worker-3' })],
    ['node-name-differs', look({ ownName: 'worker-3' }, {})],
    // Its certificate is gone, and the inventory, or another kubelet, has its address wrong.
    ['node-name-differs', look({ ...BARE, machine: 'm3' }, {})],
    ['node-name-differs', look({ ...BARE, machine: '' }, { machine: '' })],
    ['node-has-etcd', look({ hasStackedEtcd: true }, {})],
    ['node-half-made', look({ state: 'serving' }, {})],
    ['node-not-drainable', look({}, { unowned: ['default/web-1'] })],
  ])('is refused: %s', (code, seen) => {
    expect(codeOf(() => decideFormerNode(NODE, seen))).toBe(code);
  });

  test('of two nodes at its address only its own goes', () => {
    const found = decideFormerNode(NODE, look({}, { name: 'worker-9' }, {}));
    expect(typeof found === 'string' ? found : found.deleted.map(({ name }) => name)).toEqual(['worker-2']);
  });

  test('a lost host: its node goes unless its kubelet reports', () => {
    expect(decideLostNode(NODE, look('lost', { ready: 'unknown' }))).toHaveLength(1);
    expect(decideLostNode(NODE, look({}, { ready: 'unknown' }))).toEqual([]);
    expect(codeOf(() => decideLostNode(NODE, look('lost', {})))).toBe('former-node-serves');
  });
});

const PEM = (word: string): string => `-----BEGIN CERTIFICATE-----\n${word}\n-----END CERTIFICATE-----\n`;
const CONF = (authority: string): string => `apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: 'https://10.0.0.99:8443', certificate-authority-data: ${Buffer.from(PEM(authority)).toString('base64')}}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
users: [{name: u, user: {client-certificate: ${KUBELET_CERTIFICATE}, client-key: ${KUBELET_CERTIFICATE}}}]
`;

let kubelet = { certificate: '', authority: '' };
beforeAll(async () => {
  kubelet = await certifiedKubelet('worker-2');
});

const AUTHORITY = certificateFilesKey('/etc/kubernetes/pki/ca.crt');

function files(state: 'joined' | 'bare' | 'leaving', authority = 'ONE', runs = true): FakeAnswers {
  const isJoined = state !== 'bare';
  return {
    units: { kubelet: { ...STOPPED, active: runs } },
    'certificate-files': {
      [certificateFilesKey(KUBELET_CERTIFICATE)]: { pem: isJoined ? kubelet.certificate : '' },
      [AUTHORITY]: { pem: '' },
    },
    'file-contents': {
      '/etc/machine-id': 'm2\n',
      '/var/lib/provision/kubernetes': state === 'leaving' ? 'leaving\n' : undefined,
      '/etc/kubernetes/kubelet.conf': isJoined ? CONF(authority) : undefined,
    },
    paths: {
      '/etc/kubernetes/kubelet.conf': isJoined,
      '/etc/kubernetes/bootstrap-kubelet.conf': false,
      '/etc/kubernetes/admin.conf': isJoined,
      '/etc/kubernetes/manifests/kube-apiserver.yaml': isJoined,
      '/etc/kubernetes/manifests/etcd.yaml': false,
      '/etc/kubernetes/pki/apiserver-etcd-client.crt': false,
      '/etc/kubernetes/pki/apiserver-etcd-client.key': isJoined,
    },
  };
}

const CONTROL_PLANES: readonly KubernetesNode[] = ['cp-1', 'cp-2'].map((host) => ({
  ...sampleNode('cp-1', 'control-plane'),
  host,
}));
const SITE = { node: NODE, controlPlanes: CONTROL_PLANES, settings: { drainTimeoutS: 60 } };

function serving(seen: unknown, signing = kubelet.authority): FakeAnswers {
  return {
    ...files('joined'),
    'cluster-nodes': { [NODE.address]: seen },
    'certificate-files': {
      ...files('joined')['certificate-files'],
      [AUTHORITY]: { pem: PEM('NEW') + PEM('ONE') + signing },
    },
  };
}

async function outcomes(hosts: Readonly<Record<string, FakeAnswers>>): Promise<readonly Outcome[]> {
  const probe = fakeProbes(hosts).get('worker-2');
  if (probe === undefined) throw new Error('there is no such host');
  return Promise.all(formerNodeSteps(SITE).map(async (resource) => resource.plan(probe)));
}

const summaries = (found: readonly Outcome[]): readonly string[] =>
  found.map((each) => (each.kind === 'change' ? (each.change.summary.split(/[:(]/)[0]?.trim() ?? '') : each.kind));

describe('the steps of a node that leaves', () => {
  const seen = { nodes: [{ ...LISTED, budgets: ['default/web'] }] };

  test('are shown with the pods that go, asked of the first control plane that answers', async () => {
    const hosts = { 'worker-2': files('joined'), 'cp-1': serving({ silent: 'refused' }), 'cp-2': serving(seen) };
    const found = await outcomes(hosts);
    expect(summaries(found)).toEqual([
      'drain node worker-2',
      'take Kubernetes off the host',
      'remove what let its API server use etcd',
      'delete node worker-2',
    ]);
    const [, , client] = found;
    const pki = '/etc/kubernetes/pki/apiserver-etcd-client';
    expect(JSON.stringify(client)).toContain(
      'rm -rf -- /var/backups/provision/%2Fetc%2Fkubernetes%2Fpki%2Fapiserver-etcd',
    );
    expect(formerNodeSteps(SITE).map(({ address }) => address)).toEqual([
      ...['kubernetes:drained', 'kubernetes:reset', 'kubernetes:etcd-client', 'kubernetes:node'],
    ]);
    expect(found.map(shownChange)).toEqual([
      [
        'drain node worker-2: its pods go elsewhere, as their disruption budgets let them',
        ...['through cp-2, within 60 s; no new pods come', '- default/web-1'],
        '! what they keep in emptyDir volumes is gone with them',
        'on cp-2: kubectl drain worker-2',
        'stays: pods that were evicted stay where they are by then, and a drained node takes no new ones: kubectl uncordon',
        'clients notice',
      ],
      [
        'take Kubernetes off the host (kubeadm reset)',
        'its static pods end, an API server first and in order; then its kubelet and all other containers',
        '- what kubeadm made in /etc/kubernetes and /var/lib/kubelet; a member of etcd, and its certificates, stay',
        ...['$ kubeadm reset', 'stays: the host stays reset: the next apply goes on', 'clients notice'],
      ],
      [
        'remove what let its API server use etcd',
        ...[`- ${pki}.crt, and copies of it`, `- ${pki}.key, and copies of it`],
        ...[`$ rm ${pki}.crt ${pki}.key`, 'stays: they stay removed: a control plane that joins gets others'],
      ],
      [
        ...['delete node worker-2', 'through cp-2', '- node worker-2 at 10.0.0.22'],
        ...['on cp-2: kubectl delete node worker-2', 'stays: its node stays deleted'],
      ],
    ]);
    const doubt = await formerNodeSteps(SITE)[0]?.doubt?.(fakeProbes(hosts).get('worker-2') ?? never());
    expect(doubt).toBe(
      '1 disruption budget allows nothing now, and holds the drain up where pods of the node are meant: default/web',
    );
  });

  test('need a control plane of the same cluster', async () => {
    const away = { 'worker-2': files('joined'), 'cp-1': UNREACHABLE, 'cp-2': files('bare') };
    expect(summaries(await outcomes(away))).toEqual(['unknown', 'unknown', 'unknown', 'unknown']);
    const other = { 'worker-2': files('joined', 'TWO'), 'cp-1': serving(seen), 'cp-2': files('bare') };
    await expectRefused(outcomes(other), 'node-of-another-cluster');
    const left = { ...other, 'worker-2': files('leaving', 'TWO') };
    await expectRefused(outcomes(left), 'node-of-another-cluster');
  });

  test('are none of a node that the host only says that it is: another one has signed that', async () => {
    const { authority } = await certifiedKubelet('worker-2');
    const hosts = { 'worker-2': files('joined'), 'cp-1': serving(seen, authority), 'cp-2': files('bare') };
    const unsigned = {
      code: 'node-of-another-cluster',
      message: expect.stringContaining('is not signed by the authority of the control planes') as unknown,
    };
    await expect(outcomes(hosts)).rejects.toMatchObject(unsigned);
    const left = { ...hosts, 'worker-2': files('leaving') };
    await expect(outcomes(left)).rejects.toMatchObject(unsigned);
  });

  test('are none where the kubelet shows what it serves with', async () => {
    const served = await certifiedKubelet('worker-2', { usages: ['server'] });
    const shows = {
      ...files('joined'),
      'certificate-files': { [certificateFilesKey(KUBELET_CERTIFICATE)]: { pem: served.certificate } },
    };
    const hosts = { 'worker-2': shows, 'cp-1': serving(seen, served.authority), 'cp-2': files('bare') };
    await expect(outcomes(hosts)).rejects.toMatchObject({
      code: 'node-of-another-cluster',
      message: expect.stringContaining('is not the client certificate of the node that it names') as unknown,
    });
  });

  test.each([
    ['no authority', ''],
    ['an authority that can’t be read', PEM('ONE')],
  ])(
    'need a control plane that knows nodes: one with %s counts as silent, and the next one is asked',
    async (_, pem) => {
      const deaf = {
        ...serving(seen),
        'certificate-files': { ...files('joined')['certificate-files'], [AUTHORITY]: { pem } },
      };
      const hosts = { 'worker-2': files('joined'), 'cp-1': deaf, 'cp-2': serving(seen) };
      expect(await outcomes(hosts)).toMatchObject([{ change: { actions: [{ on: 'cp-2' }] } }, {}, {}, {}]);
      expect(await outcomes({ ...hosts, 'cp-2': files('bare') })).toMatchObject([
        {
          kind: 'unknown',
          because: expect.stringContaining('cp-1: it has no authority in /etc/kubernetes/pki/ca.crt') as unknown,
        },
        ...[{}, {}, {}],
      ]);
    },
  );

  test('without a kubelet that runs are another reset, which says so: a drain that was shown is never left out unseen', async () => {
    const hosts = { 'worker-2': files('joined', 'ONE', false), 'cp-1': serving(seen), 'cp-2': files('bare') };
    const [drain, reset] = await outcomes(hosts);
    expect(drain).toEqual({ kind: 'unchanged' });
    expect(reset).toMatchObject({
      change: {
        summary: 'take Kubernetes off the host, without a drain, for its kubelet does not run (kubeadm reset)',
        diff: expect.arrayContaining(['- default/web-1: not evicted, it ends here']) as unknown,
      },
    });
  });

  test('go on after the reset, on the same machine', async () => {
    const hosts = { 'worker-2': files('bare', 'ONE', false), 'cp-1': serving(seen), 'cp-2': files('bare') };
    expect(summaries(await outcomes(hosts))).toEqual(['unchanged', 'unchanged', 'unchanged', 'delete node worker-2']);
    const other = serving({ nodes: [{ ...LISTED, machine: 'm9' }] });
    await expect(outcomes({ ...hosts, 'cp-1': other })).rejects.toMatchObject({
      code: 'node-name-differs',
      message: expect.stringContaining('(machine ID m9, not m2)') as unknown,
    });
  });

  test('are nothing where it has left', async () => {
    const left = { 'worker-2': files('bare'), 'cp-1': serving({ nodes: [] }), 'cp-2': files('bare') };
    expect(summaries(await outcomes(left))).toEqual(['unchanged', 'unchanged', 'unchanged', 'unchanged']);
  });

  test('are one deletion, on a control plane, where its host is lost', async () => {
    const lost = { nodes: [{ ...LISTED, ready: 'unknown' }] };
    const hosts = { 'worker-2': UNREACHABLE, 'cp-1': serving(lost), 'cp-2': files('bare') };
    const outcome = await lostNodeDeleted(SITE).plan(fakeProbes(hosts).get('cp-1') ?? never());
    expect(shownChange(outcome)).toEqual([
      "delete node worker-2: its host can't be asked",
      'through cp-1; what is on worker-2 stays there',
      "- node worker-2 at 10.0.0.22, and its pods, which can't be evicted",
      ...['on cp-1: kubectl delete node worker-2', 'stays: its node stays deleted'],
    ]);
  });

  test('never reset with what would empty the directory of certificates', () => {
    // Its phase of etcd empties /var/lib/etcd, where a member of ours has its data.
    const reset = 'kubeadm reset --force --skip-phases remove-etcd-member --cert-dir /run/provision/none';
    expect(resetFormerNode().script).toContain(reset);
    expect(resetFormerNode().script.replace(reset, '')).not.toMatch(/etcd/);
    expect(drainNode({ name: "a'b", timeoutS: 5, cordon: 'plain' }).script).toContain(`node='a'\\''b'`);
  });
});

function never(): never {
  throw new Error('there is no such host');
}

describe('the fact of nodes at an address', () => {
  const parse = (text: string): unknown => clusterNodes.parse(text, ['10.0.0.22']).get('10.0.0.22');

  test('has its pods, told apart by their owners, and budgets of their namespaces', () => {
    const text = [
      'A',
      'N\tworker-2\ttrue\tTrue\t-\t"4f"',
      'P\tdefault/web-1\tReplicaSet\tRunning',
      'P\tkube-system/proxy\tDaemonSet\tRunning',
      'P\tkube-system/kube-apiserver-x\tNode\tRunning',
      'P\tdefault/alone\t\tRunning',
      'P\tdefault/done\t\tSucceeded',
      '',
      'B\tdefault/web',
      'B\tother/web',
    ].join('\n');
    expect(parse(text)).toEqual({
      nodes: [
        {
          ...{
            name: 'worker-2',
            machine: '4f',
            takesPods: false,
            isMarked: false,
            ready: 'true',
            unowned: ['default/alone'],
            budgets: ['default/web'],
          },
          evicted: ['default/web-1', 'default/alone', 'default/done'],
        },
      ],
    });
  });

  test.each([
    ['S\tconnection refused', { silent: 'connection refused' }],
    ['A\nN\tworker-2\t-\tTrue\t-\t"4f"\nS\tno pods', { silent: 'no pods' }],
    ['A\n', { nodes: [] }],
    ['A\nN\tworker-2\t-\tUnknown\t-\t""', { nodes: [{ takesPods: true, ready: 'unknown', budgets: [] }] }],
    ['A\nN\tworker-2\t-\t-\t-\t""\nU', { nodes: [{ takesPods: true, ready: 'unknown', budgets: undefined }] }],
  ])('%j', (text, expected) => {
    expect(parse(text)).toMatchObject(expected);
  });

  test.each([
    '',
    'A\nN\t$(id)\t-\tTrue\t-\t""',
    'A\nN\tworker-2\tTrue',
    'A\nN\tworker-2\t-\tTrue\t-',
    'A\nN\tworker-2\t-\tTrue\t-\t""\nP\tWarning: v1beta1 is deprecated/x',
    'A\nN\tworker-2\t-\tTrue\t-\t""\nP\tdefault/$(id)\t\tRunning',
    'A\nB\tdefault/a b',
  ])('refuses nonsense: %j', (text) => {
    expect(() => parse(text)).toThrow();
  });
});
