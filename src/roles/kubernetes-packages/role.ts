import type { Resource } from '../../model/change.js';
import { plainContent } from '../../model/content.js';
import type { Cluster } from '../../model/cluster.js';
import { ProvisionError } from '../../model/errors.js';
import type { Inventory } from '../../model/inventory.js';
import type { KubernetesNode, KubernetesPackages } from '../../model/kubernetes.js';
import { aptSource } from '../../resources/apt-source.js';
import { file } from '../../resources/file.js';
import { heldPackages } from '../../resources/held-packages.js';
import { KUBERNETES_PACKAGES, kubernetesPackages } from '../../resources/kubernetes-packages.js';
import { readOpenPgpKeys, type OpenPgpKeys } from '../../resources/openpgp-key.js';
import { readNamed } from '../named-file.js';
import { nodeOn, type Role, type RoleTools } from '../role.js';
import { bashCompletion } from './bash-completion.js';

const SOURCE = '/etc/apt/sources.list.d/provision-kubernetes.sources';
const PIN = '/etc/apt/preferences.d/provision-kubernetes.pref';

/** Above every version that is not pinned (500); not so high that one that is installed would be replaced by an older one (apt_preferences(5)). */
const PRIORITY = 999;

/** kubelet, kubeadm and kubectl, from the repository that the inventory names; where it names none, others have installed them. */
export function kubernetesPackagesRole({ readBytes }: Pick<RoleTools, 'readBytes'>): Role {
  return {
    name: 'kubernetes-packages',
    summary:
      'has kubelet, kubeadm and kubectl of the repository that the inventory names, pinned and held; and their completion for bash',
    resources(host, inventory, cluster) {
      const node = nodeOn(cluster, host);
      const { packages } = cluster.kubernetes.settings;
      const completion = bashCompletion();
      return packages === undefined
        ? completion
        : [...resourcesOf(packages, { node, cluster }, keysIn(packages.keyFile, inventory, readBytes)), ...completion];
    },
  };
}

/** A node, and the cluster that it is to be a part of. */
interface Site {
  readonly node: KubernetesNode;
  readonly cluster: Pick<Cluster, 'controlPlanes' | 'kubernetes'>;
}

function resourcesOf(packages: KubernetesPackages, { node, cluster }: Site, keys: OpenPgpKeys): readonly Resource[] {
  const { repository: uri, suite, components } = packages;
  const foreign = { replace: node.replaceFiles, wayOut: 'move it away where nothing of it is needed' };
  const installed = kubernetesPackages({
    version: packageVersion(packages.version),
    source: { file: SOURCE, uri },
    controlPlanes: cluster.controlPlanes.map(({ host }) => host),
    imageRepository: cluster.kubernetes.settings.imageRepository,
  });
  return [
    // First: the source is not there for a moment without it.
    file({
      path: PIN,
      content: plainContent(pins(packages)),
      ...{ owner: 'root', group: 'root', mode: '0644' },
      foreign,
    }),
    aptSource({ path: SOURCE, uri, suite, components, keys, foreign }),
    installed,
    heldPackages(KUBERNETES_PACKAGES, { resource: installed, names: KUBERNETES_PACKAGES }),
  ];
}

function pins({ version, containerdVersion }: KubernetesPackages): string {
  const stanzas = [
    pin(KUBERNETES_PACKAGES.join(' '), packageVersion(version)),
    ...(containerdVersion === undefined ? [] : [pin('containerd', packageVersion(containerdVersion))]),
  ];
  return ['# Written by provision.', stanzas.join('\n')].join('\n');
}

function pin(names: string, version: string): string {
  return `Package: ${names}\nPin: version ${version}\nPin-Priority: ${PRIORITY}\n`;
}

/** The version as apt takes it: any revision of it where none is named. */
export function packageVersion(version: string): string {
  return version.includes('-') ? version : `${version}-*`;
}

/** @throws InputError, ProvisionError `repository-key-unusable` */
function keysIn(path: string, inventory: Inventory, readBytes: RoleTools['readBytes']): OpenPgpKeys {
  const bytes = readNamed({ variable: 'kube_cluster_packages_key', path }, inventory, readBytes);
  const found = readOpenPgpKeys(bytes);
  if (typeof found === 'string') throw unusable(path, found);
  return found;
}

function unusable(path: string, why: string): ProvisionError {
  return new ProvisionError({
    code: 'repository-key-unusable',
    message: `${path}, which kube_cluster_packages_key names, ${why}`,
    hint: 'get the public key of the repository from its owners, such as Release.key of pkgs.k8s.io, and compare its fingerprint: gpg --show-keys FILE',
  });
}
