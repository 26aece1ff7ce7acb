import { httpsAnswer, httpsKey, type HttpsAnswer, type HttpsQuestion } from '../facts/https-answer.js';
import type { ClientFiles, QuestionFiles } from '../model/certificate.js';
import type { Cluster } from '../model/cluster.js';
import { httpsUrl } from '../model/endpoint.js';
import { aboutService, type Gate, type GateAnswer, type GateInput } from '../model/gate.js';
import type { JsonObject } from '../model/json.js';
import { healthFiles, type Endpoint, type HealthQuestion, type VirtualService } from '../model/virtual-service.js';
import { journalByHand } from '../shell/by-hand.js';
import { gateHosts } from './gate-hosts.js';

/** An election of the virtual IP and a health check's rise, with room. */
export const VIP_DEADLINE_MS = 60_000;

/** A `type`, so that it passes as the arguments of an `await` action. */
type VipQuestion = { readonly url: string } & { readonly [Name in keyof ClientFiles]: string };

/** What {@link vipAnswers} asks with, as arguments of an `await` action. */
export function vipQuestion(service: Pick<VirtualService, 'endpoint' | 'health'>, files: ClientFiles): VipQuestion {
  const { ca, certificate, key } = files;
  return { url: vipUrl(service), ca, certificate, key };
}

/** An address that clients use, and what is asked there. */
export interface AskedAddress {
  readonly endpoint: Pick<Endpoint, 'ip' | 'port'>;
  readonly health: Pick<HealthQuestion, 'path'>;
}

/** A question through the virtual IP, whether or not something has to be shown. */
export function vipRequest(service: AskedAddress, files: QuestionFiles): HttpsQuestion {
  return { url: vipUrl(service), ...files };
}

function vipUrl({ endpoint, health }: AskedAddress): string {
  return `${httpsUrl(endpoint.ip, endpoint.port)}${health.path}`;
}

/**
 * The service answers through its virtual IP: a whole exchange, the server verified by the address that clients use, with
 * a client certificate where one is wanted. Asked from the host of the action with its own files, else from the service's
 * clients with theirs.
 */
export function vipAnswers(service: VirtualService, { controlPlanes }: Cluster): Gate {
  return {
    name: aboutService('vip-answers', service.name),
    deadlineMs: VIP_DEADLINE_MS,
    async check(input) {
      const own = readQuestion(input.arguments);
      const keys =
        own === undefined
          ? service.clients.map(({ host, files }) => [host, httpsKey(vipRequest(service, files))] as const)
          : controlPlanes.map(({ host }) => [host, httpsKey(own)] as const);
      return judge(await askAll(keys, input), own?.url ?? vipUrl(service), service);
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
      const { certificate, key } = healthFiles(service.health);
      const question = httpsKey({ url: vipUrl(service), certificate, key });
      const keys = service.balancers.map(({ host }) => [host, question] as const);
      return judge(await askAll(keys, input), vipUrl(service), service);
    },
  };
}

/** What hosts are given. @param keys host → its question; of those in the batch, or all when the batch holds none of them */
async function askAll(
  keys: readonly (readonly [host: string, key: string])[],
  { probe, batch }: GateInput,
): Promise<readonly (readonly [string, HttpsAnswer])[]> {
  const candidates = keys.map(([host]) => ({ host }));
  const asked = new Set(gateHosts(batch, candidates));
  const questions = keys.filter(([host]) => asked.has(host));
  return Promise.all(questions.map(async ([host, key]) => [host, await probe(host).ask(httpsAnswer, key)] as const));
}

function readQuestion(given: JsonObject): VipQuestion | undefined {
  const { url, ca, certificate, key } = given;
  if (typeof url !== 'string' || typeof ca !== 'string' || typeof certificate !== 'string' || typeof key !== 'string')
    return undefined;
  return { url, ca, certificate, key };
}

/** What curl and openssl say of a certificate that is right but for its names (curl's lib/vtls/openssl.c; X509_verify_cert_error_string). */
const UNNAMED =
  /no alternative certificate subject name|subject name .* does not match|(?:ip address|hostname) mismatch/i;

function judge(answers: readonly (readonly [string, HttpsAnswer])[], url: string, service: VirtualService): GateAnswer {
  const bad = answers.flatMap(([host, answer]) => {
    const problem = exchangeProblem(answer, service.health.alive);
    const isUnnamed = answer.kind === 'failure' && UNNAMED.test(answer.reason);
    return problem === undefined ? [] : [{ host, isUnnamed, problem: `from ${host}, ${url} ${problem}` }];
  });
  const [first] = bad;
  if (first === undefined) return { open: true };
  const way = first.isUnnamed ? service.words.unnamed : undefined;
  const reason = bad.map(({ problem }) => problem).join('; ');
  return { open: false, reason, next: way ?? proxyJournal(service, first.host) };
}

/** The log of the proxy on a host; where it is none of the balancers, of the first. */
export function proxyJournal({ balancers }: VirtualService, host: string): string {
  const balancer = balancers.find((each) => each.host === host) ?? balancers[0];
  return balancer === undefined ? '' : journalByHand(balancer.host, balancer.proxy.unit);
}

/**
 * What is wrong with an answer about health: `fails: …`, `answers 503: …`; `undefined` for a good one.
 * @param alive the statuses of good ones
 */
export function exchangeProblem(answer: HttpsAnswer, alive: readonly number[] = [200]): string | undefined {
  if (answer.kind === 'failure') return `fails: ${answer.reason}`;
  return alive.includes(answer.status) ? undefined : `answers ${answer.status}: ${answer.body.slice(0, 100)}`;
}
