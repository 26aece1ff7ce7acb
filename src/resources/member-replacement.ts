import { etcdStatus, etcdStatusKey } from '../facts/etcd-status.js';
import { lookAtMembers } from '../facts/etcd-phase.js';
import { ALL_ADDRESSES, hostAddresses } from '../facts/host-addresses.js';
import { pathExists } from '../facts/path-exists.js';
import { unitCommand } from '../facts/unit-command.js';
import { unitState } from '../facts/unit-state.js';
import { unlessLost } from '../facts/unless-lost.js';
import { described, hex } from '../facts/etcd-membership.js';
import { changed, UNCHANGED, type Change, type Outcome, type Resource } from '../model/change.js';
import type { Cluster, Member } from '../model/cluster.js';
import { httpsUrl } from '../model/endpoint.js';
import { RemoteError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import {
  addLearner,
  allowJoin,
  endJoin,
  JOIN_DROP_IN,
  moveMemberAside,
  peerUrlOf,
  promoteLearner,
  removeMember,
  type MembershipRequest,
} from '../shell/join-member.js';
import {
  decideReplacement,
  type Replacement,
  type ReplacementLook,
  type ReplacementStep,
} from './decide-replacement.js';
import { decideService, restartMember } from './etcd-member.js';

/** Whose member is replaced, by one on the same host. */
export interface ReplacedMember {
  readonly cluster: Cluster;
  readonly member: Member;
}

/** A snapshot on the control machine, before the list of members is changed. */
export function snapshotBefore(options: ReplacedMember): Resource {
  return resourceOf('snapshot:before', options, ({ steps }) => {
    if (!steps.includes('remove') && !steps.includes('add')) return UNCHANGED;
    return changed({
      summary: 'save a snapshot of the cluster on this machine',
      diff: ['+ .provision/snapshots, beside the inventory'],
      actions: [{ kind: 'save-snapshot' }],
      disruptive: false,
    });
  });
}

/**
 * The way from a member that is gone to a new one under its name: what is in the way is moved aside, the old entry taken
 * out of etcd's list, a learner added, started, and promoted when it has caught up. Give the host its files between
 * the two halves: with an environment file and no data, a member would start under the id of the one that is listed.
 */
export function memberReplacement(options: ReplacedMember): {
  readonly leaving: readonly Resource[];
  readonly joining: readonly Resource[];
} {
  const { member } = options;
  const step = (name: ReplacementStep, what: (replacement: Replacement, probe: Probe) => Promise<Change> | Change) =>
    resourceOf(`member-${name}:${member.name}`, options, async (replacement, probe) =>
      replacement.steps.includes(name) ? changed(await what(replacement, probe)) : UNCHANGED,
    );
  return {
    leaving: [
      step('aside', () => asideChange(member)),
      withDoubt(
        step('remove', (found) => removeChange(options, found)),
        options,
      ),
    ],
    joining: [
      step('add', () => addChange(options)),
      resourceOf(`member-start:${member.name}`, options, (replacement, probe) =>
        startOutcome(member, replacement, probe),
      ),
      step('promote', () => promoteChange(options)),
      step('open', () => openChange(member)),
    ],
  };
}

function resourceOf(
  address: string,
  options: ReplacedMember,
  decide: (replacement: Replacement, probe: Probe) => Promise<Outcome> | Outcome,
): Resource {
  return {
    address,
    paths: [],
    plan: async (probe) => decide(await replacementOf(options, probe), probe),
  };
}

/** Says why nothing is replaced. */
function withDoubt(resource: Resource, options: ReplacedMember): Resource {
  return {
    ...resource,
    async doubt(probe) {
      const { found, steps } = await replacementOf(options, probe);
      return found === undefined || steps.length > 0
        ? undefined
        : `${found}, a member of the cluster: it is not replaced`;
    },
  };
}

async function replacementOf({ cluster, member }: ReplacedMember, probe: Probe): Promise<Replacement> {
  return decideReplacement(cluster, member, await lookBeforeReplacing(cluster, member, probe));
}

async function lookBeforeReplacing(cluster: Cluster, member: Member, probe: Probe): Promise<ReplacementLook> {
  const here = probe.on(member.host);
  const peers = cluster.members.filter(({ host }) => host !== member.host);
  const clientUrl = httpsUrl(member.address, member.clientPort);
  const [seen, own, unit, addresses, isJoining, others, answers] = await Promise.all([
    lookAtMembers({ ...cluster, members: [member] }, probe),
    here.ask(etcdStatus, etcdStatusKey(member)),
    here.ask(unitCommand, member.unit),
    here.ask(hostAddresses, ALL_ADDRESSES),
    here.ask(pathExists, JOIN_DROP_IN),
    Promise.all(peers.map(async (peer) => unlessLost(probe.on(peer.host).ask(etcdStatus, etcdStatusKey(peer))))),
    Promise.all(
      peers.map(async ({ host, client }) =>
        unlessLost(probe.on(host).ask(etcdStatus, etcdStatusKey({ clientUrl, client }))),
      ),
    ),
  ]);
  const [state] = seen.states;
  // The host answers, or asking it threw.
  if (state === undefined) throw seen.away[0]?.error ?? new Error(`${member.host} was not looked at`);
  return {
    ...{ state, own, isJoining },
    isRunning: unit.running.length > 0,
    hasAddress: addresses.some(({ address }) => address === member.address),
    others: others.flatMap((status, index) =>
      status instanceof RemoteError || status.kind === 'silent' ? [] : [{ host: peers[index]?.host ?? '', ...status }],
    ),
    answering: [
      ...new Set(
        answers.flatMap((status) =>
          status instanceof RemoteError || status.kind === 'silent' ? [] : [status.memberId],
        ),
      ),
    ],
  };
}

function requestOf({ cluster, member }: ReplacedMember): MembershipRequest {
  return { member, peers: cluster.members.filter(({ host }) => host !== member.host) };
}

function asideChange(member: Member): Change {
  const { dataDir } = member;
  return {
    summary: `move the data of a member that is gone aside: ${dataDir}/member`,
    diff: [`${dataDir}/member → ${dataDir}/member.replaced-TIME: kept, never deleted`],
    actions: [
      { kind: 'run', command: moveMemberAside(member), undo: { lasting: 'the data stays aside, under a dated name' } },
    ],
    disruptive: false,
  };
}

function removeChange(options: ReplacedMember, { removed }: Replacement): Change {
  if (removed === undefined) throw new Error('there is no entry to remove');
  const { member } = options;
  return {
    summary: `remove ${member.name} from the list of members, by its id ${hex(removed.id)}`,
    diff: [
      `- ${described(removed)}`,
      `${member.host} has no etcd process and no data of it`,
      "from here on the old member can't come back: with its old data it ends by itself",
    ],
    actions: [
      { kind: 'await', gate: 'etcd-serves-without-batch', parameters: {} },
      {
        kind: 'run',
        command: removeMember(requestOf(options), hex(removed.id)),
        undo: { lasting: 'the old member stays removed: run the same command again' },
      },
    ],
    disruptive: false,
  };
}

function addChange(options: ReplacedMember): Change {
  const { member } = options;
  return {
    summary: `add ${member.name} to the list of members, as a learner`,
    diff: [`+ ${member.name} (${peerUrlOf(member)}), without a vote until it has caught up`],
    actions: [
      { kind: 'await', gate: 'etcd-serves-without-batch', parameters: {} },
      {
        kind: 'run',
        command: addLearner(requestOf(options)),
        undo: { lasting: 'the learner stays listed; it has no vote: run the same command again' },
      },
    ],
    disruptive: false,
  };
}

async function startOutcome(member: Member, replacement: Replacement, probe: Probe): Promise<Outcome> {
  const { steps, initialCluster } = replacement;
  if (!steps.includes('start')) return UNCHANGED;
  const unit = await probe.ask(unitState, member.unit);
  const started = decideService(member, { ...unit, active: false }, []);
  if (started.kind !== 'change') throw new Error(`${member.unit} would not be started`);
  return changed({
    summary: `start ${member.unit} (member ${member.name}) as a learner`,
    diff: [`initial cluster ${initialCluster}, state existing`, 'until it is a voter it serves its own host only'],
    actions: [
      {
        kind: 'run',
        command: allowJoin(member, initialCluster),
        undo: { lasting: 'the drop-in stays until the member is a voter' },
      },
      ...started.change.actions,
    ],
    disruptive: false,
  });
}

function promoteChange(options: ReplacedMember): Change {
  return {
    summary: `promote ${options.member.name} to a voter, once it has caught up`,
    diff: ['its own raft index is compared with that of the leader: started, and at most a few entries behind'],
    actions: [
      { kind: 'await', gate: 'etcd-learner-caught-up', parameters: {} },
      {
        kind: 'run',
        command: promoteLearner(requestOf(options)),
        undo: { lasting: 'it stays a member' },
      },
    ],
    disruptive: false,
  };
}

function openChange(member: Member): Change {
  return {
    summary: `restart ${member.unit} (member ${member.name}): it serves clients from now on`,
    diff: [`- ${JOIN_DROP_IN}`],
    actions: [
      { kind: 'await', gate: 'etcd-can-spare-batch', parameters: {} },
      { kind: 'run', command: endJoin(), undo: { lasting: 'it stays a member' } },
      ...restartMember(member),
    ],
    disruptive: false,
  };
}
