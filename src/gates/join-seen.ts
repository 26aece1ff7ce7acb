import { kubeletConfOf, KUBELET, kubeletProcesses } from '../facts/kubelet-processes.js';
import type { HttpsAnswer } from '../facts/https-answer.js';
import { ProvisionError } from '../model/errors.js';
import { RUNTIME_SOCKET } from '../model/kubeadm.js';
import type { JoinSeen, KubernetesNode } from '../model/kubernetes.js';
import type { Probe } from '../model/remote.js';
import { askAs, kubeconfigUser, ownObject, readObject, type KubeconfigUser } from './kubeconfig-way.js';

/** What kubeadm gives the node of a control plane last of all: by the one name until v1.24, by the other since v1.20. */
const CONTROL_PLANE_LABELS = ['node-role.kubernetes.io/master', 'node-role.kubernetes.io/control-plane'];

/**
 * How far a host came whose join left its mark: to the end where the API server has its node at its address, with its runtime's socket, and
 * as a control plane where it is to be one. Whether the node is Ready is no part of it: it may have just been rebooted, or have no network for
 * its pods yet.
 */
export async function joinSeen(probe: Probe, node: KubernetesNode): Promise<JoinSeen> {
  const path = kubeletConfOf(await probe.ask(kubeletProcesses, KUBELET));
  try {
    const user = await kubeconfigUser(probe, path);
    // The API server has not yet taken the kubelet for one of its own.
    if (user === undefined) return 'unfinished';
    if (user.node === undefined) return { unclear: `${path} is of no node` };
    return judge(await askAs(probe, user, user.server, ownObject(user)), user, node);
  } catch (error) {
    if (error instanceof ProvisionError && error.code === 'kubeconfig-unreadable') return { unclear: error.message };
    throw error;
  }
}

function judge(answer: HttpsAnswer, { server, node: name }: KubeconfigUser, node: KubernetesNode): JoinSeen {
  if (answer.kind === 'failure') return { unclear: `${server} fails: ${answer.reason}` };
  const seen = readObject(answer.body) as Seen | undefined;
  // Whatever else is at that address has a 404, too.
  if (answer.status === 404 && seen?.reason === 'NotFound' && seen.details?.name === name) return 'unfinished';
  if (answer.status !== 200) return { unclear: `${server} answers ${answer.status}` };
  const metadata = seen?.metadata ?? {};
  if (name === undefined || metadata.name !== name) return { unclear: `${server} answers with no node ${name ?? ''}` };
  const isHere = listOf(seen?.status?.addresses).some((each) => each?.address === node.address);
  if (node.address === undefined || !isHere) return 'unfinished';
  const isMarked = node.kind === 'worker' || CONTROL_PLANE_LABELS.some((label) => hasKey(metadata.labels, label));
  return isMarked && hasKey(metadata.annotations, RUNTIME_SOCKET) ? 'finished' : 'registered';
}

/** A node, or a refusal (`Status`), as far as it is read here; it comes from outside, so that nothing of it is sure. */
interface Seen {
  readonly metadata?: { readonly name?: unknown; readonly labels?: unknown; readonly annotations?: unknown } | null;
  readonly status?: { readonly addresses?: unknown } | null;
  readonly reason?: unknown;
  readonly details?: { readonly name?: unknown } | null;
}

function listOf(found: unknown): readonly ({ readonly address?: unknown } | null)[] {
  return Array.isArray(found) ? (found as readonly ({ readonly address?: unknown } | null)[]) : [];
}

function hasKey(found: unknown, key: string): boolean {
  return typeof found === 'object' && found !== null && Object.hasOwn(found, key);
}
