import { etcdDataKey } from '../../src/facts/etcd-data.js';
import { etcdRegistryKey } from '../../src/facts/etcd-registry.js';
import { STOPPED } from './etcd-answers.js';
import type { FakeAnswers } from './fake-probe.js';
import { sampleMember } from './sample-cluster.js';

/** What kubeadm stumbles over, where this program has not begun. */
export const LEFTOVERS = [
  '/etc/kubernetes/bootstrap-kubelet.conf',
  '/etc/kubernetes/admin.conf',
  '/etc/kubernetes/manifests/kube-apiserver.yaml',
] as const;

/** How far a host is, as its files show it. @param state `half-made`: others have left off in the middle */
export function kubernetesHost(
  name: string,
  state: 'bare' | 'joined' | 'half-made' | 'begun' | 'serving' | 'joining' | 'leaving',
  version = 'v1.20.2',
): FakeAnswers {
  const hasFiles = state === 'joined';
  const isMarked = ['begun', 'serving', 'joining', 'leaving'].includes(state);
  const [bootstrap, admin, manifest] = LEFTOVERS;
  return {
    'file-contents': {
      '/var/lib/provision/kubernetes': isMarked ? `${state}\n` : undefined,
      // The API server has not let its kubelet in.
      '/etc/kubernetes/kubelet.conf': undefined,
    },
    paths: {
      '/etc/kubernetes/kubelet.conf': hasFiles,
      [bootstrap]: state === 'half-made',
      [admin]: hasFiles,
      [manifest]: hasFiles,
    },
    'kubeadm-outline': { 'registry.k8s.io': { version, sandboxImage: 'registry.k8s.io/pause:3.2' } },
    'node-outline': { node: { name: name.toUpperCase() } },
    // Its kubelet does not run.
    units: { kubelet: STOPPED },
    'kubelet-processes': { kubelet: [] },
  };
}

/** A member of etcd, and whether it holds objects of a Kubernetes: `empty`, `used`, or `silent`. */
export function registryHost(number: number, hasData: boolean, registry: string): FakeAnswers {
  const of = sampleMember(number);
  return {
    'etcd-data': { [etcdDataKey(of)]: { hasData, isBootstrapping: false, isConfigured: hasData, lone: undefined } },
    'etcd-registry': { [etcdRegistryKey(of)]: registry },
  };
}
