import type { ClusterNode } from '../facts/cluster-nodes.js';
import type { Action } from '../model/action.js';
import { changed, UNCHANGED, type Outcome } from '../model/change.js';
import { counted } from '../model/counted.js';
import { ProvisionError } from '../model/errors.js';
import { shortList } from '../model/short-list.js';
import { drainNode, type Drain } from '../shell/drain-node.js';
import { quote } from '../shell/quote.js';

/** How nodes are drained. */
export interface Draining extends Pick<Drain, 'timeoutS' | 'cordon'> {
  /** The control plane that is asked for it. */
  readonly through: string;
}

/** The change that moves the pods of nodes elsewhere. */
export function drainedNodes(nodes: readonly ClusterNode[], { through, timeoutS, cordon }: Draining): Outcome {
  if (nodes.length === 0) return UNCHANGED;
  const names = nodes.map(({ name }) => name).join(', ');
  const then = cordon === 'marked' ? 'until the next run, which goes on' : ': kubectl uncordon';
  return changed({
    summary: `drain node ${names}: its pods go elsewhere, as their disruption budgets let them`,
    diff: nodes.flatMap(({ evicted }) => [
      `through ${through}, within ${timeoutS} s; no new pods come`,
      ...evicted.map((pod) => `- ${pod}`),
      ...(evicted.length === 0 ? [] : ['! what they keep in emptyDir volumes is gone with them']),
    ]),
    actions: nodes.map(({ name }): Action => ({
      ...{ kind: 'run-on', on: through, command: drainNode({ name, timeoutS, cordon }) },
      lasting: `pods that were evicted stay where they are by then, and a drained node takes no new ones${cordon === 'marked' ? ' ' : ''}${then}`,
    })),
    effect: 'change',
    disruptive: true,
  });
}

/** @throws ProvisionError `node-not-drainable` where pods would be gone for good */
export function refuseUnowned({ name, unowned }: ClusterNode, through: string): void {
  const [first = ''] = unowned;
  if (unowned.length === 0) return;
  const [namespace = '', pod = ''] = first.split('/');
  throw new ProvisionError({
    code: 'node-not-drainable',
    message: `node ${name} is to be drained, and nobody would make these pods again elsewhere: ${shortList(unowned)}`,
    hint: `delete what is not needed: ssh ${through} sudo kubectl --kubeconfig /etc/kubernetes/admin.conf -n ${quote(namespace)} delete pod ${quote(pod)}`,
  });
}

/** What may hold a drain up; nothing where nothing does. */
export function budgetsRemark(nodes: readonly ClusterNode[]): string | undefined {
  if (nodes.some((each) => each.budgets === undefined))
    return 'which disruption budgets there are could not be read: the drain respects them, and one may hold it up';
  const budgets = nodes.flatMap((each) => each.budgets ?? []);
  if (budgets.length === 0) return undefined;
  const [is, hold] = budgets.length === 1 ? ['allows', 'holds'] : ['allow', 'hold'];
  return `${counted(budgets.length, 'disruption budget')} ${is} nothing now, and ${hold} the drain up where pods of the node are meant: ${shortList(budgets)}`;
}
