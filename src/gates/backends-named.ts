import { httpsAnswer, httpsKey } from '../facts/https-answer.js';
import type { QuestionFiles } from '../model/certificate.js';
import { httpsUrl } from '../model/endpoint.js';
import { aboutService, type Gate } from '../model/gate.js';
import type { Backend, VirtualService } from '../model/virtual-service.js';
import { containersByHand } from '../shell/by-hand.js';
import { exchangeProblem } from './vip-answers.js';

/** An API server looks for a new certificate once a minute (k8s.io/apiserver, dynamiccertificates.FileRefreshDuration), and a slow host needs room. */
const DEADLINE_MS = 180_000;

/**
 * Each backend of the batch shows what names the virtual IP, and its DNS name: asked on its own host, past the virtual IP, as
 * clients will ask through it. Before that, no client can use the virtual IP.
 */
export function backendsNamed(service: VirtualService): Gate {
  const { endpoint, health } = service;
  const names = [endpoint.ip, endpoint.name].filter((name) => name !== undefined);
  return {
    name: aboutService('backends-named', service.name),
    deadlineMs: DEADLINE_MS,
    async check({ batch, probe }) {
      const backends = service.backends.filter(({ host }) => batch.includes(host));
      const answers = await Promise.all(
        (backends.length === 0 ? service.backends : backends).flatMap((backend) =>
          names.map(async (name) => {
            const url = `${httpsUrl(name, backend.port)}${health.path}`;
            const answer = await probe(backend.host).ask(
              httpsAnswer,
              httpsKey({ url, ...filesOf(backend, service), connectTo: backend.address }),
            );
            return { backend, name, problem: exchangeProblem(answer, health.alive) };
          }),
        ),
      );
      const bad = answers.filter(({ problem }) => problem !== undefined);
      const [first] = bad;
      if (first === undefined) return { open: true };
      const reason = bad.map(({ backend, name, problem }) => `${backend.name}, asked as ${name}, ${problem ?? ''}`);
      return {
        open: false,
        reason: reason.join('; '),
        next: containersByHand(first.backend.host, service.words.backend),
      };
    },
  };
}

function filesOf({ host }: Backend, { clients, observers, health }: VirtualService): QuestionFiles {
  const [own] = [...clients, ...observers].flatMap((each) =>
    each.host === host && 'files' in each ? [each.files] : [],
  );
  return own ?? { ca: health.trust.path };
}
