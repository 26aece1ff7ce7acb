import { httpsAnswer, httpsKey, type HttpsQuestion } from '../facts/https-answer.js';
import type { ClientFiles } from '../model/certificate.js';
import { ETCD_HEALTH_PATH, type Cluster } from '../model/cluster.js';
import type { Gate } from '../model/gate.js';
import type { JsonObject } from '../model/json.js';
import { journalByHand } from '../shell/by-hand.js';
import { gateHosts } from './gate-hosts.js';
import { exchangeProblem } from './vip-answers.js';

/** An election among the members that are left, with room. */
const DEADLINE_MS = 60_000;

/** A `type`, so that it passes as the parameters of an `await` action. */
type DirectQuestion = { readonly urls: readonly string[] } & { readonly [Name in keyof ClientFiles]: string };

/** What {@link etcdAnswersDirectly} asks with, as parameters of an `await` action. */
export function directQuestion(urls: readonly string[], files: ClientFiles): DirectQuestion {
  return { urls, ...files };
}

/**
 * At least one member answers at its own URL, from the host of the action and with its files. It answers after a
 * linearizable read: a quorum stands behind it. The note says which do.
 */
export function etcdAnswersDirectly(cluster: Cluster): Gate {
  return {
    name: 'etcd-answers-directly',
    deadlineMs: DEADLINE_MS,
    async check({ batch, probe, arguments: given }) {
      const hosts = gateHosts(batch, cluster.controlPlanes);
      const answers = await Promise.all(
        hosts.flatMap((host) =>
          questionsOf(given).map(async ({ url, ...files }) => {
            const question = { ...files, url: `${url}${ETCD_HEALTH_PATH}` };
            const problem = exchangeProblem(await probe(host).ask(httpsAnswer, httpsKey(question)));
            return { host, url, problem };
          }),
        ),
      );
      const problems = answers.flatMap(({ host, url, problem }) =>
        problem === undefined ? [] : [`from ${host}, ${url} ${problem}`],
      );
      const deaf = hosts.filter((host) => !answers.some((each) => each.host === host && each.problem === undefined));
      if (deaf.length > 0) return { open: false, reason: problems.join('; '), next: nextOf(cluster) };
      const good = answers.filter(({ problem }) => problem === undefined).map(({ host, url }) => `${host} to ${url}`);
      return { open: true, note: [`works: ${good.join(', ')}`, ...problems].join('; ') };
    },
  };
}

function nextOf({ members }: Cluster): string {
  const [first] = members;
  return first === undefined ? '' : journalByHand(first.host, first.unit);
}

function questionsOf(parameters: JsonObject): readonly HttpsQuestion[] {
  const { urls, ca, certificate, key } = parameters as Partial<DirectQuestion>;
  return (urls ?? []).map((url) => ({ url, ca, certificate, key }));
}
