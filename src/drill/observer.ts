import { askText } from '../facts/file-content.js';
import { httpsAnswer, httpsKey } from '../facts/https-answer.js';
import { vipRequest, type AskedAddress } from '../gates/vip-answers.js';
import type { QuestionFiles } from '../model/certificate.js';
import { RemoteError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import {
  healthFiles,
  type HealthQuestion,
  type ServiceObserver,
  type VirtualService,
} from '../model/virtual-service.js';
import { clientFilesOf, CONTAINER, USUAL_CLIENT_FILES } from '../facts/apiserver-manifest.js';
import { readStaticPodManifest } from '../facts/static-pod-manifest.js';

/** Who measures, and with which files. */
export interface Observer {
  readonly host: string;
  readonly files: QuestionFiles;
}

/**
 * Who could measure, the best first: the service's observers without a balancer, then the balancer that takes the address
 * over last. For whoever holds the address reaches it without the network, and dies with it.
 */
export function observerCandidates(
  { balancers, health, observers }: VirtualService,
  holder: string,
): readonly ServiceObserver[] {
  const balancing = new Set(balancers.map(({ host }) => host));
  return [
    ...observers.filter(({ host }) => !balancing.has(host)),
    ...balancers
      .filter(({ host }) => host !== holder)
      .toSorted((a, b) => a.keepalived.priority - b.keepalived.priority)
      .map(({ host }) => ({ host, files: healthFiles(health) })),
  ];
}

/** An address that clients use, and the answers that prove it. */
export interface Reached extends AskedAddress {
  readonly health: Pick<HealthQuestion, 'path' | 'alive'>;
}

/** The first to whom the service answers through the virtual IP; one that is unreachable or does not have the files is passed over. */
export async function findObserver(
  candidates: readonly ServiceObserver[],
  service: Reached,
  probe: (host: string) => Probe,
): Promise<Observer | undefined> {
  const able = await Promise.all(candidates.map((candidate) => asObserver(candidate, service, probe(candidate.host))));
  return able.find((observer) => observer !== undefined);
}

async function asObserver(candidate: ServiceObserver, service: Reached, probe: Probe): Promise<Observer | undefined> {
  try {
    const files = 'files' in candidate ? candidate.files : await namedFiles(candidate.manifest, probe);
    const answer = await probe.ask(httpsAnswer, httpsKey(vipRequest(service, files)));
    return answer.kind === 'answer' && service.health.alive.includes(answer.status)
      ? { host: candidate.host, files }
      : undefined;
  } catch (error) {
    if (error instanceof RemoteError) return undefined;
    throw error;
  }
}

async function namedFiles(manifest: string, probe: Probe): Promise<QuestionFiles> {
  const text = await askText(probe, manifest);
  return text === undefined ? USUAL_CLIENT_FILES : clientFilesOf(readStaticPodManifest(manifest, text, CONTAINER));
}
