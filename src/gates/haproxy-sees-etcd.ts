import { HAPROXY_HEALTH_PORT, haproxyServers, type HaproxyServer } from '../facts/haproxy-servers.js';
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
      const looks = await Promise.all(
        gateHosts(parameters, cluster.balancers).map(async (host) => ({
          host,
          servers: await probeOf(probes, host).ask(haproxyServers, String(HAPROXY_HEALTH_PORT)),
        })),
      );
      const problems = looks.flatMap(({ host, servers }) => problemsOf(host, servers, cluster));
      return problems.length === 0 ? { open: true } : { open: false, reason: problems.join('; ') };
    },
  };
}

function problemsOf(host: string, servers: readonly HaproxyServer[] | undefined, cluster: Cluster): readonly string[] {
  if (servers === undefined) return [`HAProxy on ${host} does not answer`];
  return cluster.members.flatMap(({ name }) => {
    const server = servers.find((each) => each.name === name);
    if (server === undefined) return [`HAProxy on ${host} does not know ${name}`];
    // A new HAProxy counts every server as up until the first check: only a check that passed proves it.
    if (server.status.startsWith('UP') && server.check === 'L7OK') return [];
    return [`HAProxy on ${host} finds ${name} ${server.status}: ${server.check || 'not checked yet'}`];
  });
}
