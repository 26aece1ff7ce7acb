import { clusterWarnings, describeCluster } from '../../src/cluster/describe-cluster.js';
import { formatProblem, InputError } from '../../src/model/errors.js';
import type { Inventory } from '../../src/model/inventory.js';
import { loadFiles } from './write-inventory.js';

const HOSTS = `  hosts:
    etcd-1: { ansible_host: 10.0.0.1 }
    etcd-2: { ansible_host: 10.0.0.2 }
    etcd-3: { ansible_host: 10.0.0.3 }
    cp-1: { ansible_host: 10.0.0.11 }
  children:
    etcd: { hosts: { etcd-1: , etcd-2: , etcd-3: } }
    kube_control_plane: { hosts: { cp-1: } }
`;

/** Three members of etcd and a control plane, without load balancers. @param variables of all hosts, each as YAML */
export async function nodeInventory(variables: Readonly<Record<string, string>>): Promise<Inventory> {
  const lines = Object.entries(variables).map(([name, value]) => `    ${name}: ${value}\n`);
  return loadFiles({ 'hosts.yaml': `all:\n  vars:\n    etcd_lb_enabled: false\n${lines.join('')}${HOSTS}` });
}

/** What is said of an inventory, a line each: what is wrong, without its place, or else the warnings. */
export function toldOf(inventory: Inventory): readonly string[] {
  try {
    describeCluster(inventory);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return error.problems.map((problem) => formatProblem(problem).replace(/^.*hosts\.yaml:\d+:\d+: (?:error: )?/, ''));
  }
  return clusterWarnings(inventory).map(({ subject, message }) => `${subject} ${message}`);
}
