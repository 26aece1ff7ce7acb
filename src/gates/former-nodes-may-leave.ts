import { isIP } from 'node:net';
import { namesAddress } from '../facts/address-claim.js';
import { apiserverObject, type ApiserverObject } from '../facts/apiserver-object.js';
import { KUBEADM_CONFIG, kubeadmConfig, textAt } from '../facts/kubeadm-config.js';
import { askText } from '../facts/file-content.js';
import { USUAL_KUBELET_CONF } from '../facts/kubelet-processes.js';
import { pathExists } from '../facts/path-exists.js';
import { unlessLost } from '../facts/unless-lost.js';
import type { Cluster } from '../model/cluster.js';
import { RemoteError } from '../model/errors.js';
import type { Gate, GateAnswer, GateInput } from '../model/gate.js';
import type { FormerNode } from '../model/kubernetes.js';
import { serviceNamed } from '../model/virtual-service.js';
import { containersByHand } from '../shell/by-hand.js';
import { configMapPath } from '../shell/config-map.js';
import type { Use } from './member-use.js';

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

/** Who is led to a server that leaves; or may be, for it could not be read. */
interface ServerUse extends Use {
  /** Waiting changes nothing of it. */
  readonly isKnown: boolean;
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
const TO_CLIENTS = 'provision apply INVENTORY --playbook apiserver-clients';

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

/** One that can't be read uses what kubeadm gave it: the endpoint of the cluster's own objects. */
async function kubeletUses(
  servers: readonly FormerNode[],
  cluster: Cluster,
  { probe }: GateInput,
): Promise<readonly ServerUse[]> {
  const all = await Promise.all(
    cluster.kubernetes.nodes.map(async ({ host }) => {
      const text = await unlessLost(askText(probe(host), USUAL_KUBELET_CONF));
      return typeof text === 'string' ? useOf(serverIn(text), `the kubelet of ${host}`, servers, cluster) : [];
    }),
  );
  return all.flat();
}

const KUBE_PROXY = configMapPath({ namespace: 'kube-system', name: 'kube-proxy' });

/** What kubeadm and kube-proxy lead clients to, by the first control plane that tells both. */
async function objectUses(
  servers: readonly FormerNode[],
  cluster: Cluster,
  { probe }: GateInput,
): Promise<readonly ServerUse[]> {
  const heard = await Promise.all(
    cluster.controlPlanes.map(async ({ host }) => ({
      config: await unlessLost(probe(host).ask(kubeadmConfig, KUBEADM_CONFIG)),
      proxy: await unlessLost(probe(host).ask(apiserverObject, KUBE_PROXY)),
    })),
  );
  const all = heard.flatMap(({ config, proxy }) => {
    if (config instanceof RemoteError || proxy instanceof RemoteError) return [];
    if (!isTold(config) || !isTold(proxy)) return [];
    const endpoint = config.kind === 'found' ? endpointIn(config.configuration) : undefined;
    const server = proxy.kind === 'found' ? serverIn(textAt(proxy.object, 'kubeconfig.conf') ?? '') : undefined;
    return [
      [
        ...useOf(endpoint, 'kube-system/kubeadm-config', servers, cluster),
        ...useOf(server, 'kube-system/kube-proxy', servers, cluster),
      ],
    ];
  });
  const unread =
    'no control plane tells kube-system/kubeadm-config and kube-proxy, which name the API server of all nodes';
  return all[0] ?? [{ text: unread, next: 'provision verify INVENTORY', isKnown: false }];
}

function isTold({ kind }: { readonly kind: ApiserverObject['kind'] }): boolean {
  return kind === 'found' || kind === 'absent';
}

function serverIn(kubeconfig: string): string | undefined {
  return /^\s*server:\s*["']?([^\s"']+)["']?\s*$/m.exec(kubeconfig)?.[1];
}

/** `controlPlaneEndpoint: 10.0.0.99:8443`. */
function endpointIn(configuration: string): string | undefined {
  const found = /^controlPlaneEndpoint:\s*["']?([^\s"']+)["']?\s*$/m.exec(configuration)?.[1];
  return found === undefined ? undefined : `https://${found}`;
}

/** A name leads where nobody here knows, unless it is that of the virtual IP. */
function useOf(
  url: string | undefined,
  who: string,
  servers: readonly FormerNode[],
  cluster: Cluster,
): readonly ServerUse[] {
  const host = url === undefined || !URL.canParse(url) ? undefined : new URL(url).hostname.replace(/^\[|\]$/g, '');
  if (url === undefined || host === undefined) return [];
  const known = { next: TO_CLIENTS, isKnown: true };
  if (isIP(host) === 0)
    return host === serviceNamed(cluster, 'kube-apiserver')?.endpoint.name
      ? []
      : [
          {
            text: `${who} uses ${url}: whether that leads to an API server that is about to leave is not known`,
            ...known,
          },
        ];
  return servers
    .filter(({ address = '' }) => address === host)
    .map((node) => ({ text: `${who} uses ${url}, the API server of ${node.host}, which is about to leave`, ...known }));
}
