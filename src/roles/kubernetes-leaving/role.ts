import type { Cluster } from '../../model/cluster.js';
import { FORMER_NODES } from '../../model/former-groups.js';
import type { FormerNode } from '../../model/kubernetes.js';
import { formerNodeSteps, lostNodeDeleted, type FormerSite } from '../../resources/kubernetes-former.js';
import { partOn, type Role } from '../role.js';

/** A host that is a part of Kubernetes no more. */
export function kubernetesLeavingRole(): Role {
  return {
    name: 'kubernetes-leaving',
    summary: 'is no node of Kubernetes any more: drained, reset, deleted',
    resources: (host, _, cluster) =>
      formerNodeSteps(siteOf(partOn(cluster.kubernetes.formerNodes, host, FORMER_NODES), cluster)),
  };
}

/** Nodes that are to leave, and whose hosts can't be asked, are deleted: one thing of the cluster, done by the first control plane. */
export function kubernetesLostLeavingRole(): Role {
  return {
    name: 'kubernetes-lost-leaving',
    summary: 'lists no former node whose host is lost',
    resources: (host, _, cluster) =>
      host.name === cluster.controlPlanes[0]?.host
        ? cluster.kubernetes.formerNodes.map((node) => lostNodeDeleted(siteOf(node, cluster)))
        : [],
  };
}

function siteOf(node: FormerNode, { kubernetes: { nodes, settings } }: Cluster): FormerSite {
  return { node, controlPlanes: nodes.filter(({ kind }) => kind === 'control-plane'), settings };
}
