import { clientServersOf } from '../../facts/apiserver-manifest.js';
import { askText } from '../../facts/file-content.js';
import { unlessLost } from '../../facts/unless-lost.js';
import type { Cluster } from '../../model/cluster.js';
import { namesJust } from '../../model/endpoint.js';
import { etcdWay } from '../../model/etcd-way.js';
import type { Probe } from '../../model/remote.js';
import { formerGroupOf, SERVICE_GROUPS } from '../../model/virtual-service.js';
import { noOwnBalancer } from '../../resources/no-own-balancer.js';
import type { Role } from '../role.js';

/** A cluster whose etcd others balance: no host of it keeps a virtual IP of ours. Looked at once, with the first member. */
export function externalBalancerRole(): Role {
  return {
    name: 'etcd-external-balancer',
    summary: 'has no load balancer of this program: others run it',
    resources(host, _, cluster) {
      const { members, controlPlanes, external, inventory } = cluster;
      if (external === undefined || host.name !== members[0]?.host) return [];
      const { formerBalancers, keepalived } = external.former;
      const former = new Set(formerBalancers.map((each) => each.host));
      const parts = new Set([...members, ...controlPlanes].map((each) => each.host));
      const others = inventory.hosts.filter((name) => !former.has(name));
      return [
        noOwnBalancer({
          keepalived,
          near: others.filter((name) => parts.has(name)),
          far: others.filter((name) => !parts.has(name)),
          isMoved: async (probe) => isMoved(cluster, probe),
          ...{ group: formerGroupOf(SERVICE_GROUPS.etcd), file: inventory.file },
        }),
      ];
    },
  };
}

/** Whether every kube-apiserver that can be asked is given the other balancer already. */
async function isMoved(cluster: Cluster, probe: Probe): Promise<boolean> {
  const url = etcdWay(cluster)?.url ?? '';
  const moved = await Promise.all(
    cluster.controlPlanes.map(async ({ host, manifest }) => {
      const text = await unlessLost(askText(probe.on(host), manifest));
      if (typeof text !== 'string') return true;
      return namesJust(clientServersOf(manifest, text).join(), [url]);
    }),
  );
  return !moved.includes(false);
}
