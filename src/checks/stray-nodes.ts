import { describeStray, strayNodes } from '../gates/stray-nodes.js';
import { quote } from '../shell/quote.js';
import type { Check } from './check.js';

/** Nodes that Kubernetes has and the inventory does not: a host that was only taken out of its group is still one. */
export const checkStrayNodes: Check = async ({ cluster, probe, inventory }) => {
  const stray = await strayNodes(cluster, probe);
  return stray.map((node) => ({
    check: 'node-without-host',
    subject: node.name,
    verdict: 'warn',
    evidence: describeStray(node),
    next: `put its host into the group kube_node_former, then: provision plan ${quote(inventory)} --playbook former-nodes; is it others' node: kube_cluster_other_nodes: [${node.name}]`,
  }));
};
