import { noScheduledSnapshots } from '../../resources/no-scheduled-snapshots.js';
import { leavingSteps, lostLeavingSteps } from '../../resources/leaving-steps.js';
import { formerMemberOn, memberOn, type Role } from '../role.js';

/** A host whose member has left the running cluster: not listed, stopped, its data aside. */
export function etcdLeavingRole(): Role {
  return {
    name: 'etcd-leaving',
    summary: 'has no member of the etcd cluster any more; its data is kept aside',
    resources: (host, _, cluster) => [...leavingSteps(cluster, formerMemberOn(cluster, host)), noScheduledSnapshots()],
  };
}

/** Members that are to leave, and whose hosts can't be asked, are off the list: one thing of the cluster, done by the first member. */
export function etcdLostLeavingRole(): Role {
  return {
    name: 'etcd-lost-leaving',
    summary: 'lists no former member whose host is lost',
    resources(host, _, cluster) {
      const member = memberOn(cluster, host);
      return member === cluster.members[0] ? lostLeavingSteps(cluster, member) : [];
    },
  };
}
