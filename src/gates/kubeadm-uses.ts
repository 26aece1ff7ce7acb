import { KUBEADM_CONFIG, kubeadmConfig, type KubeadmConfig } from '../facts/kubeadm-config.js';
import { unlessLost } from '../facts/unless-lost.js';
import type { Cluster, ControlPlane, Member } from '../model/cluster.js';
import { RemoteError } from '../model/errors.js';
import type { GateAnswer, GateInput } from '../model/gate.js';
import { namesStackedEtcd } from '../model/kubeadm.js';
import { etcdWay } from '../model/etcd-way.js';
import type { IsLeaving, Use } from './member-use.js';

/** What kubeadm would lead to members that leave, and why that may not be known. */
export interface KubeadmUses {
  readonly uses: readonly Use[];
  /** Shut, and worth asking again: a control plane may answer later. Absent: it is known. */
  readonly unread: GateAnswer | undefined;
}

interface Heard {
  readonly host: string;
  readonly found: KubeadmConfig | RemoteError;
}

/**
 * Asks every control plane for kube-system/kubeadm-config, as a text: whatever kubeadm may write into a manifest. One which names a
 * member that leaves suffices. Where a stacked member leaves, that none is named is most control planes' word, and knowing nothing is no
 * "no": the next `kubeadm upgrade` would make it again.
 */
export async function kubeadmUses(
  { leaving, isLeaving }: { readonly leaving: readonly Member[]; readonly isLeaving: IsLeaving },
  cluster: Cluster,
  { probe }: GateInput,
): Promise<KubeadmUses> {
  const { controlPlanes } = cluster;
  const heard = await Promise.all(
    controlPlanes.map(async ({ host }): Promise<Heard> => ({
      host,
      found: await unlessLost(probe(host).ask(kubeadmConfig, KUBEADM_CONFIG)),
    })),
  );
  const isStacked = leaving.some(({ manifest }) => manifest !== undefined);
  const texts = heard.flatMap(({ host, found }) =>
    !(found instanceof RemoteError) && found.kind === 'found' ? [{ host, text: found.configuration }] : [],
  );
  const named = texts.flatMap(({ host, text }) => {
    const next = nextFor(host, cluster);
    const urls = (text.match(/https:\/\/[^\s'",\]}]+/g) ?? []).filter(isLeaving);
    const what = [...urls, ...(isStacked && namesStackedEtcd(text) ? ['a stacked etcd'] : [])];
    return what.map((each) => ({ text: `${OBJECT} names ${each}, which is about to leave`, next }));
  });
  const uses = [...new Map(named.map((use) => [use.text, use])).values()];
  return { uses, unread: isStacked ? unreadOf(heard, controlPlanes) : undefined };
}

const OBJECT = 'kube-system/kubeadm-config';

function nextFor(host: string, cluster: Cluster): string {
  return etcdWay(cluster) === undefined
    ? `ssh ${host} sudo kubectl --kubeconfig /etc/kubernetes/admin.conf -n kube-system edit configmap kubeadm-config`
    : 'provision apply INVENTORY --playbook repoint';
}

/** What it does not name is believed where most control planes say so: one host's word is no reason to lead others anywhere. */
function unreadOf(heard: readonly Heard[], controlPlanes: readonly ControlPlane[]): GateAnswer | undefined {
  const others = heard.flatMap(({ host, found }) => {
    const why = reasonOf(found);
    return why === undefined ? [] : [`${host}: ${why}`];
  });
  const [first] = controlPlanes;
  if (first === undefined || 2 * others.length < controlPlanes.length) return undefined;
  return {
    open: false,
    reason: `${OBJECT} could not be read, and may name a stacked etcd, which is about to leave (${others.join('; ')})`,
    next: `ssh ${first.host} sudo kubectl --kubeconfig /etc/kubernetes/admin.conf -n kube-system get configmap kubeadm-config -o yaml`,
  };
}

/** Why nothing is known from there; `undefined` where it says that there is none. */
function reasonOf(found: KubeadmConfig | RemoteError): string | undefined {
  if (found instanceof RemoteError) return found.message;
  if (found.kind === 'silent') return found.reason;
  return found.kind === 'refused' ? `the kube-apiserver answers ${found.status}` : undefined;
}
