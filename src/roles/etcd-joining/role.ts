import { joiningWay } from '../../resources/member-joining.js';
import { joiningSteps } from '../../resources/joining-steps.js';
import { memberOn, WHOLE_RUN, type Role } from '../role.js';
import { beforeJoining } from './before-joining.js';

/** A voter of the running cluster, where the inventory has a member more than that. Its files come with the role `etcd`. */
export function etcdJoiningRole(): Role {
  return {
    name: 'etcd-joining',
    summary: 'is a voter of the running etcd cluster; one that is new serves its own host only',
    resources(host, _, cluster, run = WHOLE_RUN) {
      const member = memberOn(cluster, host);
      if (!cluster.isManaged) return [];
      const way = joiningWay(cluster, member);
      const { leaving, joining } = joiningSteps(way);
      return [...beforeJoining(way, run), ...leaving, ...joining];
    },
  };
}

/** A new voter serves clients: a play of its own, for with two voters a restart of one would stop the cluster. */
export function etcdJoinedRole(): Role {
  return {
    name: 'etcd-joined',
    summary: 'serves clients, where it has just become a voter',
    resources(host, _, cluster) {
      const member = memberOn(cluster, host);
      return cluster.isManaged ? [joiningSteps(joiningWay(cluster, member)).open] : [];
    },
  };
}
