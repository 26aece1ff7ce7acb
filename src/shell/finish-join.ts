import { RUNTIME_SOCKET } from '../model/kubeadm.js';
import type { Command } from '../model/remote.js';
import { MADE_CERTIFICATES, UNMARK, WITH_CONFIGURATION, type JoiningHost } from './kubeadm.js';
import { quote } from './quote.js';

/** What kubeadm has made of a control plane by the time its kubelet registers the node. */
export const MADE_BEFORE_KUBELET: readonly string[] = [
  ...MADE_CERTIFICATES.split(' ').map((name) => `/etc/kubernetes/pki/${name}`),
  ...['admin', 'controller-manager', 'scheduler'].map((name) => `/etc/kubernetes/${name}.conf`),
  ...['apiserver', 'controller-manager', 'scheduler'].map((name) => `/etc/kubernetes/manifests/kube-${name}.yaml`),
];

/** On a host whose join is finished: what kubeadm and this program would have removed next. */
export function endJoinOfHost(): Command {
  return { summary: 'remove what a finished join has left', script: ['set -eu', ...END].join('\n') };
}

const END = ['rm -f /etc/kubernetes/bootstrap-kubelet.conf', ...UNMARK];

/**
 * On a host whose kubelet has registered its node: what kubeadm does after that, once more. The annotation is the kubelet's to set, as in
 * kubeadm; all else is a phase of kubeadm that can be repeated. For a control plane its stdin is kubeadm's configuration.
 */
export function finishJoinOfHost({ name, kind }: Pick<JoiningHost, 'name' | 'kind'>, socket: string): Command {
  const kubelet = 'kubectl --kubeconfig /etc/kubernetes/kubelet.conf --cache-dir /dev/null/none';
  return {
    summary: `finish the join of ${name}`,
    timeoutMs: 300_000,
    script: [
      ...(kind === 'worker' ? ['set -eu'] : WITH_CONFIGURATION),
      `${kubelet} annotate --overwrite node ${quote(name)} ${quote(`${RUNTIME_SOCKET}=${socket}`)} >/dev/null`,
      ...(kind === 'worker' ? [] : ['with join phase control-plane-join all >/dev/null']),
      ...END,
    ].join('\n'),
  };
}
