import { httpsAnswer, httpsKey, type HttpsAnswer } from '../facts/https-answer.js';
import type { ClientFiles } from '../model/certificate.js';
import { HAPROXY_TLS, type Cluster, type LoadBalancedEndpoint } from '../model/cluster.js';
import { httpsUrl } from '../model/endpoint.js';
import type { Gate, GateAnswer } from '../model/gate.js';
import type { JsonObject } from '../model/json.js';
import type { Probe } from '../model/remote.js';
import { gateHosts, probeOf } from './gate-hosts.js';

/** An election of the virtual IP and a health check's rise, with room. */
export const VIP_DEADLINE_MS = 60_000;

/** etcd answers a linearizable read; a full disk (alarm NOSPACE) does not close it, for reads go on. */
export const ETCD_HEALTH_PATH = '/health?exclude=NOSPACE';

/** A `type`, so that it passes as the parameters of an `await` action. */
type VipQuestion = { readonly url: string } & { readonly [Name in keyof ClientFiles]: string };

/** What {@link vipAnswers} asks with, as parameters of an `await` action. */
export function vipQuestion({ ip, port }: LoadBalancedEndpoint, files: ClientFiles): VipQuestion {
  return { url: `${httpsUrl(ip, port)}${ETCD_HEALTH_PATH}`, ...files };
}

/**
 * etcd answers through the virtual IP: a whole exchange, the server verified by the address that clients use, with a
 * client certificate. Asked from the host of the action with its own files, else from the balancers with HAProxy's.
 */
export function vipAnswers(cluster: Cluster): Gate {
  return {
    name: 'vip-answers',
    summary: 'etcd answers through the virtual IP, with verified TLS and a client certificate',
    deadlineMs: VIP_DEADLINE_MS,
    async check(probes, parameters) {
      if (cluster.endpoint === undefined) return { open: true, note: 'there is no virtual IP' };
      const own = readQuestion(parameters);
      const { ca, bundle } = HAPROXY_TLS;
      const question = own ?? vipQuestion(cluster.endpoint, { ca, certificate: bundle, key: bundle });
      const candidates = own === undefined ? cluster.balancers : cluster.controlPlanes;
      const answers = await askAll(gateHosts(parameters, candidates), probes, httpsKey(question));
      return judge(answers, question.url);
    },
  };
}

/**
 * The same before the servers' certificates name the virtual IP: they are then not verified, but they verify the client
 * certificate, and that it is this cluster's authority. Asked from the balancers.
 */
export function vipForwards(cluster: Cluster): Gate {
  return {
    name: 'vip-forwards',
    summary: "the virtual IP leads to an etcd that accepts this cluster's client certificate",
    deadlineMs: VIP_DEADLINE_MS,
    async check(probes, parameters) {
      if (cluster.endpoint === undefined) return { open: true, note: 'there is no virtual IP' };
      const { bundle } = HAPROXY_TLS;
      const { url } = vipQuestion(cluster.endpoint, { ca: '', certificate: '', key: '' });
      const key = httpsKey({ url, certificate: bundle, key: bundle });
      const answers = await askAll(gateHosts(parameters, cluster.balancers), probes, key);
      return judge(answers, url);
    },
  };
}

/** The same question from several hosts. */
async function askAll(
  hosts: readonly string[],
  probes: ReadonlyMap<string, Probe>,
  key: string,
): Promise<readonly (readonly [string, HttpsAnswer])[]> {
  return Promise.all(hosts.map(async (host) => [host, await probeOf(probes, host).ask(httpsAnswer, key)] as const));
}

function readQuestion(parameters: JsonObject): VipQuestion | undefined {
  const { url, ca, certificate, key } = parameters;
  if (typeof url !== 'string' || typeof ca !== 'string' || typeof certificate !== 'string' || typeof key !== 'string')
    return undefined;
  return { url, ca, certificate, key };
}

function judge(answers: readonly (readonly [string, HttpsAnswer])[], url: string): GateAnswer {
  const problems = answers.flatMap(([host, answer]) => {
    const problem = exchangeProblem(answer);
    return problem === undefined ? [] : [`from ${host}, ${url} ${problem}`];
  });
  return problems.length === 0 ? { open: true } : { open: false, reason: problems.join('; ') };
}

/** What is wrong with an answer of etcd's health: `fails: …`, `answers 503: …`; `undefined` for a good one. */
export function exchangeProblem(answer: HttpsAnswer): string | undefined {
  if (answer.kind === 'failure') return `fails: ${answer.reason}`;
  return answer.status === 200 ? undefined : `answers ${answer.status}: ${answer.body.slice(0, 100)}`;
}
