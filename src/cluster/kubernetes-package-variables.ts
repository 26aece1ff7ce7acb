import { defaulted, optional } from './variable-definition.js';
import { listOf, text } from './variable-kinds.js';

/** Debian policy 5.6.12, without an epoch: the packages of Kubernetes have none. A revision ends it. */
const version = /^[0-9][A-Za-z0-9.+~]*(?:-[A-Za-z0-9.+~]+)*$/;

/** Which packages of Kubernetes the nodes have, and where they come from. */
export const KUBERNETES_PACKAGE_VARIABLES = {
  kube_cluster_packages_repository: optional({
    schema: text(
      'an http, https or file URI without a password, such as https://pkgs.k8s.io/core:/stable:/v1.30/deb/',
      /^(?:https?:\/\/[^\s"'\\@?#[\]]+|file:\/[^\s"'\\?#[\]]*)$/,
    ),
    type: 'URI',
    fallbackText: 'none: others install kubelet, kubeadm and kubectl',
    description:
      'An apt repository with kubelet, kubeadm and kubectl, which new nodes get from it, pinned to `kube_cluster_packages_version` and held. ' +
      '[How it is used](../tutorials/kubernetes.md).',
  }),
  kube_cluster_packages_suite: defaulted('/', {
    schema: text('a suite such as stable, or a path that ends with /', /^[\w./~+-]+$/),
    type: 'suite',
    description: 'The suite of the repository (`Suites`). One that ends with `/` is a path, and has no components.',
  }),
  kube_cluster_packages_components: defaulted([], {
    schema: listOf(text('a component such as main', /^[\w./+-]+$/), 'a list of components'),
    type: 'list of components',
    description: 'The components of the suite (`Components`): needed unless the suite ends with `/`.',
  }),
  kube_cluster_packages_key: optional({
    schema: text('a path, written in full or relative to the inventory', /^[^~\0\n][^\0\n]*$/),
    type: 'path on the control machine',
    fallbackText: 'required with `kube_cluster_packages_repository`',
    description:
      'The OpenPGP key, armored or binary, that must have signed the repository (`Signed-By`). It is never fetched: put it beside the inventory, and compare its fingerprint, which the plan shows.',
  }),
  kube_cluster_packages_version: optional({
    schema: text('a version such as 1.30.4, or with its revision 1.30.4-1.1', version),
    type: 'version',
    fallbackText: 'required with `kube_cluster_packages_repository`',
    description:
      'The version that new nodes get. Nodes that have joined keep theirs: `kubeadm upgrade` is not done by this program.',
  }),
  kube_cluster_packages_containerd_version: optional({
    schema: text('a version of the package containerd, such as 1.6.20~ds1-1+deb12u1', version),
    type: 'version',
    fallbackText: 'the one that apt prefers',
    description:
      'The version of the package `containerd` that new nodes get, from this repository or another one; pinned, too.',
  }),
} as const;
