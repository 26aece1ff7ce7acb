import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { EtcdSetting } from '../../../src/adopt/etcd-settings.js';
import type { FoundMember } from '../../../src/adopt/look-at-member.js';
import { memberVariables } from '../../../src/adopt/member-variables.js';
import type { EtcdSettingName } from '../../../src/facts/etcd-process.js';

const LINES = {
  name: '--name',
  'advertise-client-urls': '--advertise-client-urls',
  'listen-client-urls': 'ETCD_LISTEN_CLIENT_URLS',
  'data-dir': '--data-dir',
  'cert-file': '--cert-file',
  'key-file': '--key-file',
  'trusted-ca-file': '--trusted-ca-file',
} as const;

const KEYS = {
  rsa: () => generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey,
  'P-256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey,
  'P-521': () => generateKeyPairSync('ec', { namedCurve: 'P-521' }).publicKey,
};

/** A member of which nothing is as it would be by itself. @param without settings that are not set */
function member(kind: keyof typeof KEYS, more: object = {}, ...without: readonly string[]): FoundMember {
  const settings = new Map<EtcdSettingName, EtcdSetting>(
    Object.entries(LINES)
      .filter(([name]) => !without.includes(name))
      .map(([name, word], index) => [
        name as EtcdSettingName,
        { value: 'x', source: { kind: 'file', word, path: '/etc/etcd.conf', line: index + 1 } },
      ]),
  );
  const found = {
    ...{ host: 'a', address: '10.0.0.1', clientPort: 4001, clientUrl: 'https://a.example:4001', unit: 'etcd3' },
    ...{ name: 'infra0', dataDir: '/data', heartbeatIntervalMs: 250, electionTimeoutMs: 2500, trustedCaFile: '/t/ca' },
    server: { certificate: '/t/server', key: '/t/server.key' },
    client: { certificate: '/t/client', key: '/t/client.key' },
    leaf: { publicKey: KEYS[kind]() },
    ...{ settings, searched: { unit: [], environment: [] } },
    status: { memberId: '7', members: [{ id: '6' }, { id: '7', peerUrls: ['https://10.0.0.1:7001/', 'https://x:1'] }] },
  };
  return { ...found, ...more } as unknown as FoundMember;
}

const told = (found: FoundMember, inventoryAddress?: string): readonly string[] =>
  memberVariables(found, inventoryAddress).map(
    ({ name, value, fallback, found: where }) => `${name}: ${String(value)} (else ${String(fallback)}; ${where})`,
  );

describe('the variables of a member', () => {
  test('are all that differs from what there would be without them, in the order of its description', () => {
    expect(told(member('rsa'))).toEqual([
      'etcd_managed: false (else undefined; existing etcd cluster: only what the load balancer needs is changed)',
      'etcd_unit: etcd3 (else etcd; systemd unit of the running etcd)',
      'etcd_member_name: infra0 (else a; --name in /etc/etcd.conf:1)',
      'ip: 10.0.0.1 (else undefined; --advertise-client-urls in /etc/etcd.conf:2)',
      'etcd_client_port: 4001 (else 2379; ETCD_LISTEN_CLIENT_URLS in /etc/etcd.conf:3)',
      'etcd_peer_port: 7001 (else 2380; peer URL https://10.0.0.1:7001/ in etcdctl member list)',
      'etcd_data_dir: /data (else /var/lib/etcd/default; --data-dir in /etc/etcd.conf:4)',
      'etcd_cert_file: /t/server (else undefined; --cert-file in /etc/etcd.conf:5)',
      'etcd_key_file: /t/server.key (else undefined; --key-file in /etc/etcd.conf:6)',
      'etcd_trusted_ca_file: /t/ca (else undefined; --trusted-ca-file in /etc/etcd.conf:7)',
      'etcd_client_cert_file: /t/client (else undefined; accepted by etcd when it was tried as a client)',
      'etcd_client_key_file: /t/client.key (else undefined; key of etcd_client_cert_file)',
      'etcd_client_url: https://a.example:4001 (else https://10.0.0.1:4001; the URL that /t/server names)',
      "etcd_heartbeat_interval: 250 (else 100; default of etcd's --heartbeat-interval)",
      "etcd_election_timeout: 2500 (else 1000; default of etcd's --election-timeout)",
      'etcd_key_type: rsa-2048 (else ecdsa-p256; kind of key of the server certificate)',
    ]);
  });

  test('of a stacked one are where kubeadm has put it, and how it is asked', () => {
    expect(told(member('P-256', { manifest: '/etc/kubernetes/manifests/etcd.yaml' }))).toEqual([
      'etcd_manifest: /etc/kubernetes/manifests/etcd.yaml (else undefined; stacked etcd of kubeadm, which is to leave the cluster)',
      'etcd_member_name: infra0 (else a; --name in /etc/etcd.conf:1)',
      'ip: 10.0.0.1 (else undefined; --advertise-client-urls in /etc/etcd.conf:2)',
      'etcd_client_port: 4001 (else 2379; ETCD_LISTEN_CLIENT_URLS in /etc/etcd.conf:3)',
      'etcd_peer_port: 7001 (else 2380; peer URL https://10.0.0.1:7001/ in etcdctl member list)',
      'etcd_data_dir: /data (else /var/lib/etcd; --data-dir in /etc/etcd.conf:4)',
      'etcd_cert_file: /t/server (else /etc/kubernetes/pki/etcd/server.crt; --cert-file in /etc/etcd.conf:5)',
      'etcd_key_file: /t/server.key (else /etc/kubernetes/pki/etcd/server.key; --key-file in /etc/etcd.conf:6)',
      'etcd_trusted_ca_file: /t/ca (else /etc/kubernetes/pki/etcd/ca.crt; --trusted-ca-file in /etc/etcd.conf:7)',
      'etcd_client_cert_file: /t/client (else /etc/kubernetes/pki/etcd/healthcheck-client.crt; accepted by etcd when it was tried as a client)',
      'etcd_client_key_file: /t/client.key (else /etc/kubernetes/pki/etcd/healthcheck-client.key; key of etcd_client_cert_file)',
      'etcd_client_url: https://a.example:4001 (else https://127.0.0.1:4001; the URL that /t/server names)',
    ]);
  });

  const without = (gone: string, ...these: readonly string[]): void => {
    expect(these.filter((line) => line.startsWith(`${gone}:`))).toEqual([]);
    expect(these.some((line) => line.startsWith('etcd_member_name:'))).toBe(true);
  };

  test.each([{}, { manifest: '/etc/kubernetes/manifests/etcd.yaml' }])(
    'have no address where the inventory has the same, in whatever spelling: %j',
    (more) => {
      without('ip', ...told(member('P-256', { address: '2001:db8::1', ...more }), '2001:DB8:0::1'));
      const others = told(member('P-256', { address: '2001:db8::1', ...more }), '2001:db8::2');
      expect(others.some((line) => line.startsWith('ip: 2001:db8::1'))).toBe(true);
    },
  );

  test('have the unit of most where it has none, the port for peers where its cluster names one, and a kind of key that can be made here', () => {
    expect(told(member('P-256', { unit: undefined }))[1]).toMatch(/^etcd_unit: etcd /);
    for (const status of [
      { memberId: '8', members: [{ id: '7', peerUrls: ['https://10.0.0.1:7001'] }] },
      { memberId: '7', members: [{ id: '7', peerUrls: [] }] },
      { memberId: '7', members: [{ id: '7', peerUrls: ['https://10.0.0.1'] }] },
    ])
      without('etcd_peer_port', ...told(member('P-256', { status })));
    without('etcd_key_type', ...told(member('P-521')));
  });

  test('say where a setting is found that has two words, or that it is the default of etcd', () => {
    const ip = (...gone: readonly string[]): string | undefined =>
      told(member('P-256', {}, ...gone)).find((line) => line.startsWith('ip:'));
    expect(ip('advertise-client-urls')).toMatch(/ETCD_LISTEN_CLIENT_URLS in \/etc\/etcd\.conf:2\)$/);
    expect(ip('advertise-client-urls', 'listen-client-urls')).toMatch(/default of etcd's --advertise-client-urls\)$/);
  });
});
