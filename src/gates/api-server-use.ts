import { isIP } from 'node:net';
import { apiserverObject, type ApiserverObject } from '../facts/apiserver-object.js';
import { askText } from '../facts/file-content.js';
import { KUBEADM_CONFIG, kubeadmConfig, textAt } from '../facts/kubeadm-config.js';
import { USUAL_KUBELET_CONF } from '../facts/kubelet-processes.js';
import { unlessLost } from '../facts/unless-lost.js';
import type { Cluster } from '../model/cluster.js';
import { RemoteError } from '../model/errors.js';
import type { GateInput } from '../model/gate.js';
import type { FormerNode } from '../model/kubernetes.js';
import { serviceNamed } from '../model/virtual-service.js';
import { configMapPath } from '../shell/config-map.js';
import type { Use } from './member-use.js';

const TO_CLIENTS = 'provision apply INVENTORY --playbook apiserver-clients';

/** Who is led to a server that leaves; or may be, for it could not be read. */
export interface ServerUse extends Use {
  /** Waiting changes nothing of it. */
  readonly isKnown: boolean;
}

/** Kubelets of nodes that stay, and use a server that leaves. One that can't be read uses what kubeadm gave it: the endpoint of the cluster's own objects. */
export async function kubeletUses(
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

/** What kubeadm and kube-proxy lead clients to, by every control plane that tells both: one that names a server which leaves suffices. */
export async function objectUses(
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
  const told = heard.flatMap(({ config, proxy }) => {
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
  if (told.length === 0) return [{ text: unread, next: 'provision verify INVENTORY', isKnown: false }];
  return [...new Map(told.flat().map((use) => [use.text, use])).values()];
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
