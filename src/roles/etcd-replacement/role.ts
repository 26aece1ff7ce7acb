import { ProvisionError } from '../../model/errors.js';
import { memberReplacement, replacementWay } from '../../resources/member-replacement.js';
import { memberParts } from '../etcd/role.js';
import { beforeJoining } from '../etcd-joining/before-joining.js';
import { memberOn, WHOLE_RUN, type Role, type RoleTools } from '../role.js';

/** A new member in place of one that is gone for good, on a bare host with the same name, and maybe another address. */
export function etcdReplacementRole(tools: RoleTools): Role {
  return {
    name: 'etcd-replacement',
    summary: 'has a new member of the etcd cluster, where its own is gone for good',
    resources(host, inventory, cluster, run = WHOLE_RUN) {
      const member = memberOn(cluster, host);
      if (!cluster.isManaged) throw adopted(host.name);
      const { installed, files, environment, program } = memberParts(tools, inventory, { cluster, member });
      const { leaving, joining, open } = memberReplacement(cluster, member);
      const way = replacementWay(cluster, member);
      // What changes the list of members is asked with the release's etcdctl, where a release is wanted.
      return [
        ...beforeJoining(way, run),
        ...installed,
        ...files,
        ...program,
        ...leaving,
        environment,
        ...joining,
        open,
      ];
    },
  };
}

function adopted(host: string): ProvisionError {
  return new ProvisionError({
    code: 'member-not-managed',
    message: `${host}: this etcd was adopted: its packages, unit and configuration are not made here, so its member can't be either`,
    hint: 'replace it with the tool that made it, in the order of docs/runbooks/replace-a-member.md',
  });
}
