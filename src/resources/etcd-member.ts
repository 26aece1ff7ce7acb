import {
  clusterPhase,
  hasOwnData,
  lookAtMembers,
  type ClusterPhase,
  type MembersSeen,
  type MemberState,
} from '../facts/etcd-phase.js';
import { unitState, type UnitState } from '../facts/unit-state.js';
import type { Action, Run } from '../model/action.js';
import { changed, UNCHANGED, type Effect, type Outcome, type Resource } from '../model/change.js';
import type { Cluster, Member } from '../model/cluster.js';
import type { Probe } from '../model/remote.js';
import { allowBootstrap, queueEtcd } from '../shell/etcd-unit.js';
import { handOverLeadership } from '../shell/etcdctl.js';
import { serviceCommand } from '../shell/service-command.js';
import {
  differenceSeen,
  lostMember,
  nobodyToLeave,
  notKnown,
  refuseBelowQuorum,
  refuseOtherMembership,
} from './member-refusals.js';
import { dataElsewhere, refuseOtherAddress } from './moved-member.js';
import { newerFiles } from './service.js';

/** One member of the cluster, as a running service. */
export interface EtcdMemberOptions {
  readonly cluster: Cluster;
  readonly member: Member;
  /**
   * What a running etcd reads only at its start: its environment file and the trust bundle (etcd#11555). Leaf
   * certificates are read again at every handshake, and need no restart.
   */
  readonly runsWith: readonly Resource[];
  /** Given: why its process must be restarted, in words, as of another program; what it throws refuses the plan. */
  readonly otherReasons?: ((probe: Probe) => Promise<readonly string[]>) | undefined;
}

/**
 * An etcd member: formed with the others when there is no cluster yet, started when it is down, restarted when it runs
 * with older files. It never begins a second cluster.
 */
export function etcdMember(options: EtcdMemberOptions): Resource {
  const { cluster, member } = options;
  return {
    address: `etcd-member:${member.name}`,
    paths: [],
    async plan(probe) {
      const [seen, unit, newer, others = []] = await Promise.all([
        lookAtMembers(cluster, probe),
        probe.ask(unitState, member.unit),
        newerFiles(options.runsWith, probe),
        options.otherReasons?.(probe),
      ]);
      const outcome = decide(options, seen, unit, [...newer(unit.startedAt), ...others]);
      if (clusterPhase(seen) === 'serving') {
        await refuseOtherMembership(cluster, member, { outcome, probe });
        await refuseOtherAddress(cluster, member, probe);
      }
      return outcome;
    },
    async doubt(probe) {
      const difference = await differenceSeen(cluster, probe);
      return difference === undefined ? undefined : `${difference.text}: ${difference.next}`;
    },
  };
}

/** Whether the member's next start is the first one of its cluster: the bootstrap drop-in is then written for it. */
export async function isBootstrap(cluster: Cluster, member: Member, probe: Probe): Promise<boolean> {
  const seen = await lookAtMembers(cluster, probe);
  return !hasOwnData(ownState(seen, member)) && isForming(clusterPhase(seen));
}

function decide(
  { cluster, member }: EtcdMemberOptions,
  seen: MembersSeen,
  unit: UnitState,
  reasons: readonly string[],
): Outcome {
  const own = ownState(seen, member);
  if (own.keptIn !== undefined) throw dataElsewhere(member, own.keptIn);
  // A role of its own has it join (etcd-joining), and one that joins is a service once it has data.
  if (seen.joining.includes(own) && !hasOwnData(own)) return UNCHANGED;
  if (hasOwnData(own)) {
    if (unit.active && reasons.length > 0) refuseBelowQuorum(member, seen);
    return decideService(member, unit, reasons);
  }
  const phase = clusterPhase(seen);
  if (phase === 'unsure') throw notKnown(member, seen);
  if (!isForming(phase)) throw lostMember(member, seen.states);
  if (cluster.formerMembers.length > 0) throw nobodyToLeave(cluster.formerMembers);
  return changed({
    summary: `bootstrap the etcd cluster: start ${member.name} together with the other members`,
    diff: [
      `+ ${cluster.members.map(({ name }) => name).join(', ')} start as one new cluster, ${cluster.token}`,
      '+ a systemd drop-in allows the bootstrap, and is removed once the cluster is formed',
    ],
    actions: [
      ...unmask(member, unit),
      { kind: 'run', command: allowBootstrap(), undo: { lasting: 'the drop-in stays until the cluster is formed' } },
      enable(member, unit),
      { kind: 'run', command: queueEtcd('restart', member.unit), undo: serviceCommand('stop', member.unit) },
    ],
    effect: 'create',
    disruptive: false,
  });
}

/** The most that is done to a service. */
function effectOf(unit: UnitState, isStale: boolean): Effect {
  if (isStale) return 'restart';
  return unit.active ? 'change' : 'start';
}

/**
 * A member that has its data, as a service: started when it is down, restarted when it runs with older files.
 * @param reasons why it must be restarted, in words
 */
export function decideService(member: Member, unit: UnitState, reasons: readonly string[]): Outcome {
  const isStale = unit.active && reasons.length > 0;
  const words = [
    ...(unit.maskedAtRuntime ? ['unmask'] : []),
    ...(unit.enabled ? [] : ['enable']),
    ...(unit.active ? [] : ['start']),
    ...(isStale ? ['restart'] : []),
  ];
  if (words.length === 0) return UNCHANGED;
  const actions: Action[] = [...unmask(member, unit)];
  if (!unit.enabled) actions.push(enable(member, unit));
  if (!unit.active) actions.push(start(member, reasons));
  if (isStale) actions.push(...restartMember(member));
  return changed({
    summary: `${words.join(' and ')} ${member.unit} (member ${member.name})`,
    diff: isStale ? reasons.map((reason) => `because ${reason}`) : [],
    actions,
    effect: effectOf(unit, isStale),
    disruptive: isStale,
  });
}

/** Restarts a member: it hands over leadership first, and an election timeout passes after. */
export function restartMember(member: Member): readonly Run[] {
  const verb = serviceCommand('restart', member.unit);
  const seconds = Math.ceil(member.electionTimeoutMs / 1000);
  return [
    handOver(member),
    { kind: 'run', command: verb, undo: verb },
    {
      kind: 'run',
      // Followers that missed the leader would begin an election within this time: let it pass before the gate looks.
      command: { summary: `wait one election timeout (${seconds} s)`, script: `sleep ${seconds}` },
      undo: 'nothing',
    },
  ];
}

/** Before a member answers nobody for a while: clients wait for a transfer, not for an election. */
export function handOver(member: Member): Run {
  const command = { summary: 'hand over etcd leadership, if held', script: handOverLeadership(member) };
  return { kind: 'run', command, undo: 'nothing' };
}

function unmask(member: Member, unit: UnitState): readonly Run[] {
  const command = serviceCommand('unmask', member.unit);
  return unit.maskedAtRuntime ? [{ kind: 'run', command, undo: serviceCommand('mask', member.unit) }] : [];
}

function enable({ unit: name }: Member, unit: UnitState): Run {
  const undo = unit.enabled ? 'nothing' : serviceCommand('disable', name);
  return { kind: 'run', command: serviceCommand('enable', name), undo };
}

/** @param reasons why a process that is not ready yet, as one that waits for a quorum, must not become so */
function start({ unit }: Member, reasons: readonly string[]): Run {
  const command = queueEtcd(reasons.length === 0 ? 'start' : 'restart', unit);
  // Stopped again, it would be missing in the quorum for a failure elsewhere.
  return { kind: 'run', command, undo: { lasting: 'the member that was down stays up' } };
}

function isForming(phase: ClusterPhase): boolean {
  return phase === 'absent' || phase === 'forming';
}

function ownState({ states, joining, away }: MembersSeen, member: Member): MemberState {
  const own = [...states, ...joining].find((state) => state.host === member.host);
  if (own !== undefined) return own;
  throw (
    away.find(({ host }) => host === member.host)?.error ??
    new Error(`${member.host} is not a member of its own cluster`)
  );
}
