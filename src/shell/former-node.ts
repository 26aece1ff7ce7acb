import type { Command } from '../model/remote.js';
import { backupDirectory } from './kept-copy.js';
import { ADMIN, deleteNode, mark, RESET_LINES, UNMARK } from './kubeadm.js';
import { quote } from './quote.js';

/** A kube-apiserver ends its requests before it ends; its pod has 30 s (`terminationGracePeriodSeconds`). */
const APISERVER_END_S = 60;

/**
 * On the host: its API server ends first, so that nobody is led to it, then all that kubeadm made. Its mark tells the next run of one
 * that was killed.
 */
export function resetFormerNode(): Command {
  return {
    summary: 'kubeadm reset',
    timeoutMs: 600_000,
    script: [
      'set -eu',
      ...mark('leaving'),
      'if [ -e /etc/kubernetes/manifests/kube-apiserver.yaml ] && systemctl is-active --quiet kubelet.service; then',
      '  rm -f /etc/kubernetes/manifests/kube-apiserver.yaml',
      `  for _ in $(seq ${APISERVER_END_S}); do`,
      '    grep -qlx kube-apiserver /proc/[0-9]*/comm 2>/dev/null || break',
      '    sleep 1',
      '  done',
      'fi',
      'systemctl disable --quiet kubelet.service',
      ...RESET_LINES,
      ...UNMARK,
    ].join('\n'),
  };
}

/** On a control plane: deletes the node of a host. @param node its name, and the address that it must have */
export function deleteFormerNode(node: { readonly name: string; readonly address: string }): Command {
  return {
    summary: `kubectl delete node ${node.name}`,
    timeoutMs: 120_000,
    script: ['set -eu', `export KUBECONFIG=${ADMIN}`, ...deleteNode(node)].join('\n'),
  };
}

/** On the host: removes files with the copies that were kept of them, so that nobody can use them any more. */
export function removeForGood(paths: readonly string[]): Command {
  const copies = paths.map((path) => quote(backupDirectory(path)));
  return {
    summary: `rm ${paths.join(' ')}`,
    script: ['set -eu', `rm -rf -- ${copies.join(' ')}`, `rm -f -- ${paths.map(quote).join(' ')}`].join('\n'),
  };
}
