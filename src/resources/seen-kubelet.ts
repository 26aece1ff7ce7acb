import { minorVersionOf } from '../facts/apiserver-manifest.js';
import { askText } from '../facts/file-content.js';
import { fileState, type FileState } from '../facts/file-state.js';
import { readKubeconfig, type Kubeconfig } from '../facts/kubeconfig.js';
import { KUBELET, kubeletConfOf, kubeletProcesses, USUAL_KUBELET_CONF } from '../facts/kubelet-processes.js';
import type { ProgramProcess } from '../facts/program-processes.js';
import { unitState, type UnitState } from '../facts/unit-state.js';
import type { Probe } from '../model/remote.js';
import { hostOf } from './with-server.js';

/** kubeadm leaves the kubelet of a control plane with its own API server from here on (KEP-4471, ControlPlaneKubeletLocalMode). */
export const LOCAL_SINCE = 33;

/** The address of a control plane's node, and the manifest of its API server. */
export interface KubeletControlPlane {
  readonly address: string;
  readonly manifest: string;
}

/** The kubelet of a host, with the kubeconfig that it uses. */
export interface SeenKubelet {
  readonly kind: 'seen';
  readonly host: string;
  readonly path: string;
  readonly kubeconfig: Kubeconfig;
  readonly state: Exclude<FileState, { readonly kind: 'absent' }>;
  readonly unit: UnitState;
  readonly processes: readonly ProgramProcess[];
  /** Of the API server of a control plane. */
  readonly manifest: string | undefined;
}

/** A host without a kubeconfig of a kubelet. `path`: where it would be. */
export interface NoKubelet {
  readonly kind: 'none';
  readonly path: string;
}

/**
 * Looks at the kubelet of a host.
 * @throws ProvisionError `kubeconfig-unreadable`
 */
export async function lookAtKubelet(
  controlPlane: KubeletControlPlane | undefined,
  probe: Probe,
): Promise<SeenKubelet | NoKubelet> {
  // The usual file is asked for together with the process that says which it is: a host which has it costs one look.
  const [processes, unit, manifest, usual] = await Promise.all([
    probe.ask(kubeletProcesses, KUBELET),
    probe.ask(unitState, KUBELET),
    controlPlane === undefined ? undefined : askText(probe, controlPlane.manifest),
    readFile(USUAL_KUBELET_CONF, probe),
  ]);
  const path = kubeletConfOf(processes);
  const { text, state } = path === USUAL_KUBELET_CONF ? usual : await readFile(path, probe);
  if (text === undefined || state.kind === 'absent') return { kind: 'none', path };
  const kubeconfig = readKubeconfig(path, text);
  return { kind: 'seen', host: probe.host, path, kubeconfig, state, unit, processes, manifest };
}

async function readFile(
  path: string,
  probe: Probe,
): Promise<{ readonly text: string | undefined; readonly state: FileState }> {
  const [text, state] = await Promise.all([askText(probe, path), probe.ask(fileState, path)]);
  return { text, state };
}

/** Whether a kubelet stays with the API server of its own host, because kubeadm has it so. */
export function staysLocal(
  controlPlane: KubeletControlPlane | undefined,
  { kubeconfig, manifest }: Pick<SeenKubelet, 'kubeconfig' | 'manifest'>,
): boolean {
  if (controlPlane === undefined) return false;
  const isOwn = [controlPlane.address, '127.0.0.1', '::1', 'localhost'].includes(hostOf(kubeconfig.server));
  return isOwn && (minorVersionOf(manifest ?? '') ?? LOCAL_SINCE) >= LOCAL_SINCE;
}
