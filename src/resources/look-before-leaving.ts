import { etcdData, etcdDataKey } from '../facts/etcd-data.js';
import { lookAtMembers, type MembersSeen } from '../facts/etcd-phase.js';
import { etcdPod, etcdPodKey } from '../facts/etcd-pod.js';
import { etcdStatus, etcdStatusKey, type EtcdStatus } from '../facts/etcd-status.js';
import { fileOrigin } from '../facts/file-origin.js';
import { unitCommand } from '../facts/unit-command.js';
import { unitState } from '../facts/unit-state.js';
import { unlessLost } from '../facts/unless-lost.js';
import type { Cluster, Member } from '../model/cluster.js';
import { hostPort } from '../model/endpoint.js';
import { RemoteError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import { podMember, type PodMember } from '../shell/etcd-pod.js';
import type { LeavingHost, LeavingLook } from './decide-removal.js';

/** Asks the host of a member that is to leave, and the other members, what {@link LeavingLook} needs. */
export async function lookBeforeLeaving(cluster: Cluster, member: Member, probe: Probe): Promise<LeavingLook> {
  const all = [...cluster.members, ...cluster.formerMembers];
  // At once: what is asked in one turn travels in one exec.
  const [seen, here, answers] = await Promise.all([
    lookAtMembers(cluster, probe),
    unlessLost(lookAtHost(all, member, probe.on(member.host))),
    Promise.all(
      all.map(async ({ host, ...each }) => ({
        host,
        status: await unlessLost(probe.on(host).ask(etcdStatus, etcdStatusKey(each))),
      })),
    ),
  ]);
  const others = answers.flatMap(({ host, status }) =>
    host !== member.host && seen.present.members.some((each) => each.host === host)
      ? [{ host, status: status instanceof RemoteError ? heardElsewhere(host, seen) : status }]
      : [],
  );
  const leaves = (host: string): boolean => cluster.formerMembers.some((each) => each.host === host);
  const running = new Set(seen.states.flatMap(({ host, isRunning }) => (isRunning ? [host] : [])));
  const away = new Set(seen.away.map(({ host }) => host));
  return {
    here: here instanceof RemoteError ? undefined : here,
    elsewhere: heardElsewhere(member.host, seen),
    others: others.flatMap(({ host, status }) => (status.kind === 'silent' ? [] : [{ host, ...status }])),
    silent: others.flatMap(({ host, status }) =>
      status.kind === 'silent'
        ? [{ host, reason: status.reason, isStopped: !running.has(host) && !away.has(host) }]
        : [],
    ),
    former: answers.flatMap(({ host, status }) =>
      status instanceof RemoteError || status.kind === 'silent' || !leaves(host) ? [] : [{ host, ...status }],
    ),
    yetToJoin: seen.yetToJoin,
  };
}

/** What a member whose host can't be asked tells others. */
function heardElsewhere(host: string, { away }: MembersSeen): EtcdStatus {
  return away.find((each) => each.host === host)?.status ?? { kind: 'silent', reason: 'nobody was asked' };
}

async function lookAtHost(all: readonly Member[], member: Member, there: Probe): Promise<LeavingHost> {
  const pod = podMember(member);
  return pod === undefined ? lookAtService(all, member, there) : lookAtPod(member, pod, there);
}

/** A member that the kubelet runs: what is left of it is its cluster's by its own log. */
async function lookAtPod(member: Member, pod: PodMember, there: Probe): Promise<LeavingHost> {
  const [data, { hasManifest, isRunning, clusterId }, own] = await Promise.all([
    there.ask(etcdData, etcdDataKey(member)),
    there.ask(etcdPod, etcdPodKey(pod)),
    there.ask(etcdStatus, etcdStatusKey(member)),
  ]);
  const state = { host: member.host, isRunning, ...data };
  return { state, own, isRunning, isEnabled: hasManifest, isOurs: { clusterId } };
}

async function lookAtService(all: readonly Member[], member: Member, there: Probe): Promise<LeavingHost> {
  const [data, unit, { running }, own, origin] = await Promise.all([
    there.ask(etcdData, etcdDataKey(member)),
    there.ask(unitState, member.unit),
    there.ask(unitCommand, member.unit),
    there.ask(etcdStatus, etcdStatusKey(member)),
    there.ask(fileOrigin, member.configFile ?? ''),
  ]);
  return {
    state: { host: member.host, isRunning: unit.active, ...data },
    own,
    isRunning: unit.active || running.length > 0,
    isEnabled: unit.enabled,
    isOurs: origin.kind === 'ours' && namesThisCluster(all, member, data.initialCluster),
  };
}

/**
 * Whether a member began among members of this cluster, or alone. The host may be part of another cluster by now, with the same
 * program's files.
 */
function namesThisCluster(all: readonly Member[], member: Member, initialCluster = ''): boolean {
  const ends = initialCluster.split(',').map((entry) => entry.replace(/^[^=]*=https:\/\//, ''));
  const endOf = ({ address, peerPort }: Member): string => hostPort(address, peerPort);
  const others = ends.filter((end) => end !== endOf(member));
  return ends.includes(endOf(member)) && (others.length === 0 || all.some((each) => others.includes(endOf(each))));
}
