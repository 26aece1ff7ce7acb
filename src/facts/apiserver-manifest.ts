import type { ClientFiles } from '../model/certificate.js';
import { argumentOf, readStaticPodManifest, type StaticPodManifest } from './static-pod-manifest.js';

/** The container's name in kubeadm's manifest. */
export const CONTAINER = 'kube-apiserver';

/** Where the files usually are: the example of kubeadm's documentation for an external etcd. */
export const USUAL_CLIENT_FILES: ClientFiles = {
  ca: '/etc/kubernetes/pki/etcd/ca.crt',
  certificate: '/etc/kubernetes/pki/apiserver-etcd-client.crt',
  key: '/etc/kubernetes/pki/apiserver-etcd-client.key',
};

/** Where this manifest says that they are; the usual places for what it does not say. */
export function clientFilesOf(manifest: StaticPodManifest): ClientFiles {
  return {
    ca: argumentOf(manifest, 'etcd-cafile') ?? USUAL_CLIENT_FILES.ca,
    certificate: argumentOf(manifest, 'etcd-certfile') ?? USUAL_CLIENT_FILES.certificate,
    key: argumentOf(manifest, 'etcd-keyfile') ?? USUAL_CLIENT_FILES.key,
  };
}

/** The etcd servers that a manifest names. @throws ProvisionError `manifest-unreadable` */
export function clientServersOf(path: string, text: string): readonly string[] {
  return serverList(argumentOf(readStaticPodManifest(path, text, CONTAINER), 'etcd-servers') ?? '');
}

/** The URLs of an `--etcd-servers`. */
export function serverList(servers: string): readonly string[] {
  return servers
    .split(',')
    .map((url) => url.trim())
    .filter((url) => url !== '');
}

/** The minor version of Kubernetes 1 that a manifest runs, by its image's tag; `undefined` where that does not say. */
export function minorVersionOf(text: string): number | undefined {
  const [, minor] = /\bkube-apiserver(?:-[a-z0-9]+)?:v1\.(\d+)\./.exec(text) ?? [];
  return minor === undefined ? undefined : Number(minor);
}
