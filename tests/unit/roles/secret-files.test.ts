import { describe, expect, test } from '@jest/globals';
import type { Cluster } from '../../../src/model/cluster.js';
import { MarkedText } from '../../../src/model/marked-text.js';
import { Secret } from '../../../src/model/secret.js';
import { placed } from '../../support/bare-host.js';
import { withFirst } from '../../support/role-clusters.js';
import { PLANTED_AUTH_PASS } from '../../support/role-tools.js';
import { SAMPLE_CLUSTER, sampleBalancer } from '../../support/sample-cluster.js';

const { proxy } = sampleBalancer(1);

/** `path mode` of every file that holds a secret, or a key. */
async function secretFiles(host: string, cluster: Cluster): Promise<readonly string[]> {
  const actions = await placed(host, cluster);
  const found = actions.flatMap((action) => {
    if (action.kind === 'write-file')
      return action.content.reveal() === action.content.redacted ? [] : [`${action.path} ${action.mode}`];
    if (action.kind !== 'issue-certificate') return [];
    const { destination, mode } = action;
    return [`${destination.layout === 'pair' ? destination.keyPath : destination.path} ${mode}`];
  });
  return [...new Set(found)].toSorted();
}

describe('what holds a secret is its owner’s alone', () => {
  const KEYS = [
    '/etc/etcd/pki/client.key 0600',
    '/etc/etcd/pki/peer.key 0600',
    '/etc/etcd/pki/server.key 0600',
    '/etc/haproxy/etcd-client.pem 0600',
    '/etc/keepalived/keepalived.conf 0600',
  ];
  const secret = new MarkedText(['stats auth admin:', new Secret(PLANTED_AUTH_PASS)]);
  const WITH_SECRETS = withFirst({ extraEnv: { ETCD_SECRET: secret } }, { proxy: { ...proxy, extraConfig: secret } });

  test.each([
    ['etcd-1', SAMPLE_CLUSTER, KEYS],
    ['etcd-3', SAMPLE_CLUSTER, KEYS],
    ['cp-1', SAMPLE_CLUSTER, ['/etc/kubernetes/pki/apiserver-etcd-client.key 0600']],
    ['etcd-1', WITH_SECRETS, ['/etc/default/etcd 0600', ...KEYS, '/etc/haproxy/haproxy.cfg 0600'].toSorted()],
    ['etcd-2', WITH_SECRETS, KEYS],
  ])('on %s', async (host, cluster, expected) => {
    expect(await secretFiles(host, cluster)).toEqual(expected);
  });

  test('and what holds none is for all to read, as the packages have it', async () => {
    const written = (await placed('etcd-1', SAMPLE_CLUSTER)).flatMap((action) =>
      action.kind === 'write-file' ? [`${action.path} ${action.mode}`] : [],
    );
    expect(written.toSorted()).toEqual([
      '/etc/default/etcd 0644',
      '/etc/haproxy/haproxy.cfg 0644',
      '/etc/keepalived/keepalived.conf 0600',
      '/usr/local/lib/provision/check-haproxy 0755',
    ]);
  });
});
