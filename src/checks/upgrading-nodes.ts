import { listedNodes } from '../gates/listed-nodes.js';
import { ADMIN } from '../shell/kubeadm.js';
import { quote } from '../shell/quote.js';
import type { Check } from './check.js';

/** Nodes that an upgrade by this program has cordoned, and which take no pods: it is at work, or was killed, and what is refused since may keep it so. */
export const checkUpgradingNodes: Check = async ({ cluster, probe, inventory }) => {
  const nodes = await listedNodes(cluster, probe);
  const by = cluster.controlPlanes[0]?.host ?? '';
  return nodes
    .filter(({ isUpgrading }) => isUpgrading)
    .map(({ name }) => ({
      check: 'node-cordoned',
      subject: name,
      verdict: 'warn',
      evidence: 'it takes no pods: an upgrade has cordoned it, and was killed, or is not done yet',
      next: `provision apply ${quote(inventory)} --playbook upgrade-nodes; without an upgrade: ssh ${by} sudo kubectl --kubeconfig ${ADMIN} uncordon ${name}`,
    }));
};
