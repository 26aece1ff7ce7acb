import { haproxySeesEtcd } from '../gates/haproxy-sees-etcd.js';
import { itemsOfHosts } from './ask-hosts.js';
import { fromGate } from './from-gate.js';
import type { Check } from './check.js';

/** Each HAProxy runs, and its own health checks find every member up. */
export const checkHaproxy: Check = async ({ cluster, probe }) => {
  const gate = haproxySeesEtcd(cluster);
  const up = `finds ${cluster.members.map(({ name }) => name).join(', ')} up`;
  return itemsOfHosts(
    cluster.balancers.map(({ host }) => host),
    async (host) => {
      const answer = await gate.check(new Map([[host, probe(host)]]), { hosts: [host] });
      const next = `ssh ${host} sudo journalctl -u haproxy -n 50`;
      return [fromGate({ check: 'haproxy', host }, answer, { ok: up, next })];
    },
  );
};
