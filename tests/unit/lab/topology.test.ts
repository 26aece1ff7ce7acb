import { describe, expect, test } from '@jest/globals';
import { chooseNetwork, isLabName, layOutHosts } from '../../../src/lab/topology.js';

const NONE = { etcd: 0, lb: 0, controlPlanes: 0, workers: 0, hosts: 0 };
const NETWORK = chooseNetwork([]);

describe('chooseNetwork', () => {
  test.each([
    { used: [], prefix: '203.0.113' },
    { used: ['203.0.113'], prefix: '198.51.100' },
    { used: ['198.51.100', '203.0.113'], prefix: '192.0.2' },
    { used: ['198.51.100'], prefix: '203.0.113' },
    { used: ['203.0.113', '198.51.100', '192.0.2'], prefix: '203.0.113' },
  ])('with $used taken it takes $prefix', ({ used, prefix }) => {
    expect(chooseNetwork(used)).toEqual({ prefix, control: `${prefix}.1`, virtualIp: `${prefix}.100` });
  });
});

describe('layOutHosts', () => {
  test('names hosts by role and number, in the order etcd, lb, control planes, workers, plain', () => {
    expect(layOutHosts({ etcd: 2, lb: 1, controlPlanes: 1, workers: 1, hosts: 1 }, NETWORK)).toEqual([
      { name: 'etcd-1', role: 'etcd', address: '203.0.113.11' },
      { name: 'etcd-2', role: 'etcd', address: '203.0.113.12' },
      { name: 'lb-1', role: 'lb', address: '203.0.113.31' },
      { name: 'cp-1', role: 'control-plane', address: '203.0.113.61' },
      { name: 'worker-1', role: 'worker', address: '203.0.113.91' },
      { name: 'host-1', role: 'plain', address: '203.0.113.101' },
    ]);
  });

  test('a full lab has no address twice, none beyond the /24, and leaves the virtual IP free', () => {
    const hosts = layOutHosts({ etcd: 20, lb: 130, controlPlanes: 30, workers: 8, hosts: 50 }, NETWORK);
    const last = hosts.map((host) => Number(host.address.split('.')[3]));
    expect(new Set(last).size).toBe(238);
    expect(Math.max(...last)).toBeLessThan(255);
    expect(last).not.toContain(100);
    expect(last).not.toContain(1);
  });

  test('a hundred load balancers have room', () => {
    const hosts = layOutHosts({ ...NONE, lb: 32 }, NETWORK).slice(29);
    expect(hosts.map(({ name, address }) => `${name} ${address}`)).toEqual([
      ...['lb-30 203.0.113.60', 'lb-31 203.0.113.151', 'lb-32 203.0.113.152'],
    ]);
  });

  test('says all counts that have no room', () => {
    expect(() => layOutHosts({ etcd: 21, lb: 1, controlPlanes: -1, workers: 0, hosts: 1.5 }, NETWORK)).toThrow(
      'etcd: 21 hosts; expected a whole number from 0 to 20\n' +
        'controlPlanes: -1 hosts; expected a whole number from 0 to 30\n' +
        'hosts: 1.5 hosts; expected a whole number from 0 to 50',
    );
  });

  test('refuses a lab without hosts', () => {
    expect(() => layOutHosts(NONE, NETWORK)).toThrow('a lab needs at least one host');
  });
});

describe('isLabName', () => {
  test.each(['a', 'dev', 'my-lab-2', 'a234567890123456789z'])('%s names a lab', (name) => {
    expect(isLabName(name)).toBe(true);
  });

  test.each(['', '2fast', 'Dev', 'a.b', 'a/b', '-a', 'a_b', '.inotify-before', 'a2345678901234567890z'])(
    '%p does not',
    (name) => {
      expect(isLabName(name)).toBe(false);
    },
  );
});
