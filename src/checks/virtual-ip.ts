import { judgeHolders, lookForHolder } from '../gates/keepalived-one-holder.js';
import { vipAnswers } from '../gates/vip-answers.js';
import { askHosts, itemsOfHosts } from './ask-hosts.js';
import { fromGate } from './from-gate.js';
import type { Check, CheckContext, CheckItem } from './check.js';

/** Exactly one balancer holds the virtual IP, and etcd answers through it. */
export const checkVirtualIp: Check = async (context) => {
  if (context.cluster.endpoint === undefined) return [];
  return (await Promise.all([holderItems(context, context.cluster.endpoint.ip), answerItems(context)])).flat();
};

async function holderItems({ cluster, probe }: CheckContext, vip: string): Promise<readonly CheckItem[]> {
  const hosts = cluster.balancers.map(({ host }) => host);
  const { heard, unreachable } = await askHosts(hosts, (host) => lookForHolder(probe(host), host, { vip, cluster }));
  const answer = judgeHolders([...heard.values()], vip);
  const holders = [...heard.values()].filter(({ isHolder }) => isHolder).map(({ host }) => host);
  const next = `ssh ${holders.at(-1) ?? hosts[0] ?? 'HOST'} sudo journalctl -u keepalived -n 50`;
  return [...unreachable, fromGate({ check: 'virtual-ip', subject: vip }, answer, { ok: '', next })];
}

async function answerItems({ cluster, probe }: CheckContext): Promise<readonly CheckItem[]> {
  const gate = vipAnswers(cluster);
  return itemsOfHosts(
    cluster.balancers.map(({ host }) => host),
    async (host) => {
      const answer = await gate.check(new Map([[host, probe(host)]]), { hosts: [host] });
      const words = { ok: 'etcd answers through it, verified', next: `ssh ${host} sudo journalctl -u haproxy -n 50` };
      return [fromGate({ check: 'virtual-ip-answers', host }, answer, words)];
    },
  );
}
