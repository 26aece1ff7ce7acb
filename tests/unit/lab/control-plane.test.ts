import { expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { renderKubeadmConfig } from '../../../src/lab/control-plane.js';
import type { Lab } from '../../../src/lab/state.js';
import { chooseNetwork, layOutHosts } from '../../../src/lab/topology.js';

test('kubeadm is told of external etcd, its own address and every control plane', () => {
  const network = chooseNetwork([]);
  const hosts = [...layOutHosts({ etcd: 2, lb: 0, controlPlanes: 2, workers: 0, hosts: 0 }, network)];
  const lab: Lab = {
    name: 'dev',
    directory: '/tmp/lab-dev',
    release: 'bookworm',
    kubernetes: 'stand-in',
    network,
    hosts,
  };
  const documents = parseAllDocuments(renderKubeadmConfig(lab, { name: 'cp-2', address: '203.0.113.62' }));
  expect(documents.map((document) => document.toJS() as unknown)).toEqual([
    expect.objectContaining({
      kind: 'InitConfiguration',
      localAPIEndpoint: { advertiseAddress: '203.0.113.62', bindPort: 6443 },
      nodeRegistration: expect.objectContaining({ name: 'cp-2' }) as unknown,
    }),
    expect.objectContaining({
      kind: 'ClusterConfiguration',
      controlPlaneEndpoint: '203.0.113.61:6443',
      apiServer: { certSANs: ['203.0.113.61', '203.0.113.62'] },
      etcd: {
        external: {
          endpoints: ['https://203.0.113.11:2379', 'https://203.0.113.12:2379'],
          caFile: '/etc/kubernetes/pki/etcd/ca.crt',
          certFile: '/etc/kubernetes/pki/apiserver-etcd-client.crt',
          keyFile: '/etc/kubernetes/pki/apiserver-etcd-client.key',
        },
      },
    }),
  ]);
});
