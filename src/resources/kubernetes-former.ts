import type { ClusterNode } from '../facts/cluster-nodes.js';
import type { Action } from '../model/action.js';
import { changed, UNCHANGED, type Outcome, type Resource } from '../model/change.js';
import type { FormerNode, Kubernetes, KubernetesNode } from '../model/kubernetes.js';
import type { Probe } from '../model/remote.js';
import { deleteFormerNode, removeForGood, resetFormerNode } from '../shell/former-node.js';
import { decideFormerNode, decideLostNode, type FormerNodePlan } from './decide-former-node.js';
import { budgetsRemark, drainedNodes } from './drained-node.js';
import { ETCD_CLIENT, lookAtFormerNode } from './look-at-former-node.js';

/** A host that leaves, and what it leaves. */
export interface FormerSite {
  readonly node: FormerNode;
  /** Those that stay. */
  readonly controlPlanes: readonly KubernetesNode[];
  readonly settings: Pick<Kubernetes['settings'], 'drainTimeoutS'>;
}

/** A node with the control plane that is asked for it. */
interface Asked {
  readonly node: ClusterNode;
  readonly through: string;
}

/**
 * The resources of a host that leaves Kubernetes, in the order in which they are done, which is that of kubeadm's documentation: a node
 * that is deleted while its kubelet runs is made again by that kubelet's next start.
 */
export function formerNodeSteps(site: FormerSite): readonly Resource[] {
  return [
    step('kubernetes:drained', site, (plan) => drained(plan, site)),
    step('kubernetes:reset', site, (plan) => (plan.reset ? resetOutcome(plan) : UNCHANGED)),
    step('kubernetes:etcd-client', site, ({ etcdClient }) => (etcdClient ? ETCD_CLIENT_REMOVED : UNCHANGED)),
    step('kubernetes:node', site, ({ deleted, through = '' }) => nodesDeleted(site, deleted, through)),
  ];
}

function step(address: string, site: FormerSite, outcomeOf: (plan: FormerNodePlan) => Outcome): Resource {
  return {
    address,
    paths: [],
    async plan(probe) {
      const found = decideFormerNode(site.node, await lookAtFormerNode(site.node, site.controlPlanes, probe));
      return typeof found === 'string' ? { kind: 'unknown', because: found } : outcomeOf(found);
    },
    ...(address === 'kubernetes:drained' ? { doubt: async (probe: Probe) => budgetsDoubt(site, probe) } : {}),
  };
}

function drained({ drained: nodes, through = '' }: FormerNodePlan, { settings }: FormerSite): Outcome {
  return drainedNodes(nodes, { through, timeoutS: settings.drainTimeoutS, cordon: 'plain' });
}

/** Without a drain it is another change than with one: nobody has agreed to that who has seen the drain. */
function resetOutcome({ undrained }: FormerNodePlan): Outcome {
  const why = undrained.length === 0 ? '' : ', without a drain, for its kubelet does not run';
  return changed({
    summary: `take Kubernetes off the host${why} (kubeadm reset)`,
    diff: [
      ...undrained.flatMap(({ evicted }) => evicted.map((pod) => `- ${pod}: not evicted, it ends here`)),
      'its static pods end, an API server first and in order; then its kubelet and all other containers',
      '- what kubeadm made in /etc/kubernetes and /var/lib/kubelet; a member of etcd, and its certificates, stay',
    ],
    actions: [
      { kind: 'run', command: resetFormerNode(), undo: { lasting: 'the host stays reset: the next apply goes on' } },
    ],
    effect: 'delete',
    disruptive: true,
  });
}

/** Whoever has them can read and change all of etcd, for as long as the certificate lasts: etcd asks nobody whether it was revoked. */
const ETCD_CLIENT_REMOVED = changed({
  summary: 'remove what let its API server use etcd',
  diff: ETCD_CLIENT.map((path) => `- ${path}, and copies of it`),
  actions: [
    {
      ...{ kind: 'run', command: removeForGood(ETCD_CLIENT) },
      undo: { lasting: 'they stay removed: a control plane that joins gets others' },
    },
  ],
  effect: 'delete',
  disruptive: false,
});

function nodesDeleted(site: FormerSite, nodes: readonly ClusterNode[], through: string): Outcome {
  if (nodes.length === 0) return UNCHANGED;
  const names = nodes.map(({ name }) => name).join(', ');
  return changed({
    summary: `delete node ${names}`,
    diff: [`through ${through}`, ...nodes.map(({ name }) => `- node ${name} at ${site.node.address ?? ''}`)],
    actions: nodes.map((node) => deletion(site.node, { node, through })),
    effect: 'delete',
    disruptive: false,
  });
}

const DELETED = 'its node stays deleted';

function deletion({ address = '' }: FormerNode, { node, through }: Asked): Action {
  const command = deleteFormerNode({ name: node.name, address });
  return { kind: 'run-on', on: through, command, lasting: DELETED };
}

async function budgetsDoubt({ node, controlPlanes }: FormerSite, probe: Probe): Promise<string | undefined> {
  const { cluster } = await lookAtFormerNode(node, controlPlanes, probe);
  return budgetsRemark('through' in cluster ? cluster.nodes : []);
}

/** On a control plane: nodes of hosts that are to leave, and can't be asked, are deleted. */
export function lostNodeDeleted(site: FormerSite): Resource {
  return {
    address: `kubernetes:lost-node:${site.node.host}`,
    paths: [],
    async plan(probe) {
      const look = await lookAtFormerNode(site.node, site.controlPlanes, probe);
      const nodes = decideLostNode(site.node, look);
      if (nodes.length === 0 || !('through' in look.cluster)) return UNCHANGED;
      const { through } = look.cluster;
      const names = nodes.map(({ name }) => name).join(', ');
      return changed({
        summary: `delete node ${names}: its host can't be asked`,
        diff: [
          `through ${through}; what is on ${site.node.host} stays there`,
          ...nodes.map(
            ({ name }) => `- node ${name} at ${site.node.address ?? ''}, and its pods, which can't be evicted`,
          ),
        ],
        actions: nodes.map((node) => deletion(site.node, { node, through })),
        effect: 'delete',
        disruptive: false,
      });
    },
  };
}
