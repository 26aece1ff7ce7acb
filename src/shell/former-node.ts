import type { Command } from '../model/remote.js';
import { ADMIN, deleteNode, mark, RESET_LINES, UNMARK } from './kubeadm.js';
import { quote } from './quote.js';

/** On a control plane: moves the pods of a node elsewhere. */
export interface Drain {
  /** Of the node. */
  readonly name: string;
  readonly timeoutS: number;
}

/** kubectl keeps what it has learnt of an API server beside its kubeconfig; a question leaves nothing. */
export const KUBECTL = `kubectl --kubeconfig ${ADMIN} --cache-dir /dev/null/none`;

/** A drain that fails says the same of each pod every five seconds. */
const LINES = 12;

/** A kube-apiserver ends its requests before it ends; its pod has 30 s (`terminationGracePeriodSeconds`). */
const APISERVER_END_S = 60;

/**
 * Evicts the pods of a node, as their disruption budgets let it. Where that takes too long, the node takes pods again, if it did, and
 * which pods are in the way is reported.
 */
export function drainNode({ name, timeoutS }: Drain): Command {
  return {
    summary: `kubectl drain ${name}`,
    timeoutMs: (timeoutS + 120) * 1000,
    script: [
      'set -eu',
      `node=${quote(name)}`,
      `was=$(${KUBECTL} get node "$node" --ignore-not-found -o 'jsonpath={.metadata.name} {.spec.unschedulable}')`,
      '[ -n "$was" ] || exit 0',
      // Until v1.20 it had another name.
      'local=--delete-local-data',
      'if kubectl drain --help | grep -q -e --delete-emptydir-data; then local=--delete-emptydir-data; fi',
      `if out=$(${KUBECTL} drain "$node" --ignore-daemonsets "$local" --timeout=${timeoutS}s 2>&1); then exit 0; fi`,
      'case $was in',
      `*true) ;;`,
      `*) ${KUBECTL} uncordon "$node" >/dev/null 2>&1 && echo 'the node takes pods again' >&2 || : ;;`,
      'esac',
      `printf '%s\\n' "$out" | grep -v -e '^evicting ' -e '^pod/.* evicted$' -e '^node/' | awk '!seen[$0]++' | tail -n ${LINES} >&2`,
      'exit 1',
    ].join('\n'),
  };
}

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
