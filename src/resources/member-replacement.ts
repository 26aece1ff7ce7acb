import type { Resource } from '../model/change.js';
import type { Cluster, Member } from '../model/cluster.js';
import type { Probe } from '../model/remote.js';
import { decideReplacement, type Replacement } from './decide-replacement.js';
import { joiningSteps, peersOf, type JoiningSteps, type JoiningWay } from './joining-steps.js';
import { lookBeforeJoining } from './look-before-joining.js';

/** The way from a member that is gone to a new one under its name. */
export function replacementWay(cluster: Cluster, member: Member): JoiningWay {
  return { cluster, member, peers: peersOf(cluster, member), decide: (probe) => replacementOf(cluster, member, probe) };
}

/** The steps of a replacement; they say why nothing is replaced. */
export function memberReplacement(cluster: Cluster, member: Member): JoiningSteps {
  const steps = joiningSteps(replacementWay(cluster, member));
  const [aside, remove] = steps.leaving;
  if (aside === undefined || remove === undefined) throw new Error('a replacement moves aside, and removes');
  return { ...steps, leaving: [aside, withDoubt(remove, cluster, member)] };
}

function withDoubt(resource: Resource, cluster: Cluster, member: Member): Resource {
  return {
    ...resource,
    async doubt(probe) {
      const { found, steps } = await replacementOf(cluster, member, probe);
      return found === undefined || steps.length > 0
        ? undefined
        : `${found}, a member of the cluster: it is not replaced`;
    },
  };
}

async function replacementOf(cluster: Cluster, member: Member, probe: Probe): Promise<Replacement> {
  const look = await lookBeforeJoining(cluster, member, probe);
  return decideReplacement({ ...cluster, members: [...look.peers, member] }, member, look);
}
