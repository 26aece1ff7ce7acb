import type { Fact } from '../model/remote.js';
import { flagValue } from './command-flags.js';
import { parseProgramProcesses, programProcessesScript, type ProgramProcess } from './program-processes.js';

/** The one key of {@link kubeletProcesses}. */
export const KUBELET = 'kubelet';

/** Key: {@link KUBELET}. Every kubelet of the host. */
export const kubeletProcesses: Fact<readonly ProgramProcess[]> = {
  name: 'kubelet-processes',
  isConfidential: true,
  script: () => programProcessesScript(KUBELET),
  parse(stdout, keys) {
    const processes = parseProgramProcesses(stdout);
    return new Map(keys.map((key) => [key, processes]));
  },
};

/** Where kubeadm, and kubespray, let the kubelet have its kubeconfig. */
export const USUAL_KUBELET_CONF = '/etc/kubernetes/kubelet.conf';

/** The kubeconfig of a host's kubelet: what the running process says, else the usual one. */
export function kubeletConfOf(processes: readonly ProgramProcess[]): string {
  const given = flagValue(processes[0]?.argv ?? [], 'kubeconfig');
  return given?.startsWith('/') === true ? given : USUAL_KUBELET_CONF;
}
