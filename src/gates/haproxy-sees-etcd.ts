import { HAPROXY_HEALTH_PORT, haproxyServersUp } from '../facts/haproxy-servers-up.js';
import type { Cluster } from '../model/cluster.js';
import type { Gate } from '../model/gate.js';
import { gateHosts, probeOf } from './gate-hosts.js';

/** `rise` checks of `inter` seconds, with room for a slow member. */
const DEADLINE_MS = 60_000;

/** HAProxy on each host of the batch runs, and its health check has found every etcd member up. */
export function haproxySeesEtcd(cluster: Cluster): Gate {
  return {
    name: 'haproxy-sees-etcd',
    summary: 'HAProxy on each host of the batch runs and finds every etcd member up',
    deadlineMs: DEADLINE_MS,
    async check(probes, parameters) {
      const expected = cluster.members.length;
      const counts = await Promise.all(
        gateHosts(parameters, cluster.balancers).map(
          async (host) =>
            [host, await probeOf(probes, host).ask(haproxyServersUp, String(HAPROXY_HEALTH_PORT))] as const,
        ),
      );
      const problems = counts.flatMap(([host, count]) => {
        if (count === undefined) return [`HAProxy on ${host} does not answer`];
        return count < expected ? [`HAProxy on ${host} finds ${count} of ${expected} etcd members up`] : [];
      });
      return problems.length === 0 ? { open: true } : { open: false, reason: problems.join('; ') };
    },
  };
}
