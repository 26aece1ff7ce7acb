import { askText } from '../facts/file-content.js';
import { httpsAnswer, httpsKey } from '../facts/https-answer.js';
import { vipQuestion } from '../gates/vip-answers.js';
import type { ClientFiles } from '../model/certificate.js';
import type { Cluster } from '../model/cluster.js';
import { RemoteError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import type { VirtualService } from '../model/virtual-service.js';
import { clientFilesOf, CONTAINER, USUAL_CLIENT_FILES } from '../facts/apiserver-manifest.js';
import { readStaticPodManifest } from '../facts/static-pod-manifest.js';

/** Who measures, and with which files. */
export interface Observer {
  readonly host: string;
  readonly files: ClientFiles;
}

/** A host that could measure. */
interface Candidate extends Observer {
  /** A manifest that may name other files. */
  readonly manifest?: string;
}

/**
 * Who could measure, the best first: clients, then members without a balancer, then the balancer that takes the address
 * over last. For whoever holds the address reaches it without the network, and dies with it.
 */
export function observerCandidates(
  cluster: Cluster,
  { balancers, health }: VirtualService,
  holder: string,
): readonly Candidate[] {
  const balancing = new Set(balancers.map(({ host }) => host));
  return [
    ...[
      ...cluster.controlPlanes.map(({ host, manifest }) => ({ host, manifest, files: USUAL_CLIENT_FILES })),
      ...cluster.members.map(({ host, client }) => ({ host, files: client })),
    ].filter(({ host }) => !balancing.has(host)),
    ...balancers
      .filter(({ host }) => host !== holder)
      .toSorted((a, b) => a.keepalived.priority - b.keepalived.priority)
      .map(({ host }) => ({ host, files: health.files })),
  ];
}

/** The first to whom etcd answers through the virtual IP; one that is away or lacks the files is passed over. */
export async function findObserver(
  candidates: readonly Candidate[],
  service: VirtualService,
  probe: (host: string) => Probe,
): Promise<Observer | undefined> {
  const able = await Promise.all(candidates.map((candidate) => asObserver(candidate, service, probe(candidate.host))));
  return able.find((observer) => observer !== undefined);
}

async function asObserver(
  { host, files, manifest }: Candidate,
  service: VirtualService,
  probe: Probe,
): Promise<Observer | undefined> {
  try {
    const text = manifest === undefined ? undefined : await askText(probe, manifest);
    const named =
      manifest === undefined || text === undefined
        ? files
        : clientFilesOf(readStaticPodManifest(manifest, text, CONTAINER));
    const answer = await probe.ask(httpsAnswer, httpsKey(vipQuestion(service, named)));
    return answer.kind === 'answer' && answer.status === 200 ? { host, files: named } : undefined;
  } catch (error) {
    if (error instanceof RemoteError) return undefined;
    throw error;
  }
}
