import type { Fact } from '../model/remote.js';
import { parseProgramProcesses, programProcessesScript, type ProgramProcess } from './program-processes.js';

/** The one key of {@link kubeProxyProcesses}. */
export const KUBE_PROXY = 'kube-proxy';

/** Key: {@link KUBE_PROXY}. Every kube-proxy of the host: its pod has the host's network. */
export const kubeProxyProcesses: Fact<readonly ProgramProcess[]> = {
  name: 'kube-proxy-processes',
  isConfidential: true,
  script: () => programProcessesScript(KUBE_PROXY),
  parse(stdout, keys) {
    const processes = parseProgramProcesses(stdout);
    return new Map(keys.map((key) => [key, processes]));
  },
};

/** Where kubeadm has it: its DaemonSet, and the ConfigMap of the same name. */
export const KUBE_PROXY_PODS = { namespace: 'kube-system', name: 'kube-proxy' } as const;
