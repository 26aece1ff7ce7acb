import { describe, expect, test } from '@jest/globals';
import type { ClusterPicture } from '../../../../src/model/cluster-picture.js';
import { drawCluster } from '../../../../src/report/page/drawing.js';
import { mermaidOf } from '../../../../src/report/page/mermaid.js';
import { BEHIND_VIRTUAL_IP, DIRECT } from '../../../support/sample-records.js';

/** A drawing as its links, by the titles of their boxes. */
function linksOf(picture: ClusterPicture): readonly string[] {
  const { columns, links } = drawCluster(picture);
  const boxes = new Map(
    columns.flatMap(({ title, boxes }) => boxes.map((box) => [box.id, `${title}/${box.title}`] as const)),
  );
  return links.map(({ from, to, kind }) => `${boxes.get(from) ?? '?'} ${kind} ${boxes.get(to) ?? '?'}`);
}

const boxOf = (picture: ClusterPicture, id: string) =>
  drawCluster(picture)
    .columns.flatMap(({ boxes }) => boxes)
    .find((box) => box.id === id);

test('API servers are led to the virtual IP, its holder to the members, and the others would be', () => {
  expect(linksOf(BEHIND_VIRTUAL_IP)).toEqual([
    'API servers/cp-1 solid virtual IP of etcd/192.0.2.100:2379',
    'virtual IP of etcd/192.0.2.100:2379 dashed balancers of etcd/etcd-1',
    'virtual IP of etcd/192.0.2.100:2379 solid balancers of etcd/etcd-2',
    'virtual IP of etcd/192.0.2.100:2379 dashed balancers of etcd/etcd-3',
    ...['etcd-1', 'etcd-2', 'etcd-3'].map((host) => `balancers of etcd/etcd-2 solid etcd members/${host}`),
  ]);
  expect(linksOf(DIRECT)).toHaveLength(6);
});

test.each([
  ['by nobody', ['no', 'no'], 'held by nobody', 'bad'],
  ['by one', ['no', 'yes'], 'held by b', 'good'],
  ['by two', ['yes', 'yes'], 'held by 2 hosts at once', 'bad'],
  ['nobody knows', ['unknown', 'unknown'], 'virtual IP', 'plain'],
] as const)('a virtual IP that is held %s is shown so', (_, [a, b], detail, tone) => {
  const service = { name: 'etcd', ip: 'fd00::9', port: 2379, proxy: 'nginx' } as const;
  const balancers = [
    { host: 'a', holds: a },
    { host: 'b', holds: b },
  ];
  const picture: ClusterPicture = { ...DIRECT, services: [{ ...service, balancers }] };
  expect(boxOf(picture, 'v-etcd')).toMatchObject({ title: '[fd00::9]:2379', detail, tone });
});

test('a load balancer of others, and the API behind a virtual IP of its own', () => {
  const picture: ClusterPicture = {
    ...DIRECT,
    external: 'etcd.example:2379',
    apiServers: [
      { host: 'cp-1', servers: ['etcd.example:2379'] },
      { host: 'cp-2', servers: ['elsewhere:2379', '[192.0.2.1]:2379'] },
    ],
    services: [
      {
        ...{ name: 'kube-apiserver', ip: '192.0.2.101', port: 8443, proxy: 'haproxy' },
        balancers: [{ host: 'cp-1', holds: 'yes' }],
      },
    ],
  };
  expect(linksOf(picture)).toEqual([
    'virtual IP of kube-apiserver/192.0.2.101:8443 solid balancers of kube-apiserver/cp-1',
    'balancers of kube-apiserver/cp-1 solid API servers/cp-1',
    'balancers of kube-apiserver/cp-1 solid API servers/cp-2',
    'API servers/cp-1 solid load balancer/etcd.example:2379',
  ]);
  expect(boxOf(picture, 'a1')).toMatchObject({ detail: '2 etcd servers' });
});

describe('a long column', () => {
  const hosts = (count: number) => Array.from({ length: count }, (_, index) => `cp-${index}`);
  const many = (count: number): ClusterPicture => ({
    ...BEHIND_VIRTUAL_IP,
    apiServers: hosts(count).map((host, index) =>
      index === count - 1 ? { host, servers: [], absent: 'unreachable' } : { host, servers: ['192.0.2.100:2379'] },
    ),
  });

  test('ends with one box for the rest, as bad as the worst of it, which has its links', () => {
    const [column] = drawCluster(many(40)).columns;
    expect(column?.boxes).toHaveLength(12);
    expect(column?.boxes.at(-1)).toMatchObject({ title: '29 more', tone: 'bad' });
    expect(linksOf(many(40)).filter((link) => link.startsWith('API servers'))).toHaveLength(12);
  });

  test('of twelve is shown whole', () => {
    expect(drawCluster(many(12)).columns[0]?.boxes.at(-1)).toMatchObject({ title: 'cp-11' });
  });
});

test('Mermaid gets letters, digits and what means nothing to it; all else by its number', () => {
  const [member] = DIRECT.members;
  const host = 'a"];b`|<c>#&-->ü.d';
  const lines = mermaidOf(drawCluster({ ...DIRECT, apiServers: [], members: member ? [{ ...member, host }] : [] }));
  expect(lines).toEqual([
    'flowchart LR',
    '  subgraph g0 ["etcd members"]',
    '    n0["a#34;#93;#59;b#96;#124;#60;c#62;#35;#38;--#62;ü.d<br/>leader, etcd 3.5.16"]',
    '  end',
  ]);
});
