import { expect, test } from '@jest/globals';
import type { ClusterPicture } from '../../../src/model/cluster-picture.js';
import { renderPicture } from '../../../src/report/picture-text.js';
import { BEHIND_VIRTUAL_IP, DIRECT } from '../../support/sample-records.js';

const PLAIN = { colour: false };

test('a cluster is drawn in a few lines, from clients to members, and hosts of which the same is said are together', () => {
  expect(renderPicture(BEHIND_VIRTUAL_IP, PLAIN)).toMatchInlineSnapshot(`
   "API servers         cp-1: 192.0.2.100:2379; cp-2: not running
   virtual IP of etcd  192.0.2.100:2379: held by etcd-2
   balancers of etcd   etcd-1, etcd-3: haproxy; etcd-2: haproxy, holds the IP
   etcd members        etcd-1: leader, etcd 3.5.16; etcd-2: follower, etcd 3.5.16; etcd-3: does not answer

   "
  `);
  expect(renderPicture(DIRECT, PLAIN)).toMatchInlineSnapshot(`
   "API servers   cp-1, cp-2: 3 etcd servers
   etcd members  etcd-1: leader, etcd 3.5.16; etcd-2, etcd-3: follower, etcd 3.5.16

   "
  `);
});

test('what is bad is shown as bad, and nothing of a host reaches the terminal as it is', () => {
  const picture: ClusterPicture = {
    ...DIRECT,
    members: [{ host: 'etcd-1', name: 'etcd-1', address: '192.0.2.1', state: 'leader', version: '3\u001b]52;c;x' }],
    apiServers: [{ host: 'cp-1', servers: [], absent: 'unreachable' }],
  };
  const text = renderPicture(picture, { colour: true });
  expect(text).toMatch(/\u001b\[31mcp-1: unreachable/);
  expect(text).not.toContain('\u001b]52');
});

test('of many hosts, too, each keeps its name: the holder, and who points elsewhere', () => {
  const names = Array.from({ length: 15 }, (_, index) => `host-${String(index + 1).padStart(2, '0')}`);
  const picture: ClusterPicture = {
    ...DIRECT,
    services: [
      {
        ...{ name: 'etcd', ip: '192.0.2.100', port: 2379, proxy: 'haproxy' },
        balancers: names.map((host) => ({ host, holds: host === 'host-15' ? 'yes' : 'no' })),
      },
    ],
    apiServers: names.map((host) => ({ host, servers: [host === 'host-14' ? 'elsewhere:2379' : '192.0.2.100:2379'] })),
  };
  const text = renderPicture(picture, PLAIN);
  expect(text).toContain('host-15: haproxy, holds the IP');
  expect(text).toContain('host-14: elsewhere:2379');
});

test('where there is no cluster, nothing is drawn', () => {
  expect(renderPicture({ members: [], services: [], external: undefined, apiServers: [] }, PLAIN)).toBe('');
});
