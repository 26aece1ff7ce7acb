import { USUAL_KUBELET_CONF } from '../facts/kubelet-processes.js';
import { pathExists } from '../facts/path-exists.js';
import { unitState } from '../facts/unit-state.js';
import type { Cluster } from '../model/cluster.js';
import type { Gate, GateAnswer } from '../model/gate.js';
import { journalByHand } from '../shell/by-hand.js';
import { gateHosts } from './gate-hosts.js';
import { nodeProblem, READY_DEADLINE_MS } from './kubelet-ready.js';

/** The unit of containerd, from packages and from upstream. */
export const CONTAINERD = 'containerd';

/**
 * containerd runs on each host, and its node is Ready, by what its kubelet said since containerd was started. A host that has not joined
 * a cluster has no node.
 */
export function runtimeReady({ nodes }: Cluster): Gate {
  return {
    name: 'runtime-ready',
    deadlineMs: READY_DEADLINE_MS,
    async check({ batch, probe: on }): Promise<GateAnswer> {
      const hosts = gateHosts(
        batch,
        nodes.map((host) => ({ host })),
      );
      const asked = await Promise.all(
        hosts.map(async (host) => {
          const probe = on(host);
          const [unit, isJoined] = await Promise.all([
            probe.ask(unitState, CONTAINERD),
            probe.ask(pathExists, USUAL_KUBELET_CONF),
          ]);
          if (!unit.active || unit.startedAt === undefined) return { host, problem: 'its containerd does not run' };
          return { host, problem: isJoined ? await nodeProblem(probe, unit.startedAt) : undefined };
        }),
      );
      const bad = asked.filter(({ problem }) => problem !== undefined);
      const [first] = bad;
      if (first === undefined) return { open: true };
      const reason = bad.map(({ host, problem }) => `${host}: ${problem ?? ''}`).join('; ');
      return { open: false, reason, next: journalByHand(first.host, CONTAINERD) };
    },
  };
}
