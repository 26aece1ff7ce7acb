import { believedLister } from '../facts/etcd-membership.js';
import { hasOwnData, lookAtMembers } from '../facts/etcd-phase.js';
import { unitCommand } from '../facts/unit-command.js';
import type { Cluster, Member } from '../model/cluster.js';
import { JOIN_ENV } from '../shell/join-member.js';
import { decideReplacement, type Replacement, type ReplacementLook } from './decide-replacement.js';
import { peersOf, type JoiningWay } from './joining-steps.js';
import { lookBeforeJoining } from './look-before-joining.js';

const DONE: Replacement = { steps: [], removed: undefined, initialCluster: '', found: undefined };

/**
 * The way of a host that the inventory has in the group `etcd`, and the running cluster does not have as a voter, into that
 * cluster. What it asks before it knows that there is nothing to do is asked anyway.
 */
export function joiningWay(cluster: Cluster, member: Member): JoiningWay {
  return {
    cluster,
    member,
    peers: peersOf(cluster, member),
    async decide(probe) {
      const [seen, { environmentFiles }] = await Promise.all([
        lookAtMembers(cluster, probe),
        probe.ask(unitCommand, member.unit),
      ]);
      if (!seen.yetToJoin.includes(member) && !environmentFiles.includes(JOIN_ENV)) return DONE;
      const look = await lookBeforeJoining(cluster, member, probe);
      return decideJoining(cluster, member, look);
    },
  };
}

/**
 * Decides what is left of a way into the cluster. A member that has its data is not begun again: the role `etcd` starts it.
 * @throws ProvisionError as `decideReplacement` does
 */
function decideJoining(cluster: Cluster, member: Member, look: ReplacementLook): Replacement {
  if (hasOwnData(look.state) && look.own.kind === 'silent')
    return {
      ...DONE,
      steps: look.isJoining ? ['promote', 'open'] : [],
      clusterId: believedLister(cluster, look.others)?.clusterId,
    };
  const found = decideReplacement({ ...cluster, members: [...look.peers, member] }, member, look);
  // What its package started alone was moved aside by the role `etcd`.
  const steps = hasOwnData(look.state) ? found.steps : found.steps.filter((step) => step !== 'aside');
  return { ...found, steps };
}
