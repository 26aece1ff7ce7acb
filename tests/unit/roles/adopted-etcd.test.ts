import { describe, expect, test } from '@jest/globals';
import type { Cluster } from '../../../src/model/cluster.js';
import { etcdEnvironment } from '../../../src/roles/etcd/environment.js';
import { roleTable } from '../../../src/roles/table.js';
import { INVENTORY, resourcesOf, written } from '../../support/bare-host.js';
import { fakeProbe } from '../../support/fake-probe.js';
import { PATHS, SCHEDULE } from '../../support/role-clusters.js';
import { ROLE_TOOLS } from '../../support/role-tools.js';
import { SAMPLE_CLUSTER, sampleMember } from '../../support/sample-cluster.js';
import { namedHost } from '../../support/template-inventory.js';

describe('an existing etcd cluster', () => {
  const adopted: Cluster = { ...SAMPLE_CLUSTER, isManaged: false };

  test('keeps all but its server certificate, and is restarted for that', () => {
    const addresses = resourcesOf('etcd', 'etcd-1', adopted).map(({ address }) => address);
    const [last, ...none] = addresses.slice(2);
    expect(addresses.slice(0, 2)).toEqual(['certificate:/etc/etcd/pki/server.crt', 'etcd-member:m1']);
    expect([last, none]).toEqual(['no-timer:provision-etcd-snapshot.timer', []]);
  });

  test('has snapshots on a schedule where they are wanted, by its own unit and client certificate', async () => {
    const client = { ca: '/srv/ca.pem', certificate: '/srv/client.pem', key: '/srv/client.key' };
    const member = { ...sampleMember(1), unit: 'etcd-prod', client, snapshots: SCHEDULE };
    const cluster = { ...adopted, members: [member] };
    expect(resourcesOf('etcd', 'etcd-1', cluster).map(({ address }) => address)).toEqual([
      'certificate:/etc/etcd/pki/server.crt',
      'etcd-member:m1',
      'directory:/srv/50%/etcd',
      'directory:/usr/local/lib/provision',
      ...['etcd-snapshot', 'etcd-snapshot.service', 'etcd-snapshot.timer'].map(
        (name) => `file:${PATHS[name as 'etcd-snapshot']}`,
      ),
      'service:provision-etcd-snapshot.timer',
    ]);
    const text = async (name: 'etcd-snapshot' | 'etcd-snapshot.service'): Promise<string> =>
      JSON.stringify(await written('etcd', PATHS[name], cluster));
    expect(await text('etcd-snapshot.service')).toContain('etcd-prod.service');
    expect(await text('etcd-snapshot')).toContain('--cert=/srv/client.pem');
  });

  test('never gets a new authority', () => {
    const [authority] = resourcesOf('pki', 'etcd-1');
    expect(authority?.address).toBe('authority:etcd');
    expect(() => resourcesOf('pki', 'etcd-1', adopted)).toThrow(
      expect.objectContaining({
        code: 'authority-missing',
        message: expect.stringContaining('must be the one that etcd trusts'),
      }),
    );
    const kept = { ...ROLE_TOOLS.pki, authority: { certificate: () => 'PEM', trustBundle: () => 'PEM' } };
    const role = roleTable({ ...ROLE_TOOLS, pki: kept }).get('pki');
    expect(role?.resources(namedHost('etcd-1'), INVENTORY, adopted).map(({ address }) => address)).toEqual([
      'authority:etcd',
    ]);
  });

  test('is not configured from here', () => {
    const member = { ...sampleMember(1), configFile: undefined };
    expect(() => etcdEnvironment(ROLE_TOOLS, INVENTORY, { cluster: adopted, member })).toThrow('etcd-1 is adopted');
  });

  test('has no member replaced here', () => {
    expect(() => resourcesOf('etcd-replacement', 'etcd-1', adopted)).toThrow('this etcd was adopted');
  });

  test('frees no address: where it listens everywhere, the load balancer is refused', async () => {
    const [listen] = resourcesOf('etcd-proxy', 'etcd-1', adopted);
    const probe = fakeProbe({ listeners: { 2379: [{ address: '0.0.0.0', port: 2379, process: 'etcd' }] } });
    await expect(listen?.plan(probe)).rejects.toMatchObject({ code: 'address-taken' });
  });
});
