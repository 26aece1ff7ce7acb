import { judgeHolders, lookForHolder } from '../gates/keepalived-one-holder.js';
import { vipAnswers } from '../gates/vip-answers.js';
import type { VirtualService } from '../model/virtual-service.js';
import { askGate } from './ask-gate.js';
import { askHosts } from './ask-hosts.js';
import { fromGate } from './from-gate.js';
import type { Check, CheckContext, CheckItem } from './check.js';

/** Exactly one balancer, or former one, holds each virtual IP, and the service answers through it. */
export const checkVirtualIp: Check = async (context) => {
  const items = context.cluster.services.flatMap((service) => [
    holderItems(service, context),
    answerItems(service, context),
  ]);
  return (await Promise.all(items)).flat();
};

async function holderItems(service: VirtualService, { cluster, probe }: CheckContext): Promise<readonly CheckItem[]> {
  const { ip: vip } = service.endpoint;
  const hosts = [...service.balancers, ...service.formerBalancers].map(({ host }) => host);
  const { heard, unreachable } = await askHosts(hosts, (host) => lookForHolder(probe(host), host, { vip, cluster }));
  const answer = judgeHolders([...heard.values()], service);
  return [...unreachable, fromGate({ check: 'virtual-ip', subject: vip }, answer, '')];
}

async function answerItems(service: VirtualService, context: CheckContext): Promise<readonly CheckItem[]> {
  const hosts = service.clients.map(({ host }) => host);
  const ok = `${service.name} answers through it, verified`;
  const item = { check: 'virtual-ip-answers', subject: service.name };
  return askGate({ gate: vipAnswers(service, context.cluster), ...item, hosts, ok }, context);
}
