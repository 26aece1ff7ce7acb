import { etcdData, etcdDataKey } from '../facts/etcd-data.js';
import { changed, UNCHANGED, type Resource } from '../model/change.js';
import type { Cluster, Member } from '../model/cluster.js';
import { forbidBootstrap } from '../shell/etcd-unit.js';
import { isBootstrap } from './etcd-member.js';

/**
 * No bootstrap is allowed any more. A play gives this after the members are healthy; a plan of a bootstrap lists it
 * already, for the drop-in that it removes will be there by then.
 */
export function etcdSettled({ cluster, member }: { readonly cluster: Cluster; readonly member: Member }): Resource {
  return {
    address: `etcd-settled:${member.name}`,
    paths: [],
    async plan(probe) {
      const [data, isFirst] = await Promise.all([
        probe.ask(etcdData, etcdDataKey(member)),
        isBootstrap(cluster, member, probe),
      ]);
      if (!data.isBootstrapping && !isFirst) return UNCHANGED;
      return changed({
        summary: `remove the bootstrap drop-in of ${member.name}: the cluster is formed`,
        diff: ['- the systemd drop-in that allowed it'],
        actions: [{ kind: 'run', command: forbidBootstrap(), undo: { lasting: 'the drop-in stays away' } }],
        effect: 'delete',
        disruptive: false,
      });
    },
  };
}
