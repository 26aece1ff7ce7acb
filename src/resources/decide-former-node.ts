import type { ClusterNode } from '../facts/cluster-nodes.js';
import { ProvisionError } from '../model/errors.js';
import { KUBELET_CERTIFICATE } from '../model/kubeadm-certificate.js';
import type { FormerNode } from '../model/kubernetes.js';
import { refuseUnowned } from './drained-node.js';
import type { Belonging, FormerNodeHost, FormerNodeLook } from './look-at-former-node.js';
import { nodesOfHost, nodesOfMachine } from './own-node-name.js';

/** What is left to do to have a host leave Kubernetes; found from the hosts alone. */
export interface FormerNodePlan {
  /** The control plane that is asked for it; absent where nothing of the cluster is to be changed. */
  readonly through: string | undefined;
  /** Nodes whose pods are to be moved elsewhere. */
  readonly drained: readonly ClusterNode[];
  /** Nodes that have pods, or take some, and can't be drained: their kubelet does not run. */
  readonly undrained: readonly ClusterNode[];
  readonly reset: boolean;
  /** The host can use etcd as an API server may: what lets it is removed. */
  readonly etcdClient: boolean;
  readonly deleted: readonly ClusterNode[];
}

const NOTHING: FormerNodePlan = {
  ...{ through: undefined, drained: [], undrained: [], reset: false, etcdClient: false, deleted: [] },
};

/**
 * Decides what is left to do. A node is drained, Ready or not, while its kubelet runs; without one its pods would never be seen to end, and
 * the reset ends them.
 * @returns why it can't be decided yet
 * @throws ProvisionError `node-not-drainable`, `node-has-etcd`, `node-half-made`, `node-name-differs`
 */
export function decideFormerNode(node: FormerNode, { cluster, here }: FormerNodeLook): FormerNodePlan | string {
  if (here === undefined) return NOTHING;
  const reset = mustReset(node, here);
  if (!('through' in cluster)) {
    if (here.state === 'bare') return { ...NOTHING, etcdClient: here.hasEtcdClient };
    return `no control plane says which nodes there are (${cluster.silent})`;
  }
  const foreign = WHY_FOREIGN[here.belonging];
  if (foreign !== undefined && reset) throw otherCluster(node, foreign);
  // A reset takes the certificate away: a run that was killed after it goes on by the machine.
  const { ownName, machine } = here;
  const nodes =
    ownName === undefined
      ? nodesOfMachine(node.host, machine, cluster.through, cluster.nodes)
      : nodesOfHost(node.host, ownName, cluster.through, cluster.nodes);
  const busy = nodes.filter(({ takesPods, evicted }) => takesPods || evicted.length > 0);
  const [drained, undrained] = here.kubeletRuns ? [busy, []] : [[], busy];
  for (const each of drained) refuseUnowned(each, cluster.through);
  return { through: cluster.through, drained, undrained, reset, etcdClient: here.hasEtcdClient, deleted: nodes };
}

function mustReset({ host }: FormerNode, { state, hasStackedEtcd }: FormerNodeHost): boolean {
  if (state === 'bare') return false;
  if (hasStackedEtcd)
    throw new ProvisionError({
      code: 'node-has-etcd',
      message: `${host} is to leave Kubernetes, and kubeadm runs a member of etcd there: the reset would remove it with its data`,
      hint: 'have the member leave first: group etcd_former (docs/runbooks/stacked-to-external.md)',
    });
  if (state === 'begun' || state === 'serving')
    throw new ProvisionError({
      code: 'node-half-made',
      message: `${host} is to leave Kubernetes, and a run was killed there while it made the cluster`,
      hint: 'put it back into kube_control_plane, apply, and have it leave then',
    });
  return true;
}

/** Why a host is no node of this cluster, by whose it is. */
const WHY_FOREIGN: Readonly<Record<Belonging, string | undefined>> = {
  ours: undefined,
  nobodys: undefined,
  'trusts-others': 'its kubelet trusts another authority than the control planes',
  unsigned: 'the certificate of its kubelet is not signed by the authority of the control planes',
  'other-use':
    'the certificate of its kubelet, which their authority has signed, is not the client certificate of the node that it names',
};

function otherCluster({ host }: FormerNode, why: string): ProvisionError {
  return new ProvisionError({
    code: 'node-of-another-cluster',
    message: `${host} is in kube_node_former, and ${why}: nothing proves that it is a node of this cluster`,
    hint: [
      `its certificate: ssh ${host} sudo openssl x509 -noout -subject -issuer -ext extendedKeyUsage -in ${KUBELET_CERTIFICATE}`,
      'where it is a node of another cluster, take it out of the group kube_node_former; where it was off while the authority was replaced, have it join again, and leave then',
    ].join('\n'),
  });
}

/**
 * Nodes of a host that can't be asked, which are deleted without it.
 * @throws ProvisionError `former-node-serves` where its kubelet reports
 */
export function decideLostNode({ host }: FormerNode, { cluster, here }: FormerNodeLook): readonly ClusterNode[] {
  if (here !== undefined || !('through' in cluster)) return [];
  const [alive] = cluster.nodes.filter(({ ready }) => ready === 'true');
  if (alive === undefined) return cluster.nodes;
  throw new ProvisionError({
    code: 'former-node-serves',
    message: `${host} can't be asked, and its node ${alive.name} is Ready: it runs, and what is on it would go on running beside its successors`,
    hint: 'have ssh reach it again, or switch it off; a node is not Ready 40 s after its last report',
  });
}
