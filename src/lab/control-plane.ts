import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostHandle } from './host.js';
import { runTool } from './process.js';
import type { Lab } from './state.js';

/** What the control planes of one cluster share (kubeadm's "certs to copy" for a further control plane). */
const SHARED = ['ca.crt', 'ca.key', 'sa.key', 'sa.pub', 'front-proxy-ca.crt', 'front-proxy-ca.key'];

const PKI = 'etc/kubernetes/pki';

/**
 * kubeadm's configuration of one control plane with external etcd. The client certificate that it names is not made
 * here: putting it there is the product's work. Pure.
 */
export function renderKubeadmConfig(lab: Lab, node: { readonly name: string; readonly address: string }): string {
  const addressesOf = (role: string): readonly string[] =>
    lab.hosts.filter((host) => host.role === role).map((host) => host.address);
  const controlPlanes = addressesOf('control-plane');
  return `apiVersion: kubeadm.k8s.io/v1beta2
kind: InitConfiguration
localAPIEndpoint:
  advertiseAddress: ${node.address}
  bindPort: 6443
nodeRegistration:
  name: ${node.name}
  criSocket: /run/containerd/containerd.sock
---
apiVersion: kubeadm.k8s.io/v1beta2
kind: ClusterConfiguration
clusterName: ${lab.name}
kubernetesVersion: v1.20.2
controlPlaneEndpoint: ${controlPlanes[0] ?? node.address}:6443
apiServer:
  certSANs:
${controlPlanes.map((address) => `  - ${address}\n`).join('')}etcd:
  external:
    endpoints:
${addressesOf('etcd')
  .map((address) => `    - https://${address}:2379\n`)
  .join('')}    caFile: /etc/kubernetes/pki/etcd/ca.crt
    certFile: /etc/kubernetes/pki/apiserver-etcd-client.crt
    keyFile: /etc/kubernetes/pki/apiserver-etcd-client.key
`;
}

/** Runs kubeadm's phases with the host's identity as its root: it is a static program and chroots there. */
async function runPhases(kubernetes: string, handle: HostHandle): Promise<void> {
  const { identity } = handle.paths;
  const kubeadm = join(kubernetes, 'usr/local/bin/kubeadm');
  for (const phase of ['certs all', 'kubeconfig all', 'control-plane apiserver']) {
    const args = ['init', 'phase', ...phase.split(' '), '--config', '/etc/kubernetes/kubeadm.yaml'];
    await runTool(kubeadm, ['--rootfs', identity, ...args]);
  }
}

/**
 * Makes the PKI, kubeconfigs and static pod manifest of the control planes with the real kubeadm: one CA and service
 * account key for all, own certificates for each.
 * @param kubernetes the layer with kubeadm
 */
export async function createControlPlanes(kubernetes: string, handles: readonly HostHandle[]): Promise<void> {
  const [first] = handles;
  if (first === undefined) return;
  for (const handle of handles) {
    const pki = join(handle.paths.identity, PKI);
    await mkdir(pki, { recursive: true, mode: 0o755 });
    const config = join(handle.paths.identity, 'etc/kubernetes/kubeadm.yaml');
    await writeFile(config, renderKubeadmConfig(handle.lab, handle.host));
    if (handle !== first) {
      for (const file of SHARED) await copyFile(join(first.paths.identity, PKI, file), join(pki, file));
    }
    await runPhases(kubernetes, handle);
  }
}

/** Lets the stand-in for the kubelet pause 1 to 5 s after crashes, for tests whose subject is not how long it pauses. */
export async function shortenCrashPauses(handle: HostHandle): Promise<void> {
  const directory = join(handle.paths.identity, 'etc/default');
  await mkdir(directory, { recursive: true, mode: 0o755 });
  await writeFile(join(directory, 'kubelet-stand-in'), 'BACK_OFF_S="1 2 5"\n');
}
