import { expect, test } from '@jest/globals';
import { checkApiClients } from '../../../src/checks/api-clients.js';
import type { CheckItem } from '../../../src/checks/check.js';
import { asLine, contextOf, UNREACHABLE } from '../../support/check-context.js';
import type { FakeAnswers } from '../../support/fake-probe.js';
import { kubeletConf } from '../../support/kubeconfigs.js';
import { SAMPLE_APISERVER, SAMPLE_CLUSTER } from '../../support/sample-cluster.js';

const PATH = '/etc/kubernetes/kubelet.conf';
const { ip, port } = SAMPLE_APISERVER.endpoint;
const VIP = `https://${ip}:${port}`;
const [CONTROL_PLANE] = SAMPLE_CLUSTER.controlPlanes;
const MANIFEST = CONTROL_PLANE?.manifest ?? '';

function node(text: string | undefined, version?: string): FakeAnswers {
  const state = { kind: 'file', owner: 'root', group: 'root', mode: '0600', changedAt: 1, sha256: 'x' };
  const manifest =
    version && `spec: {containers: [{name: kube-apiserver, image: registry/kube-apiserver:${version}}]}\n`;
  return {
    'kubelet-processes': { kubelet: [] },
    units: { kubelet: { active: true, startedAt: 1 } },
    'file-contents': { [PATH]: text, [MANIFEST]: manifest },
    'file-states': { [PATH]: text === undefined ? { kind: 'absent' } : state },
  };
}

function check(hosts: Readonly<Record<string, FakeAnswers | typeof UNREACHABLE>>): Promise<readonly CheckItem[]> {
  const cluster = { ...SAMPLE_CLUSTER, services: [SAMPLE_APISERVER], nodes: Object.keys(hosts) };
  return checkApiClients(contextOf(hosts, { cluster }));
}

test('a kubelet that uses one API server is reported, with the way to the virtual IP', async () => {
  const items = await check({
    'worker-1': node(kubeletConf('https://10.0.0.11:6443')),
    'worker-2': node(kubeletConf(VIP)),
  });
  expect(items.map(asLine)).toEqual([
    `warn api-client worker-1 ${PATH}: uses https://10.0.0.11:6443, not ${VIP}: the node is lost with that API server`,
    `ok api-client worker-2 ${PATH}: uses ${VIP}`,
  ]);
  expect(items[0]?.next).toBe('provision plan inventory.yaml --playbook apiserver-clients');
});

test('the kubelet of a control plane stays with its own API server since v1.33, and not before', async () => {
  const host = CONTROL_PLANE?.host ?? '';
  const own = kubeletConf(`https://${CONTROL_PLANE?.address ?? ''}:6443`);
  expect((await check({ [host]: node(own, 'v1.33.1') })).map(({ verdict }) => verdict)).toEqual(['ok']);
  expect((await check({ [host]: node(own, 'v1.32.9') })).map(({ verdict }) => verdict)).toEqual(['warn']);
  expect((await check({ 'worker-1': node(own, 'v1.33.1') })).map(({ verdict }) => verdict)).toEqual(['warn']);
});

test('a host without a kubelet is no client; one that is away, or whose file cannot be read, hides no other', async () => {
  const items = await check({
    'worker-1': node(undefined),
    'worker-2': UNREACHABLE,
    'worker-3': node('clusters: []\n'),
    'worker-4': node(kubeletConf(VIP)),
  });
  expect(items.map(asLine)).toEqual([
    'fail host worker-2: worker-2: connection refused',
    `warn api-client worker-3: ${PATH}: it has no clusters; it is left as it is`,
    `ok api-client worker-4 ${PATH}: uses ${VIP}`,
  ]);
});

test('without a virtual IP of the API servers nothing is asked', async () => {
  expect(await checkApiClients(contextOf({}))).toEqual([]);
});
