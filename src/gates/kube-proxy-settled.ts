import { apiserverObject } from '../facts/apiserver-object.js';
import { KUBE_PROXY_PODS } from '../facts/kube-proxy-processes.js';
import type { Cluster } from '../model/cluster.js';
import type { Gate, GateAnswer } from '../model/gate.js';
import { daemonSetPath } from '../shell/config-map.js';
import { gateHosts } from './gate-hosts.js';

/** A pod's image is there already, and its old pod has 30 s to end; nodes come one after the other. */
const POD_MS = 60_000;

/**
 * Every pod of kube-proxy is the newest, and available: asked of the API server of one control plane. While a node has none,
 * the DaemonSet would restart no other.
 */
export function kubeProxySettled({ nodes, controlPlanes }: Cluster): Gate {
  return {
    name: 'kube-proxy-settled',
    deadlineMs: POD_MS * Math.max(2, nodes.length),
    async check({ batch, probe }) {
      const [host = ''] = gateHosts(batch, controlPlanes);
      const found = await probe(host).ask(apiserverObject, daemonSetPath(KUBE_PROXY_PODS));
      if (found.kind === 'found') return judge(found.object as DaemonSet, host);
      if (found.kind === 'absent') return { open: true, note: 'there is no DaemonSet kube-system/kube-proxy' };
      return shut(`${NAME} can't be read: ${found.kind === 'silent' ? found.reason : `answers ${found.status}`}`, host);
    },
  };
}

const NAME = 'the DaemonSet kube-system/kube-proxy';

/** As far as it is read here; it comes from outside, so that nothing of it is sure. */
interface DaemonSet {
  readonly metadata?: { readonly generation?: unknown } | null;
  readonly spec?: { readonly updateStrategy?: { readonly type?: unknown } | null } | null;
  readonly status?: Readonly<Record<string, unknown>> | null;
}

function judge({ metadata, spec, status }: DaemonSet, host: string): GateAnswer {
  if (spec?.updateStrategy?.type === 'OnDelete')
    return { ...shut(`${NAME} restarts no pod by itself (updateStrategy OnDelete)`, host), isFinal: true };
  if (status?.['observedGeneration'] !== metadata?.generation) return shut(`${NAME} was changed a moment ago`, host);
  const wanted = numberAt(status, 'desiredNumberScheduled');
  const [updated, available] = [numberAt(status, 'updatedNumberScheduled'), numberAt(status, 'numberAvailable')];
  if (updated === wanted && available === wanted) return { open: true, note: `${wanted} pods run` };
  return shut(`${NAME} wants ${wanted} pods: ${updated} are the newest, ${available} are available`, host);
}

function numberAt(status: DaemonSet['status'], name: string): number {
  const value = status?.[name];
  return typeof value === 'number' ? value : 0;
}

function shut(reason: string, host: string): Extract<GateAnswer, { readonly open: false }> {
  return {
    open: false,
    reason,
    next: `ssh ${host} sudo kubectl --kubeconfig /etc/kubernetes/admin.conf -n kube-system get pods -o wide`,
  };
}
