import { joiningWay } from '../../resources/member-joining.js';
import { joiningSteps } from '../../resources/joining-steps.js';
import { memberParts } from '../etcd/role.js';
import { beforeJoiningAgain } from '../etcd-joining/before-joining.js';
import { memberOn, type Role, type RoleTools } from '../role.js';

/** A member that joins a cluster that was recovered without it, on the host that it had or a bare one. */
export function etcdRecoveryRole(tools: RoleTools): Role {
  return {
    name: 'etcd-recovery',
    summary: 'is a voter of the etcd cluster that was recovered without it',
    resources(host, inventory, cluster) {
      const member = memberOn(cluster, host);
      if (!cluster.isManaged) return [];
      const { installed, files, environment, program } = memberParts(tools, inventory, { cluster, member });
      const way = joiningWay(cluster, member);
      const { leaving, joining } = joiningSteps(way);
      // What changes the list of members is asked with the release's etcdctl, where a release is wanted.
      return [...installed, ...files, ...program, ...beforeJoiningAgain(way), ...leaving, environment, ...joining];
    },
  };
}
