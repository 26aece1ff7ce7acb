import { describe, expect, test } from '@jest/globals';
import {
  apiserverCertificates,
  apiserverTrust,
  authorityProfile,
  balancerCertificates,
  balancerTrust,
  memberCertificates,
  memberTrust,
} from '../../../src/pki/certificate-list.js';
import { SAMPLE_CLUSTER, SAMPLE_SERVICE, sampleMember } from '../../support/sample-cluster.js';

const PUBLIC = { owner: 'root', group: 'root', mode: '0644' };

function memberCertificate(name: string, cluster = SAMPLE_CLUSTER, member = sampleMember(1)) {
  const found = memberCertificates(cluster, member).find((certificate) => certificate.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

describe('the list of certificates', () => {
  test('the server certificate verifies directly and through the load balancer', () => {
    expect(memberCertificate('etcd-server')).toEqual({
      name: 'etcd-server',
      policy: 'exact',
      profile: {
        commonName: 'm1',
        organizations: [],
        dnsNames: ['etcd-1', 'etcd.example.com', 'localhost', 'm1'],
        ipAddresses: ['10.0.0.1', '10.0.0.100', '127.0.0.1', '::1'],
        usages: ['server', 'client'],
        days: 365,
        keyType: 'ecdsa-p256',
        keepPublicKey: null,
      },
      destination: { layout: 'pair', certificatePath: '/etc/etcd/pki/server.crt', keyPath: '/etc/etcd/pki/server.key' },
      ownership: { owner: 'etcd', group: 'etcd', mode: '0600' },
    });
  });

  test('without a load balancer there is no name of one', () => {
    const { profile } = memberCertificate('etcd-server', { ...SAMPLE_CLUSTER, services: [] });
    expect([...profile.dnsNames, ...profile.ipAddresses]).toEqual([
      'etcd-1',
      'localhost',
      'm1',
      '10.0.0.1',
      '127.0.0.1',
      '::1',
    ]);
  });

  test('a proxy that ends TLS has a certificate for each of its sides, and shows the names that clients use', () => {
    const termination = { server: '/etc/haproxy/etcd-server.pem', client: '/etc/haproxy/etcd-proxy.pem' };
    const certificates = {
      ...SAMPLE_CLUSTER.certificates,
      altNames: ['etcd.kube-system.svc'],
      altIps: ['203.0.113.9'],
    };
    const service = { ...SAMPLE_SERVICE, termination };
    const found = balancerCertificates({ ...SAMPLE_CLUSTER, certificates }, service);
    expect(found.map(({ name }) => name)).toEqual(['haproxy-healthcheck-client', 'haproxy-server', 'haproxy-client']);
    expect(found[1]).toMatchObject({
      profile: {
        commonName: 'etcd.example.com',
        dnsNames: ['etcd.example.com', 'etcd.kube-system.svc'],
        ipAddresses: ['10.0.0.100', '203.0.113.9'],
        usages: ['server'],
      },
      destination: { layout: 'bundle', path: termination.server },
      ownership: { owner: 'root', mode: '0600' },
    });
    expect(found[2]).toMatchObject({
      profile: { commonName: 'haproxy', dnsNames: [], ipAddresses: [], usages: ['client'] },
      destination: { layout: 'bundle', path: termination.client },
    });
  });

  test('names and addresses are told apart, whichever variable they came from', () => {
    const certificates = {
      ...SAMPLE_CLUSTER.certificates,
      altNames: ['192.0.2.7', 'ETCD.Example.COM', '2001:DB8:0::1'],
      altIps: ['2001:db8::1', '203.0.113.10'],
    };
    const { profile } = memberCertificate('etcd-server', { ...SAMPLE_CLUSTER, certificates });
    expect(profile.dnsNames).toEqual(['etcd-1', 'etcd.example.com', 'localhost', 'm1']);
    expect(profile.ipAddresses).toEqual([
      '10.0.0.1',
      '10.0.0.100',
      '127.0.0.1',
      '192.0.2.7',
      '2001:db8::1',
      '203.0.113.10',
      '::1',
    ]);
  });

  test('the peer certificate holds the node only', () => {
    const { profile } = memberCertificate('etcd-peer', SAMPLE_CLUSTER, { ...sampleMember(1), name: 'infra0' });
    expect(profile).toMatchObject({
      commonName: 'infra0',
      dnsNames: ['etcd-1', 'infra0'],
      ipAddresses: ['10.0.0.1'],
      usages: ['server', 'client'],
    });
  });

  test('a common name is never longer than X.520 allows', () => {
    const member = { ...sampleMember(1), name: 'n'.repeat(80) };
    expect(memberCertificate('etcd-peer', SAMPLE_CLUSTER, member).profile.commonName).toHaveLength(64);
  });

  test('clients have no names, and only root reads their keys', () => {
    const files = { certificatePath: '/k/a.crt', keyPath: '/k/a.key' };
    const clients = [
      memberCertificate('etcdctl-client'),
      ...balancerCertificates(SAMPLE_CLUSTER, SAMPLE_SERVICE),
      ...apiserverCertificates(SAMPLE_CLUSTER, files),
    ];
    expect(clients.map(({ profile, destination }) => [profile.commonName, destination])).toEqual([
      ['etcdctl', { layout: 'pair', certificatePath: '/etc/etcd/pki/client.crt', keyPath: '/etc/etcd/pki/client.key' }],
      ['haproxy-healthcheck', { layout: 'bundle', path: '/etc/haproxy/etcd-client.pem' }],
      ['kube-apiserver-etcd-client', { layout: 'pair', certificatePath: '/k/a.crt', keyPath: '/k/a.key' }],
    ]);
    for (const { profile, ownership } of clients) {
      expect(profile).toMatchObject({ usages: ['client'], dnsNames: [], ipAddresses: [] });
      expect(ownership).toEqual({ owner: 'root', group: 'root', mode: '0600' });
    }
  });

  test('each lands where its owner reads it', () => {
    const keys = {
      etcd: { owner: 'etcd', group: 'etcd', mode: '0600' },
      root: { owner: 'root', group: 'root', mode: '0600' },
    };
    const member = {
      ...sampleMember(1),
      server: { certificate: '/s.crt', key: '/s.key' },
      client: { ca: '/own-ca.crt', certificate: '/c.crt', key: '/c.key' },
      pkiDir: '/p',
    };
    const landed = memberCertificates(SAMPLE_CLUSTER, member).map(({ name, destination, ownership, policy }) => ({
      ...{ name, ...destination, ownership, policy },
    }));
    expect(landed).toEqual([
      {
        name: 'etcd-server',
        layout: 'pair',
        certificatePath: '/s.crt',
        keyPath: '/s.key',
        ownership: keys.etcd,
        policy: 'exact',
      },
      {
        name: 'etcd-peer',
        layout: 'pair',
        certificatePath: '/p/peer.crt',
        keyPath: '/p/peer.key',
        ownership: keys.etcd,
        policy: 'exact',
      },
      {
        name: 'etcdctl-client',
        layout: 'pair',
        certificatePath: '/c.crt',
        keyPath: '/c.key',
        ownership: keys.root,
        policy: 'exact',
      },
    ]);
    expect(memberTrust(SAMPLE_CLUSTER, member)).toEqual({
      ...{ path: '/own-ca.crt', ownership: PUBLIC, policy: 'exact' },
      verifiesClients: true,
    });
    expect(apiserverTrust(SAMPLE_CLUSTER, '/k/ca.crt')).toEqual({
      path: '/k/ca.crt',
      ownership: PUBLIC,
      policy: 'exact',
    });
  });

  test('of an adopted etcd only the server certificate is made, and what it has beside stays', () => {
    const adopted = { ...SAMPLE_CLUSTER, isManaged: false };
    const files = { certificatePath: '/k/a.crt', keyPath: '/k/a.key' };
    expect(memberCertificates(adopted, sampleMember(1)).map(({ name, policy }) => [name, policy])).toEqual([
      ['etcd-server', 'at-least'],
    ]);
    expect(apiserverCertificates(adopted, files).map(({ policy }) => policy)).toEqual(['at-least']);
    expect(apiserverCertificates(SAMPLE_CLUSTER, files).map(({ policy }) => policy)).toEqual(['exact']);
    expect([memberTrust(adopted, sampleMember(1)).policy, apiserverTrust(adopted, '/x').policy]).toEqual([
      'at-least',
      'at-least',
    ]);
  });

  test('a balancer has what its health check shows and trusts, and nothing where that is nothing', () => {
    const { health } = SAMPLE_SERVICE;
    const shown = { ...SAMPLE_SERVICE, proxy: 'nginx' as const, health: { ...health, bundle: '/n.pem' } };
    expect(balancerCertificates(SAMPLE_CLUSTER, shown)).toMatchObject([
      {
        name: 'nginx-healthcheck-client',
        profile: { commonName: 'nginx-healthcheck' },
        destination: { layout: 'bundle', path: '/n.pem' },
        policy: 'exact',
      },
    ]);
    expect(balancerCertificates(SAMPLE_CLUSTER, { ...shown, health: { ...health, bundle: undefined } })).toEqual([]);
    const trusting = { ...SAMPLE_SERVICE, health: { ...health, trust: { from: 'store', path: '/t.crt' } as const } };
    expect(balancerTrust(trusting)).toEqual({ path: '/t.crt', ownership: PUBLIC, policy: 'exact' });
    const other = { ...SAMPLE_SERVICE, health: { ...health, trust: { from: [], path: '/h.crt' } } };
    expect(balancerTrust(other)).toBeUndefined();
  });

  test('the authority is made as the variables say', () => {
    expect(authorityProfile(SAMPLE_CLUSTER)).toEqual({ commonName: 'etcd-ca', days: 3650, keyType: 'ecdsa-p256' });
  });
});
