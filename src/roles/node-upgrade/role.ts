import { SERVICE_NAMES, serviceNamed } from '../../model/virtual-service.js';
import { nodeUpgradeSteps } from '../../resources/node-upgrade.js';
import { packageLists, type ListsJudge } from '../../resources/package-lists.js';
import { supportedSystem } from '../../resources/supported-system.js';
import { nodeOn, type Role } from '../role.js';

/** A host whose lists of packages say what there is to upgrade. */
export function packageListsRole(lists: ListsJudge): Role {
  return {
    name: 'package-lists',
    summary: 'has lists of packages that are at most a day old',
    resources: (host, _, cluster) => {
      nodeOn(cluster, host);
      return [supportedSystem(cluster), packageLists(lists)];
    },
  };
}

/** A node whose packages are upgraded, and which was rebooted where that was needed, without pods meanwhile. */
export function nodeUpgradeRole(lists: ListsJudge): Role {
  return {
    name: 'node-upgrade',
    summary: 'has its packages upgraded, but for those on hold; drained for it, and rebooted where needed',
    resources: (host, _, cluster) => {
      const { nodes, settings } = cluster.kubernetes;
      const controlPlanes = nodes.filter(({ kind }) => kind === 'control-plane');
      const isMember = [...cluster.members, ...cluster.formerMembers].some((member) => member.host === host.name);
      const balancerOf = SERVICE_NAMES.filter((name) =>
        serviceNamed(cluster, name)?.balancers.some((balancer) => balancer.host === host.name),
      );
      return nodeUpgradeSteps({ node: nodeOn(cluster, host), controlPlanes, settings, isMember, balancerOf, lists });
    },
  };
}
