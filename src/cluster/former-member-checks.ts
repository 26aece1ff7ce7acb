import { FORMER_MEMBERS } from '../model/former-groups.js';
import type { Host, Inventory } from '../model/inventory.js';
import type { VariableReader } from './variable-reader.js';

/** Nobody is to be a member and to leave; and members leave only what is managed here. */
export function checkFormerMembers(
  { members, formerMembers }: { readonly members: readonly Host[]; readonly formerMembers: readonly Host[] },
  inventory: Inventory,
  { isManaged, reader }: { readonly isManaged: boolean; readonly reader: VariableReader },
): void {
  for (const host of formerMembers.filter((each) => members.includes(each))) {
    const message = `is in the group etcd, and in ${FORMER_MEMBERS}: it can't stay and leave; take it out of one`;
    reader.report('error', host.at, host.name, message);
  }
  if (isManaged || formerMembers.length === 0) return;
  const message =
    'this etcd was adopted: its units and configuration are not made here, and its members are removed by the tool that ' +
    'made it, in the order of docs/runbooks/remove-a-member.md; leave this group out';
  reader.report('error', inventory.groupAt(FORMER_MEMBERS), `group ${FORMER_MEMBERS}`, message);
}
