import { expect, test } from '@jest/globals';
import { lookAtRemains } from '../../../src/day-two/look-at-remains.js';
import { CLUSTER, checkedCluster, MANIFEST_TEXT } from '../../support/checked-cluster.js';

const [PLANE] = CLUSTER.controlPlanes;
if (PLANE === undefined) throw new Error('the cluster has a control plane');
const at = (host: string): typeof PLANE => ({ ...PLANE, host });

/** cp-2 has client files of its own. */
const OWN = MANIFEST_TEXT.replace(
  /\[kube-apiserver, (.*)\]/,
  '[kube-apiserver, $1, --etcd-cafile=/own/ca.crt, --etcd-certfile=/own/c.crt, --etcd-keyfile=/own/c.key]',
);

test('each member is heard by every other host, once with each pair of client files that it has', async () => {
  const asked: string[] = [];
  const { probe } = checkedCluster({
    'etcd-identities': (host, key) => {
      asked.push(`${host} ${key}`);
      return { kind: 'answers', clusterId: '7', memberId: '1', leaderId: '1', revision: 3 };
    },
    'etcd-remains': () => ({ kind: 'data' }),
    'restore-tool': () => ({ kind: 'etcdutl' }),
    'file-contents': (host) => (host === 'cp-2' ? OWN : MANIFEST_TEXT),
  });
  // etcd-1 is a control plane, too.
  const controlPlanes = ['etcd-1', 'cp-2', 'cp-3'].map(at);
  const { seen, id, tools } = await lookAtRemains({ members: CLUSTER.members, controlPlanes }, probe);
  expect(seen.map(({ member, heard }) => `${member.host}: ${heard.map(({ host }) => host).join(' ')}`)).toEqual([
    'etcd-1: etcd-2 etcd-3 cp-2 cp-3 cp-2',
    'etcd-2: etcd-1 etcd-3 cp-2 cp-3 cp-2',
    'etcd-3: etcd-1 etcd-2 cp-2 cp-3 cp-2',
  ]);
  expect(asked.filter((each) => each.includes('/own/c.crt'))).toHaveLength(3);
  expect([id, [...tools.keys()]]).toEqual([undefined, ['etcd-1', 'etcd-2', 'etcd-3']]);
});
