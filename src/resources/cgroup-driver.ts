import { askText } from '../facts/file-content.js';
import { UNCHANGED, type Resource } from '../model/change.js';
import { ProvisionError } from '../model/errors.js';

/** Where kubeadm lets the kubelet have its configuration. */
const KUBELET_CONFIG = '/var/lib/kubelet/config.yaml';

/**
 * A node that runs keeps its cgroup driver: another one would leave its pods in groups that nobody looks after. Nothing is ever to do
 * here.
 */
export function cgroupDriver(wanted: string): Resource {
  return {
    address: 'cgroup-driver',
    paths: [],
    async plan(probe) {
      const text = (await askText(probe, KUBELET_CONFIG)) ?? '';
      // Of the top level alone, as kubeadm and the kubelet write it.
      const [, found = wanted] = /^["']?cgroupDriver["']?: *["']?(\w+)["']?,? *$/m.exec(text) ?? [];
      if (found === wanted) return UNCHANGED;
      throw new ProvisionError({
        code: 'cgroup-driver-differs',
        message: `${probe.host}: its kubelet has the cgroup driver ${found} (${KUBELET_CONFIG}), and containerd would get ${wanted}`,
        hint: `keep what the node runs with: kube_cluster_cgroup_driver: ${found}`,
      });
    },
  };
}
