import { fileContent } from '../../facts/file-content.js';
import type { ClientFiles } from '../../gates/vip-answers.js';
import type { Resource } from '../../model/change.js';
import type { ControlPlane } from '../../model/cluster.js';
import { argumentOf, readStaticPodManifest, type StaticPodManifest } from '../../resources/static-pod-manifest.js';

/** The container's name in kubeadm's manifest. */
export const CONTAINER = 'kube-apiserver';

/** Where the files usually are: the example of kubeadm's documentation for an external etcd. */
const USUAL: ClientFiles = {
  ca: '/etc/kubernetes/pki/etcd/ca.crt',
  certificate: '/etc/kubernetes/pki/apiserver-etcd-client.crt',
  key: '/etc/kubernetes/pki/apiserver-etcd-client.key',
};

/** Where this manifest says that they are; the usual places for what it does not say. */
export function clientFilesOf(manifest: StaticPodManifest): ClientFiles {
  return {
    ca: argumentOf(manifest, 'etcd-cafile') ?? USUAL.ca,
    certificate: argumentOf(manifest, 'etcd-certfile') ?? USUAL.certificate,
    key: argumentOf(manifest, 'etcd-keyfile') ?? USUAL.key,
  };
}

/**
 * Resources whose paths the host's manifest names. The usual ones are asked for together with the manifest, so that a
 * host which has them costs one look.
 * @param make gives as many resources for any files
 */
export function fromManifest(
  { manifest: path }: ControlPlane,
  make: (files: ClientFiles) => readonly Resource[],
): readonly Resource[] {
  return make(USUAL).map((usual, index) => ({
    address: usual.address,
    paths: usual.paths,
    async plan(probe) {
      const [text, outcome] = await Promise.all([probe.ask(fileContent, path), usual.plan(probe)]);
      // A missing manifest is refused by the resource that edits it.
      const files = text === undefined ? USUAL : clientFilesOf(readStaticPodManifest(path, text, CONTAINER));
      const isUsual = JSON.stringify(files) === JSON.stringify(USUAL);
      return isUsual ? outcome : (make(files)[index] ?? usual).plan(probe);
    },
  }));
}
