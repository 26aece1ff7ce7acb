import { describe, expect, test } from '@jest/globals';
import type { Outcome } from '../../../src/model/change.js';
import { kubeApiserverDirectRole } from '../../../src/roles/kube-apiserver/role.js';
import { fakeProbe } from '../../support/fake-probe.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';
import { namedHost, templateInventory } from '../../support/template-inventory.js';

const MANIFEST = '/etc/kubernetes/manifests/kube-apiserver.yaml';
const MEMBERS = ['https://10.0.0.1:2379', 'https://10.0.0.2:2379', 'https://10.0.0.3:2379'];

/** What the role does to a kube-apiserver that uses these servers; it is asked nothing of any other host. */
async function planned(servers: string): Promise<Outcome> {
  const text = `spec:
  containers:
  - name: kube-apiserver
    command:
    - --etcd-servers=${servers}
    - --etcd-cafile=/pki/ca.crt
    - --etcd-certfile=/pki/etcd.crt
    - --etcd-keyfile=/pki/etcd.key
`;
  const probe = fakeProbe({
    'file-contents': { [MANIFEST]: text },
    'file-states': { [MANIFEST]: { kind: 'file', owner: 'root', group: 'root', mode: '0600', sha256: '' } },
  });
  const inventory = templateInventory(['cp-1']);
  const [resource, ...more] = kubeApiserverDirectRole().resources(namedHost('cp-1'), inventory, SAMPLE_CLUSTER);
  if (resource === undefined || more.length > 0) throw new Error('one resource was expected');
  return resource.plan(probe);
}

describe('kube-apiserver-direct', () => {
  test('names all members, once one of them has answered with the files of the manifest', async () => {
    const outcome = await planned('https://10.0.0.100:2379');
    if (outcome.kind !== 'change') throw new Error('nothing is changed');
    const [before, write, after] = outcome.change.actions;
    expect(before).toEqual({
      kind: 'await',
      gate: 'etcd-answers-directly',
      parameters: { urls: MEMBERS, ca: '/pki/ca.crt', certificate: '/pki/etcd.crt', key: '/pki/etcd.key' },
    });
    expect(write?.kind === 'write-file' && write.content.redacted).toContain(`--etcd-servers=${MEMBERS.join()}\n`);
    expect(after).toMatchObject({ kind: 'await', gate: 'apiserver-ready' });
  });

  test.each([MEMBERS, MEMBERS.toReversed()])('lets be one that uses them, in whatever order', async (...servers) => {
    expect(await planned(servers.join())).toEqual({ kind: 'unchanged' });
  });

  test('adds the members that are missing', async () => {
    expect(await planned(MEMBERS.slice(1).join())).toMatchObject({ kind: 'change' });
  });
});
