import { expect, test } from '@jest/globals';
import type { Cluster } from '../../../src/model/cluster.js';
import { externalBalancerRole } from '../../../src/roles/external-balancer/role.js';
import { NOT_INSTALLED, RUNNING } from '../../support/etcd-answers.js';
import { fakeProbe, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { fixture } from '../../support/fixture.js';
import { resourcesOf } from '../../support/bare-host.js';
import { SAMPLE_CLUSTER, sampleBalancer, withExternal } from '../../support/sample-cluster.js';
import { namedHost, templateInventory } from '../../support/template-inventory.js';

const OURS = '/etc/keepalived/keepalived.conf';
const OLD = '/etc/keepalived/provision/etcd.conf';
const { manifest } = SAMPLE_CLUSTER.controlPlanes[0] ?? { manifest: '' };
const HOSTS = ['etcd-1', 'etcd-2', 'etcd-3', 'cp-1', 'far-1'];

/** A host that keeps the address by a unit of ours, or by none. */
const host = (keeps: 'keeps' | 'keeps none', servers = 'https://10.9.0.1:2379'): FakeAnswers => ({
  units: { keepalived: keeps === 'keeps' ? RUNNING : NOT_INSTALLED, 'provision-etcd-keepalived': NOT_INSTALLED },
  'file-origins': { [OURS]: { kind: 'ours' }, [OLD]: { kind: 'absent' } },
  'file-contents': {
    [manifest]: fixture('manifests/kube-apiserver.yaml').replace(/--etcd-servers=.*/, `--etcd-servers=${servers}`),
  },
});

/** Plans with the hosts that keep an address of ours; all others keep none. */
async function planned(cluster: Cluster, answers: Readonly<Record<string, FakeAnswers>>): Promise<unknown> {
  const all = { ...Object.fromEntries(HOSTS.map((name) => [name, host('keeps none')])), ...answers };
  const [resource, ...more] = externalBalancerRole().resources(namedHost('etcd-1'), templateInventory(HOSTS), {
    ...cluster,
    inventory: { ...cluster.inventory, hosts: HOSTS },
  });
  expect(more).toEqual([]);
  return resource?.plan(fakeProbe(all['etcd-1'] ?? {}, all, 'etcd-1'));
}

const NOT_MOVED = { 'cp-1': host('keeps none', 'https://10.0.0.100:2379') };

test.each([
  ['a member', { 'etcd-2': host('keeps') }, 'etcd-2'],
  ['the member that looks', { 'etcd-1': host('keeps') }, 'etcd-1'],
  ['a control plane', { 'cp-1': host('keeps') }, 'cp-1'],
  ['another host, while an API server is not moved', { ...NOT_MOVED, 'far-1': host('keeps') }, 'far-1'],
])('%s that keeps a virtual IP of ours is refused, and named', async (_, answers, name) => {
  await expect(planned(withExternal(), answers)).rejects.toMatchObject({
    code: 'former-balancer',
    message: expect.stringContaining(`keeps a virtual IP of etcd on ${name} (keepalived)`) as unknown,
    hint: expect.stringMatching(/add to inventory\.yaml:\netcd_lb_former:\n/) as unknown,
  });
});

test.each([
  ['nobody keeps one', withExternal(), {}],
  [
    'a host that has no other part keeps one, once all API servers are moved',
    withExternal(),
    { 'far-1': host('keeps') },
  ],
  ['and those that can not be asked do not count', withExternal(), { 'cp-1': UNREACHABLE, 'far-1': host('keeps') }],
  [
    'the one that does is named as a former balancer',
    withExternal({ former: { ...formerOf(), formerBalancers: [sampleBalancer(2)] } }),
    { 'etcd-2': host('keeps') },
  ],
])('where %s, nothing is to do', async (_, cluster, answers) => {
  expect(await planned(cluster, answers)).toEqual({ kind: 'unchanged' });
});

function formerOf() {
  const { external } = withExternal();
  if (external === undefined) throw new Error('it is external');
  return external.former;
}

test('it is looked at once, and only where others balance', () => {
  const inventory = templateInventory(HOSTS);
  expect(externalBalancerRole().resources(namedHost('etcd-2'), inventory, withExternal())).toEqual([]);
  expect(externalBalancerRole().resources(namedHost('etcd-1'), inventory, SAMPLE_CLUSTER)).toEqual([]);
});

test('a former load balancer of ours is freed without a virtual IP that the inventory would name', () => {
  const former = { ...formerOf(), formerBalancers: [sampleBalancer(2)] };
  expect(resourcesOf('etcd-former-balancer', 'etcd-2', withExternal({ former })).map(({ address }) => address)).toEqual(
    [
      'freed-balancer:etcd',
      'unused-certificate:/etc/haproxy/etcd-server.pem',
      'unused-certificate:/etc/haproxy/etcd-proxy.pem',
    ],
  );
});
