import { KUBELET, kubeletConfOf, kubeletProcesses } from '../facts/kubelet-processes.js';
import { unitState } from '../facts/unit-state.js';
import type { Cluster } from '../model/cluster.js';
import { ProvisionError } from '../model/errors.js';
import type { Gate, GateAnswer } from '../model/gate.js';
import type { Probe } from '../model/remote.js';
import { journalByHand } from '../shell/by-hand.js';
import { gateHosts } from './gate-hosts.js';
import { askAs, kubeconfigUser, ownObject, readObject } from './kubeconfig-way.js';

/** The kubelet starts in seconds and renews its lease every 10 s; images and a busy host may hold it up. */
export const READY_DEADLINE_MS = 180_000;

/**
 * The *running* kubelet of each node is known to the API server that its kubeconfig names: since it was started, it has
 * renewed its lease and reported its node Ready. What the one before it reported counts for nothing. Times are of the
 * node's own clock.
 */
export function kubeletReady({ nodes }: Cluster): Gate {
  return {
    name: 'kubelet-ready',
    deadlineMs: READY_DEADLINE_MS,
    async check({ batch, probe }): Promise<GateAnswer> {
      const hosts = gateHosts(
        batch,
        nodes.map((host) => ({ host })),
      );
      const asked = await Promise.all(hosts.map(async (host) => ({ host, problem: await nodeProblem(probe(host)) })));
      const bad = asked.filter(({ problem }) => problem !== undefined);
      const [first] = bad;
      if (first === undefined) return { open: true };
      const reason = bad.map(({ host, problem }) => `${host}: ${problem ?? ''}`).join('; ');
      return { open: false, reason, next: journalByHand(first.host, KUBELET) };
    },
  };
}

/**
 * Why the kubelet of a host has not reported its node Ready since it was started.
 * @param since what else must be older than its lease, in seconds since 1970
 */
export async function nodeProblem(probe: Probe, since = 0): Promise<string | undefined> {
  const [unit, processes] = await Promise.all([probe.ask(unitState, KUBELET), probe.ask(kubeletProcesses, KUBELET)]);
  if (!unit.active || unit.startedAt === undefined) return 'its kubelet does not run';
  try {
    const path = kubeletConfOf(processes);
    const user = await kubeconfigUser(probe, path);
    if (user?.node === undefined) return `${path} is of no node`;
    const lease = `/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${encodeURIComponent(user.node)}`;
    const answers = await Promise.all([
      askAs(probe, user, user.server, ownObject(user)),
      askAs(probe, user, user.server, lease),
    ]);
    const failed = answers.find((answer) => answer.kind === 'failure' || answer.status !== 200);
    if (failed !== undefined)
      return `${user.server} ${failed.kind === 'failure' ? `fails: ${failed.reason}` : `answers ${failed.status}`}`;
    const [node, renewal] = answers.map((answer) => (answer.kind === 'answer' ? readObject(answer.body) : undefined));
    return problemSince([unit.startedAt, since], node as NodeObject | undefined, renewal as LeaseObject | undefined);
  } catch (error) {
    if (error instanceof ProvisionError && error.code === 'kubeconfig-unreadable') return error.message;
    throw error;
  }
}

/** As far as it is read here; it comes from outside, so that nothing of it is sure. */
interface NodeObject {
  readonly status?: { readonly conditions?: unknown };
}

interface Condition {
  readonly type?: unknown;
  readonly status?: unknown;
  readonly lastHeartbeatTime?: unknown;
  readonly message?: unknown;
}

interface LeaseObject {
  readonly spec?: { readonly renewTime?: unknown };
}

function problemSince(
  [startedAt, since]: readonly [number, number],
  node: NodeObject | undefined,
  lease: LeaseObject | undefined,
): string | undefined {
  const renewedAt = secondsOf(lease?.spec?.renewTime);
  if (renewedAt <= startedAt) return 'its kubelet has not renewed its lease since it was started';
  if (renewedAt <= since) return 'its kubelet has not renewed its lease since containerd was started';
  const found = node?.status?.conditions;
  const conditions = Array.isArray(found) ? (found as readonly (Condition | null)[]) : [];
  const ready = conditions.find((condition) => condition?.type === 'Ready');
  // Whole seconds, cut off.
  if (secondsOf(ready?.lastHeartbeatTime) < Math.floor(startedAt))
    return 'its kubelet has not reported its node since it was started';
  if (ready?.status === 'True') return undefined;
  const message = typeof ready?.message === 'string' ? ready.message.slice(0, 200) : 'no reason given';
  return `its node is not Ready: ${message}`;
}

/** Since 1970; never for what is no time. */
function secondsOf(text: unknown): number {
  const time = typeof text === 'string' ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? Number.NEGATIVE_INFINITY : time / 1000;
}
