import { beforeAll, describe, expect, test } from '@jest/globals';
import { certificateFilesKey } from '../../../src/facts/certificate-files.js';
import { KUBEADM_CONFIG } from '../../../src/facts/kubeadm-config.js';
import type { Outcome, Resource } from '../../../src/model/change.js';
import type { Cluster } from '../../../src/model/cluster.js';
import type { VirtualService } from '../../../src/model/virtual-service.js';
import { issueCertificate } from '../../../src/pki/issue.js';
import { roleTable } from '../../../src/roles/table.js';
import { fakeProbe } from '../../support/fake-probe.js';
import { fixture } from '../../support/fixture.js';
import { ROLE_TOOLS } from '../../support/role-tools.js';
import { SAMPLE_APISERVER, SAMPLE_CLUSTER, SAMPLE_SERVICE } from '../../support/sample-cluster.js';
import { namedHost, templateInventory } from '../../support/template-inventory.js';
import { authorityFrom, circumstancesAt, SERVER_PROFILE, TODAY } from '../../support/test-authority.js';

const CLUSTER_CA = '/etc/kubernetes/pki/ca.crt';
const OTHER_CA = '/etc/other/cluster-ca.crt';
const CERTIFICATE = '/etc/kubernetes/pki/apiserver.crt';
const KEY = '/etc/kubernetes/pki/apiserver.key';

/** cp-1 and cp-2, each with the authority that its own host has. */
function clusterOf(changes: Partial<VirtualService> = {}): Cluster {
  const service: VirtualService = {
    ...SAMPLE_APISERVER,
    clients: [
      { host: 'etcd-1', files: { ca: '/etc/haproxy/kube-apiserver-ca.crt' } },
      { host: 'cp-1', files: { ca: CLUSTER_CA } },
      { host: 'cp-2', files: { ca: OTHER_CA } },
    ],
    ...changes,
  };
  return {
    ...SAMPLE_CLUSTER,
    services: [SAMPLE_SERVICE, service],
    controlPlanes: SAMPLE_CLUSTER.controlPlanes.flatMap((each) => [each, { ...each, host: 'cp-2' }]),
  };
}

function resourcesOf(host: string, cluster: Cluster): readonly Resource[] {
  return (
    roleTable(ROLE_TOOLS)
      .get('kube-apiserver-names')
      ?.resources(namedHost(host), templateInventory(['cp-1', 'cp-2']), cluster) ?? []
  );
}

let pem: string;
beforeAll(async () => {
  pem = (await issueCertificate(await authorityFrom(TODAY), SERVER_PROFILE, circumstancesAt(TODAY))).certificatePem;
});

/** What is decided on a host whose certificate names none of it, with a stored configuration that names none of it. */
async function decided(host: string, cluster: Cluster, keys: readonly string[]): Promise<readonly Outcome[]> {
  const files = {
    certificate: { owner: 'root', group: 'root', mode: '0644' },
    key: { owner: 'root', group: 'root', mode: '0600' },
    pem,
    publicKey: { kind: 'unchecked' },
  };
  const probe = fakeProbe({
    'file-contents': { '/etc/kubernetes/manifests/kube-apiserver.yaml': fixture('manifests/kube-apiserver.yaml') },
    'certificate-files': { [certificateFilesKey(CERTIFICATE, KEY)]: files },
    paths: Object.fromEntries(['/usr/bin/kubeadm', '/usr/local/bin/kubeadm', ...keys].map((path) => [path, true])),
    'kubeadm-config': {
      [KUBEADM_CONFIG]: {
        kind: 'found',
        configuration: 'apiServer:\n  certSANs:\n  - 10.0.0.11\nkind: ClusterConfiguration\n',
      },
    },
  });
  return Promise.all(resourcesOf(host, cluster).map((each) => each.plan(probe)));
}

describe('an API server whose certificate names the virtual IP', () => {
  test('is each of them; kubeadm’s stored names are one object of the cluster, kept by the first', () => {
    const addresses = (host: string): readonly string[] => resourcesOf(host, clusterOf()).map(({ address }) => address);
    expect(addresses('cp-1')).toEqual(['apiserver-names', 'config-map:kube-system/kubeadm-config apiServer.certSANs']);
    expect(addresses('cp-2')).toEqual(['apiserver-names']);
  });

  test.each([
    ['cp-1', undefined, ['10.0.0.200'], '/etc/kubernetes/pki/ca.key'],
    ['cp-1', 'api.example.com', ['10.0.0.200', 'api.example.com'], '/etc/kubernetes/pki/ca.key'],
    ['cp-2', 'api.example.com', ['10.0.0.200', 'api.example.com'], '/etc/other/cluster-ca.key'],
  ])('gets address and name, %s by the authority of its own host: %s', async (host, name, names, key) => {
    const cluster = clusterOf({ endpoint: { ...SAMPLE_APISERVER.endpoint, name } });
    const [certificate, stored] = await decided(host, cluster, [key]);
    expect(certificate).toMatchObject({
      kind: 'change',
      change: {
        summary: `reissue ${CERTIFICATE} with kubeadm, for ${names.join(', ')} too`,
        actions: [{ kind: 'run' }, { kind: 'await', gate: 'backends-named: kube-apiserver', parameters: {} }],
      },
    });
    if (host !== 'cp-1') return;
    const [action] = stored?.kind === 'change' ? stored.change.actions : [];
    const written = action?.kind === 'run' && typeof action.command.stdin === 'string' ? action.command.stdin : '';
    for (const each of names) expect(written).toContain(each);
  });

  test('is no host that asks nobody by the virtual IP, and none outside the group', () => {
    expect(resourcesOf('cp-1', clusterOf({ clients: [] }))).toEqual([]);
    expect(() => resourcesOf('etcd-1', clusterOf())).toThrow(expect.objectContaining({ code: 'not-in-group' }));
    expect(() => resourcesOf('cp-1', SAMPLE_CLUSTER)).toThrow(
      expect.objectContaining({ code: 'no-load-balancer', message: expect.stringContaining('kube_apiserver_lb_ip') }),
    );
  });
});
