import type { Cluster } from '../model/cluster.js';
import type { Probe } from '../model/remote.js';
import { etcdData, etcdDataKey, type EtcdData } from './etcd-data.js';
import { unitState } from './unit-state.js';

/** One member as its host shows it. */
export interface MemberState extends EtcdData {
  /** Inventory name of the host. */
  readonly host: string;
  readonly isRunning: boolean;
}

/**
 * How far the cluster as a whole is.
 * - `absent`: no member has data.
 * - `forming`: its bootstrap was interrupted: some members have data, all of those began as bootstrapping ones.
 * - `down`: it exists, but fewer than a quorum of its members run.
 * - `serving`: it exists, and a quorum runs.
 */
export type ClusterPhase = 'absent' | 'forming' | 'down' | 'serving';

/** Looks at every member of the cluster. @throws RemoteError when one of their hosts cannot be asked */
export async function lookAtMembers(cluster: Cluster, probe: Probe): Promise<readonly MemberState[]> {
  return Promise.all(
    cluster.members.map(async (member) => {
      const there = probe.on(member.host);
      const [data, unit] = await Promise.all([
        there.ask(etcdData, etcdDataKey(member)),
        there.ask(unitState, member.unit),
      ]);
      return { host: member.host, isRunning: unit.active, ...data };
    }),
  );
}

/** The phase that these members are in. */
export function clusterPhase(members: readonly MemberState[]): ClusterPhase {
  const withData = members.filter((member) => member.hasData && !isUntouchedLoneMember(member));
  if (withData.length === 0) return 'absent';
  if (withData.length < members.length && withData.every((member) => member.isBootstrapping)) return 'forming';
  const running = withData.filter((member) => member.isRunning).length;
  return running < quorum(members.length) ? 'down' : 'serving';
}

/** How many voters must agree. */
export function quorum(members: number): number {
  return Math.floor(members / 2) + 1;
}

/**
 * Data that the start by the package itself made: one member, known to nobody but itself, never written to. Anything
 * that is not provably that is someone's data.
 */
export function isUntouchedLoneMember({ hasData, isConfigured, isBootstrapping, lone }: EtcdData): boolean {
  if (!hasData || isConfigured || isBootstrapping || lone === undefined) return false;
  const isLocal = lone.peerUrls.every((url) => /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(url));
  return lone.revision === 1 && lone.members === 1 && isLocal;
}
