import { expect, test } from '@jest/globals';
import { resourcesOf } from '../../support/bare-host.js';
import { fakeProbe } from '../../support/fake-probe.js';
import { BOTH } from '../../support/role-clusters.js';
import { withService } from '../../support/sample-cluster.js';

test.each([
  ['etcd-nonlocal-bind', 'etcd-1', ['sysctl:net.ipv4.ip_nonlocal_bind']],
  ['kube-apiserver-nonlocal-bind', 'etcd-1', ['sysctl:net.ipv4.ip_nonlocal_bind']],
])('%s gives %s its resources in this order', (role, host, addresses) => {
  expect(resourcesOf(role, host, BOTH).map(({ address }) => address)).toEqual(addresses);
});

test('the proxy may listen where the virtual IP is not', async () => {
  const file = '/etc/sysctl.d/60-provision-nonlocal-bind.conf';
  const key = 'net.ipv4.ip_nonlocal_bind';
  const probe = fakeProbe({ sysctls: { [key]: '0' }, 'file-states': { [file]: { kind: 'absent' } } });
  const outcome = await resourcesOf('etcd-nonlocal-bind', 'etcd-1')[0]?.plan(probe);
  const actions = outcome?.kind === 'change' ? outcome.change.actions : [];
  expect(
    actions.map((action) =>
      action.kind === 'write-file'
        ? action.content.reveal()
        : action.kind === 'run'
          ? action.command.script
          : action.kind,
    ),
  ).toEqual([expect.stringContaining(`${key} = 1\n`), `sysctl -q -w '${key}=1'`]);
});

test('a virtual IP of version 6 needs the setting of version 6', () => {
  const endpoint = { ip: '2001:db8::100', name: undefined, port: 2379 };
  const [setting] = resourcesOf('etcd-nonlocal-bind', 'etcd-1', withService({ endpoint }));
  expect(setting?.address).toBe('sysctl:net.ipv6.ip_nonlocal_bind');
});
