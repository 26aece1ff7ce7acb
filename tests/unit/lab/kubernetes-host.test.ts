import { describe, expect, test } from '@jest/globals';
import { isKubernetesHost, podRange, podRoutes, renderCniConfig } from '../../../src/lab/kubernetes-host.js';
import { chooseNetwork, layOutHosts } from '../../../src/lab/topology.js';

const hosts = layOutHosts({ etcd: 1, lb: 0, controlPlanes: 2, workers: 1, hosts: 0 }, chooseNetwork([]));
const [etcd, cp1, cp2, worker] = hosts;

describe('the hosts of a real Kubernetes', () => {
  test('are control planes and workers, and only where it is real', () => {
    expect(hosts.map((host) => isKubernetesHost({ kubernetes: 'real' }, host))).toEqual([false, true, true, true]);
    expect(hosts.map((host) => isKubernetesHost({ kubernetes: 'stand-in' }, host))).toEqual(hosts.map(() => false));
  });

  test('have pods of their own, and reach those of every other one', () => {
    expect(cp1 && podRoutes({ kubernetes: 'real', hosts: [...hosts] }, cp1)).toEqual([
      '198.18.0.0/16 dev eth0',
      '198.19.62.0/24 via 203.0.113.62',
      '198.19.91.0/24 via 203.0.113.91',
    ]);
    expect([cp1, cp2, worker].map((host) => host && podRange(host))).toEqual([
      '198.19.61.0/24',
      '198.19.62.0/24',
      '198.19.91.0/24',
    ]);
  });

  test('tell their network plug-in the range of their own pods', () => {
    expect(worker && JSON.parse(renderCniConfig(worker))).toMatchObject({
      plugins: [{ type: 'bridge', ipam: { ranges: [[{ subnet: '198.19.91.0/24' }]] } }, { type: 'portmap' }],
    });
    expect(etcd?.role).toBe('etcd');
  });
});
