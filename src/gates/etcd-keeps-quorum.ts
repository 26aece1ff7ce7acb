import { quorum } from '../facts/etcd-phase.js';
import type { Cluster } from '../model/cluster.js';
import type { Gate } from '../model/gate.js';
import { lookAtPresent } from './ask-members.js';
import { etcdCanSpareBatch } from './etcd-healthy.js';

/**
 * The members outside the batch are healthy, and a quorum: those of the batch may be away for minutes. A restart of seconds may have a
 * cluster of two wait (`etcd-can-spare-batch`), a reboot may not.
 */
export function etcdKeepsQuorum(cluster: Cluster, now: () => Date): Gate {
  const spare = etcdCanSpareBatch(cluster, now);
  return {
    ...spare,
    name: 'etcd-keeps-quorum-without-batch',
    async check(input) {
      // A stacked one that is to leave counts until it has.
      const taken = [...cluster.members, ...cluster.formerMembers].filter(({ host }) => input.batch.includes(host));
      if (taken.length > 0) {
        const [{ present }] = await lookAtPresent(cluster, input.probe);
        const all = present.members.length;
        const left = present.members.filter(({ host }) => !input.batch.includes(host)).length;
        const names = taken.map(({ host }) => host).join(', ');
        if (all > 0 && left < all && left < quorum(all))
          return {
            open: false,
            reason: `${names} is one of ${all} etcd members: while it is away, ${left} would be left, fewer than a quorum of ${quorum(all)}`,
            next: `add members first (docs/runbooks/add-a-member.md), or upgrade ${names} by hand, while nobody needs the cluster`,
            isFinal: true,
          };
      }
      return spare.check(input);
    },
  };
}
