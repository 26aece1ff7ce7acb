import { httpsAnswer, httpsKey, type HttpsAnswer } from '../facts/https-answer.js';
import type { ClientFiles } from '../model/certificate.js';
import type { Cluster } from '../model/cluster.js';
import { httpsUrl } from '../model/endpoint.js';
import { aboutService, type Gate, type GateAnswer, type GateInput } from '../model/gate.js';
import type { JsonObject } from '../model/json.js';
import type { VirtualService } from '../model/virtual-service.js';
import { journalByHand } from '../shell/by-hand.js';
import { gateHosts } from './gate-hosts.js';

/** An election of the virtual IP and a health check's rise, with room. */
export const VIP_DEADLINE_MS = 60_000;

/** A `type`, so that it passes as the arguments of an `await` action. */
type VipQuestion = { readonly url: string } & { readonly [Name in keyof ClientFiles]: string };

/** What {@link vipAnswers} asks with, as arguments of an `await` action. */
export function vipQuestion(
  { endpoint, health }: Pick<VirtualService, 'endpoint' | 'health'>,
  files: ClientFiles,
): VipQuestion {
  return { url: `${httpsUrl(endpoint.ip, endpoint.port)}${health.path}`, ...files };
}

/**
 * The service answers through its virtual IP: a whole exchange, the server verified by the address that clients use, with
 * a client certificate. Asked from the host of the action with its own files, else from the balancers with theirs.
 */
export function vipAnswers(service: VirtualService, { controlPlanes }: Cluster): Gate {
  return {
    name: aboutService('vip-answers', service.name),
    deadlineMs: VIP_DEADLINE_MS,
    async check(input) {
      const own = readQuestion(input.arguments);
      const question = own ?? vipQuestion(service, service.health.files);
      const candidates = own === undefined ? service.balancers : controlPlanes;
      const answers = await askAll(gateHosts(input.batch, candidates), input, httpsKey(question));
      return judge(answers, question.url, service);
    },
  };
}

/**
 * The same before the servers' certificates name the virtual IP: they are then not verified, but they verify the client
 * certificate, and that it is this cluster's authority. Asked from the balancers.
 */
export function vipForwards(service: VirtualService): Gate {
  return {
    name: aboutService('vip-forwards', service.name),
    deadlineMs: VIP_DEADLINE_MS,
    async check(input) {
      const { url, certificate, key } = vipQuestion(service, service.health.files);
      const hosts = gateHosts(input.batch, service.balancers);
      return judge(await askAll(hosts, input, httpsKey({ url, certificate, key })), url, service);
    },
  };
}

/** The same question from several hosts. */
async function askAll(
  hosts: readonly string[],
  { probe }: GateInput,
  key: string,
): Promise<readonly (readonly [string, HttpsAnswer])[]> {
  return Promise.all(hosts.map(async (host) => [host, await probe(host).ask(httpsAnswer, key)] as const));
}

function readQuestion(given: JsonObject): VipQuestion | undefined {
  const { url, ca, certificate, key } = given;
  if (typeof url !== 'string' || typeof ca !== 'string' || typeof certificate !== 'string' || typeof key !== 'string')
    return undefined;
  return { url, ca, certificate, key };
}

function judge(answers: readonly (readonly [string, HttpsAnswer])[], url: string, service: VirtualService): GateAnswer {
  const bad = answers.flatMap(([host, answer]) => {
    const problem = exchangeProblem(answer);
    return problem === undefined ? [] : [{ host, problem: `from ${host}, ${url} ${problem}` }];
  });
  const [first] = bad;
  if (first === undefined) return { open: true };
  return { open: false, reason: bad.map(({ problem }) => problem).join('; '), next: proxyJournal(service, first.host) };
}

/** The log of the proxy on a host; where it is none of the balancers, of the first. */
export function proxyJournal({ balancers }: VirtualService, host: string): string {
  const balancer = balancers.find((each) => each.host === host) ?? balancers[0];
  return balancer === undefined ? '' : journalByHand(balancer.host, balancer.proxy.unit);
}

/** What is wrong with an answer of etcd's health: `fails: …`, `answers 503: …`; `undefined` for a good one. */
export function exchangeProblem(answer: HttpsAnswer): string | undefined {
  if (answer.kind === 'failure') return `fails: ${answer.reason}`;
  return answer.status === 200 ? undefined : `answers ${answer.status}: ${answer.body.slice(0, 100)}`;
}
