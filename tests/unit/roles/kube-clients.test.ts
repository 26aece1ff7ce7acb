import { expect, test } from '@jest/globals';
import type { Resource } from '../../../src/model/change.js';
import { resourcesOf } from '../../support/bare-host.js';
import { fakeProbes, type FakeAnswers } from '../../support/fake-probe.js';
import { kubeletConf } from '../../support/kubeconfigs.js';
import { BOTH } from '../../support/role-clusters.js';

const OLD = 'https://10.0.0.11:6443';
const NAMESPACES = '/api/v1/namespaces';
const found = (data: object): object => ({ kind: 'found', object: { data } });

/** What is done and asked for each resource, in order. */
async function stepsOf(resources: readonly Resource[], hosts: Readonly<Record<string, FakeAnswers>>) {
  const probe = fakeProbes(hosts).get('cp-1');
  if (probe === undefined) throw new Error('no probe');
  const outcomes = await Promise.all(resources.map(async (each) => each.plan(probe)));
  return outcomes.map((outcome) =>
    outcome.kind !== 'change'
      ? [outcome.kind]
      : outcome.change.actions.map((action) =>
          action.kind === 'await'
            ? `await ${action.gate} ${JSON.stringify(action.parameters)}`
            : action.kind === 'run'
              ? action.command.summary
              : action.kind,
        ),
  );
}

const KUBEADM =
  'apiVersion: kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\ncontrolPlaneEndpoint: 10.0.0.11:6443\n';
const WAY = 'await vip-answers-kubeconfigs: kube-apiserver {"from":"every-node"}';

test('what clients read first goes to the virtual IP once every node reaches it: kubeadm’s own first, kube-proxy’s last', async () => {
  const hosts = {
    'cp-1': {
      'apiserver-objects': {
        [`${NAMESPACES}/kube-public/configmaps/cluster-info`]: found({ kubeconfig: kubeletConf(OLD) }),
        [`${NAMESPACES}/kube-system/configmaps/kube-proxy`]: found({ 'kubeconfig.conf': kubeletConf(OLD) }),
        '/apis/apps/v1/namespaces/kube-system/daemonsets/kube-proxy': found({}),
      },
      'kubeadm-config': { 'kubeadm-config': { kind: 'found', configuration: KUBEADM } },
      'kube-proxy-processes': { 'kube-proxy': [] },
    },
    'worker-1': { 'kube-proxy-processes': { 'kube-proxy': [] } },
  };
  expect(await stepsOf(resourcesOf('kube-clients-configuration', 'cp-1', BOTH), hosts)).toEqual([
    [WAY, expect.stringContaining('kubeadm-config')],
    [WAY, 'set the server of kube-public/cluster-info'],
    [WAY, 'await kube-proxy-settled {}', 'set the server of kube-system/kube-proxy', 'await kube-proxy-settled {}'],
  ]);
  expect(resourcesOf('kube-clients-configuration', 'worker-1', BOTH)).toEqual([]);
});

test('a kubelet is moved once its host reaches the virtual IP, and answers there before the next one', async () => {
  const path = '/etc/kubernetes/kubelet.conf';
  const [kubelet] = resourcesOf('kube-clients', 'worker-1', BOTH);
  const hosts = {
    'cp-1': {
      'kubelet-processes': { kubelet: [{ pid: 7, argv: ['kubelet', `--kubeconfig=${path}`], connections: [] }] },
      units: { kubelet: { active: true, startedAt: 1000 } },
      'file-contents': { [path]: kubeletConf(OLD) },
      'file-states': {
        [path]: { kind: 'file', owner: 'root', group: 'root', mode: '0600', changedAt: 500, sha256: 'x' },
      },
    },
  };
  const [steps] = await stepsOf(kubelet === undefined ? [] : [kubelet], hosts);
  expect(steps?.[0]).toMatch(/^await vip-answers-kubeconfigs: kube-apiserver /);
  expect(steps?.at(-1)).toBe('await kubelet-ready {}');
});
