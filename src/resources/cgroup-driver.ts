import { KUBELET_CONFIG, kubeletField } from '../facts/kubelet-config.js';
import { UNCHANGED, type Resource } from '../model/change.js';
import { ProvisionError } from '../model/errors.js';

/**
 * A node that runs keeps its cgroup driver: another one would leave its pods in groups that nobody looks after. Nothing is ever to do
 * here.
 */
export function cgroupDriver(wanted: string): Resource {
  return {
    address: 'cgroup-driver',
    paths: [],
    async plan(probe) {
      const found = (await kubeletField(probe, 'cgroupDriver')) ?? wanted;
      if (found === wanted) return UNCHANGED;
      throw new ProvisionError({
        code: 'cgroup-driver-differs',
        message: `${probe.host}: its kubelet has the cgroup driver ${found} (${KUBELET_CONFIG}), and containerd would get ${wanted}`,
        hint: `keep what the node runs with: kube_cluster_cgroup_driver: ${found}`,
      });
    },
  };
}
