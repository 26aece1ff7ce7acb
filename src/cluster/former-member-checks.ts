import { FORMER_MEMBERS } from '../model/former-groups.js';
import type { Host, Inventory } from '../model/inventory.js';
import type { VariableReader } from './variable-reader.js';

/** Hosts, by their groups. */
interface FormerHosts {
  readonly members: readonly Host[];
  readonly formerMembers: readonly Host[];
  readonly controlPlanes: readonly Host[];
}

/** Nobody is to be a member and to leave; and members leave only what is managed here. */
export function checkFormerMembers(
  { members, formerMembers, controlPlanes }: FormerHosts,
  inventory: Inventory,
  { isManaged, reader }: { readonly isManaged: boolean; readonly reader: VariableReader },
): void {
  for (const host of formerMembers.filter((each) => members.includes(each))) {
    const message = `is in the group etcd, and in ${FORMER_MEMBERS}: it can't stay and leave; take it out of one`;
    reader.report('error', host.at, host.name, message);
  }
  for (const host of formerMembers.filter((each) => isStacked(each) && !controlPlanes.includes(each))) {
    const message =
      'has a stacked etcd, and is not in kube_control_plane: its API server would lose its etcd; put it there, too';
    reader.report('error', host.at, host.name, message);
  }
  if (isManaged || formerMembers.length === 0) return;
  const message =
    'this etcd was adopted: its units and configuration are not made here, and its members are removed by the tool that ' +
    'made it, in the order of docs/runbooks/remove-a-member.md; leave this group out';
  reader.report('error', inventory.groupAt(FORMER_MEMBERS), `group ${FORMER_MEMBERS}`, message);
}

function isStacked({ variables }: Host): boolean {
  return variables.at('etcd_manifest') !== undefined;
}
