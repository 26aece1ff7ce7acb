import { describe, expect, test } from '@jest/globals';
import { describedPicture, pictureOf } from '../../../src/checks/cluster-picture.js';
import { etcdStatusKey } from '../../../src/facts/etcd-status.js';
import type { Cluster } from '../../../src/model/cluster.js';
import { healthy } from '../../support/etcd-answers.js';
import { fakeProbes, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { SAMPLE_CLUSTER, sampleMember, SAMPLE_SERVICE, withExternal } from '../../support/sample-cluster.js';

const VIP = SAMPLE_SERVICE.endpoint.ip;

function member(number: number, status: unknown, addresses: readonly string[] = []): FakeAnswers {
  return {
    'etcd-status': { [etcdStatusKey(sampleMember(number))]: status },
    'host-addresses': { all: addresses.map((address) => ({ interface: 'eth0', address, prefixLength: 24 })) },
  };
}

function controlPlane(...processes: readonly (readonly string[])[]): FakeAnswers {
  return { 'apiserver-processes': { 'kube-apiserver': processes.map((argv, pid) => ({ pid, argv })) } };
}

const TWO: Cluster = {
  ...SAMPLE_CLUSTER,
  controlPlanes: SAMPLE_CLUSTER.controlPlanes.flatMap((each) => [each, { ...each, host: 'cp-2' }]),
};

const DIRECT = 'https://10.0.0.1:2379,https://user:secret@[fd00::2]:2379/prefix';

const HOSTS: Readonly<Record<string, FakeAnswers>> = {
  'etcd-1': member(1, healthy(1), ['10.0.0.1']),
  'etcd-2': member(2, healthy(2), ['10.0.0.2', VIP]),
  'etcd-3': member(3, { kind: 'silent', reason: 'refused' }, ['10.0.0.3']),
  'cp-1': controlPlane(['kube-apiserver', `--etcd-servers=https://${VIP}:2379`]),
  'cp-2': controlPlane(['kube-apiserver', '--etcd-servers', DIRECT]),
};

async function picture(hosts = HOSTS, cluster: Cluster = TWO, isAsked = (): boolean => true) {
  const probes = fakeProbes(hosts);
  const seen = await pictureOf({
    cluster,
    isAsked,
    probe: (host) => probes.get(host) ?? fakeProbes({ [host]: UNREACHABLE }).get(host) ?? never(),
  });
  return { seen, asked: [...probes.values()].flatMap(({ asked }) => asked) };
}

function never(): never {
  throw new Error('no probe');
}

describe('a picture', () => {
  test('has who leads, who holds the virtual IP, and where API servers find etcd, without what stands before an address', async () => {
    const { seen, asked } = await picture();
    expect(seen.members.map(({ host, state, version }) => [host, state, version])).toEqual([
      ['etcd-1', 'leader', '3.4.23'],
      ['etcd-2', 'follower', '3.4.23'],
      ['etcd-3', 'does not answer', undefined],
    ]);
    expect(seen.services).toEqual([
      {
        ...{ name: 'etcd', ip: VIP, port: SAMPLE_SERVICE.endpoint.port, proxy: 'haproxy' },
        balancers: [
          { host: 'etcd-1', holds: 'no' },
          { host: 'etcd-2', holds: 'yes' },
          { host: 'etcd-3', holds: 'no' },
        ],
      },
    ]);
    expect(seen.apiServers).toEqual([
      { host: 'cp-1', servers: [`${VIP}:2379`] },
      { host: 'cp-2', servers: ['10.0.0.1:2379', '[fd00::2]:2379'] },
    ]);
    expect(seen.external).toBeUndefined();
    // A question each: what is asked in one turn is one exec.
    expect(asked).toHaveLength(8);
  });

  test('says of a member what it is', async () => {
    const states = await Promise.all(
      [{ isLearner: true }, { isHealthy: false }, { leaderId: '2' }].map(async (changes) => {
        const { seen } = await picture({ ...HOSTS, 'etcd-1': member(1, healthy(1, changes)) });
        return seen.members[0]?.state;
      }),
    );
    expect(states).toEqual(['learner', 'unhealthy', 'follower']);
  });

  test('has hosts that are away, and asks none that --limit leaves out', async () => {
    const { seen } = await picture({ ...HOSTS, 'etcd-2': UNREACHABLE, 'cp-1': UNREACHABLE, 'cp-2': controlPlane() });
    expect(seen.members[1]).toMatchObject({ state: 'unreachable' });
    expect(seen.services[0]?.balancers[1]).toEqual({ host: 'etcd-2', holds: 'unknown' });
    expect(seen.apiServers).toEqual([
      { host: 'cp-1', servers: [], absent: 'unreachable' },
      { host: 'cp-2', servers: [], absent: 'not running' },
    ]);
    const limited = await picture(HOSTS, TWO, () => false);
    expect(limited.asked).toEqual([]);
    expect(limited.seen.members.map(({ state }) => state)).toEqual(['not asked', 'not asked', 'not asked']);
    expect(limited.seen.apiServers[0]).toEqual({ host: 'cp-1', servers: [], absent: 'not asked' });
  });

  test('is not made of an answer that can not be understood', async () => {
    await expect(picture({ ...HOSTS, 'etcd-1': {}, 'cp-1': { x: {} } })).rejects.toThrow();
  });
});

describe('what an inventory describes', () => {
  test('is its virtual IP, or a load balancer of others, or the members themselves', () => {
    const { members, services, apiServers } = describedPicture(SAMPLE_CLUSTER);
    expect(members.map(({ state }) => state)).toEqual(['wanted', 'wanted', 'wanted']);
    expect(services[0]?.balancers).toEqual(['etcd-1', 'etcd-2', 'etcd-3'].map((host) => ({ host, holds: 'unknown' })));
    expect(apiServers.map(({ servers }) => servers)).toEqual(SAMPLE_CLUSTER.controlPlanes.map(() => [`${VIP}:2379`]));
    const staying = SAMPLE_CLUSTER.controlPlanes.map((each) => ({ ...each, repoint: 'on-demand' }) as const);
    expect(describedPicture({ ...SAMPLE_CLUSTER, controlPlanes: staying }).apiServers[0]).toEqual({
      ...{ host: 'cp-1', servers: [], absent: 'stays as it is' },
    });
    const external = describedPicture(withExternal());
    expect(external.external).toMatch(/^\S+:\d+$/);
    expect(external.apiServers[0]?.servers).toEqual([external.external]);
    expect(describedPicture({ ...SAMPLE_CLUSTER, services: [] }).apiServers[0]?.servers).toEqual([
      '10.0.0.1:2379',
      '10.0.0.2:2379',
      '10.0.0.3:2379',
    ]);
  });
});
