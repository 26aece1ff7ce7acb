import { namesAddress } from '../facts/address-claim.js';
import { apiserverObject } from '../facts/apiserver-object.js';
import { askText } from '../facts/file-content.js';
import { pathExists } from '../facts/path-exists.js';
import { unlessLost } from '../facts/unless-lost.js';
import type { Cluster } from '../model/cluster.js';
import { RemoteError } from '../model/errors.js';
import type { Gate, GateAnswer, GateInput } from '../model/gate.js';
import type { FormerNode } from '../model/kubernetes.js';
import { serviceNamed } from '../model/virtual-service.js';
import { containersByHand } from '../shell/by-hand.js';
import { kubeletUses, objectUses, type ServerUse } from './api-server-use.js';

/** An API server that was just restarted answers within seconds. */
const DEADLINE_MS = 60_000;

/** In every cluster, and read through etcd. */
const OBJECT = '/api/v1/namespaces/kube-system';

const MANIFEST = '/etc/kubernetes/manifests/kube-apiserver.yaml';

/**
 * Most of the control planes that stay answer, one at least; and nobody is led to an API server that is to leave: neither the load
 * balancer nor the kubelet of a node that stays.
 */
export function formerNodesMayLeave(cluster: Cluster): Gate {
  return {
    name: 'former-nodes-may-leave',
    deadlineMs: DEADLINE_MS,
    async check(input) {
      const { formerNodes } = cluster.kubernetes;
      const named = formerNodes.filter(({ host }) => input.batch.includes(host));
      const leaving = named.length === 0 ? formerNodes : named;
      if (leaving.length === 0) return { open: true };
      const [silent, uses] = await Promise.all([silentProblem(cluster, input), usesOf(leaving, cluster, input)]);
      if (silent !== undefined) return silent;
      const [use] = uses;
      if (use === undefined) return { open: true };
      const isFinal = uses.some((each) => each.isKnown);
      return { open: false, reason: uses.map(({ text }) => text).join('; '), next: use.next, isFinal };
    },
  };
}

async function silentProblem({ controlPlanes }: Cluster, { probe }: GateInput): Promise<GateAnswer | undefined> {
  const seen = await Promise.all(
    controlPlanes.map(async ({ host }) => ({
      host,
      answer: await unlessLost(probe(host).ask(apiserverObject, OBJECT)),
    })),
  );
  const isFound = ({ answer }: (typeof seen)[number]): boolean =>
    !(answer instanceof RemoteError) && answer.kind === 'found';
  const found = seen.filter(isFound);
  if (2 * found.length > controlPlanes.length) return undefined;
  const others = seen.filter((each) => !isFound(each)).map(({ host }) => host);
  return {
    open: false,
    reason: `${found.length} of ${controlPlanes.length} API servers that stay answer, and most of them must: ${others.join(', ')} ${others.length === 1 ? 'does' : 'do'} not`,
    next: containersByHand(others[0] ?? '', 'kube-apiserver'),
  };
}

async function usesOf(
  leaving: readonly FormerNode[],
  cluster: Cluster,
  input: GateInput,
): Promise<readonly ServerUse[]> {
  const serving = await Promise.all(
    leaving.map(async (node) => ({
      node,
      isServing: await unlessLost(input.probe(node.host).ask(pathExists, MANIFEST)),
    })),
  );
  // One that can't be asked may serve.
  const servers = serving.flatMap(({ node, isServing }) => (isServing === false ? [] : [node]));
  if (servers.length === 0) return [];
  const uses = await Promise.all([
    balancerUses(servers, cluster, input),
    kubeletUses(servers, cluster, input),
    objectUses(servers, cluster, input),
  ]);
  return uses.flat();
}

const TO_BALANCER = 'provision apply INVENTORY --playbook apiserver-lb';

async function balancerUses(
  servers: readonly FormerNode[],
  cluster: Cluster,
  { probe }: GateInput,
): Promise<readonly ServerUse[]> {
  const balancers = serviceNamed(cluster, 'kube-apiserver')?.balancers ?? [];
  const all = await Promise.all(
    balancers.map(async ({ host, proxy }): Promise<readonly ServerUse[]> => {
      const text = await unlessLost(askText(probe(host), proxy.configFile));
      if (text instanceof RemoteError)
        return [{ text: `${proxy.configFile} on ${host} could not be read`, next: TO_BALANCER, isKnown: false }];
      const named = servers.filter(({ address = '' }) => namesAddress(text ?? '', address));
      return named.map((node) => ({
        text: `${proxy.configFile} on ${host} leads to the API server of ${node.host}, which is about to leave`,
        ...{ next: TO_BALANCER, isKnown: true },
      }));
    }),
  );
  return all.flat();
}
