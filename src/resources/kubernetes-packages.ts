import { USUAL_KUBELET_CONF } from '../facts/kubelet-processes.js';
import { kubeadmOutline } from '../facts/kubeadm-outline.js';
import { packageState } from '../facts/packages.js';
import { pathExists } from '../facts/path-exists.js';
import { unlessLost } from '../facts/unless-lost.js';
import { UNCHANGED, type Resource } from '../model/change.js';
import { ProvisionError, RemoteError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import type { PackageSource } from '../shell/apt.js';
import { isServing } from './kubernetes-host.js';
import { isVersion, packages } from './packages.js';

/** What a node has of Kubernetes itself. */
export const KUBERNETES_PACKAGES = ['kubelet', 'kubeadm', 'kubectl'] as const;

/** What nodes need: an administrator may have installed a node without the rest. */
const NEEDED = ['kubelet', 'kubeadm'];

/** Where programs are found before those of packages (shell/remote-environment.ts). */
const SHADOWS = ['/usr/local/sbin', '/usr/local/bin'].flatMap((directory) =>
  KUBERNETES_PACKAGES.map((name) => `${directory}/${name}`),
);

/** Which packages, and of what source. */
export interface KubernetesPackagesWanted {
  /** As {@link isVersion} takes it. */
  readonly version: string;
  readonly source: PackageSource;
  /** All control planes of the inventory: a kubelet may not be newer than an API server. */
  readonly controlPlanes: readonly string[];
  /** As {@link kubeadmOutline} is asked. */
  readonly imageRepository: string;
}

/**
 * kubelet, kubeadm and kubectl of one version, on a host that is to be a node. A node that has joined keeps the version that it has,
 * which is said: another one is `kubeadm upgrade`, which this program does not do.
 * @throws ProvisionError `kubernetes-programs-of-others`, `kubernetes-version-ahead`
 */
export function kubernetesPackages(options: KubernetesPackagesWanted): Resource {
  const { version, source } = options;
  const wanted = packages({
    names: KUBERNETES_PACKAGES.map((name) => `${name}=${version}`),
    // Until kubeadm has configured it, it would start, and end, every ten seconds.
    keepStopped: ['kubelet'],
    source,
  });
  const only = packages({ names: [`kubectl=${version}`], source });
  return {
    address: 'kubernetes:packages',
    paths: [],
    async plan(probe) {
      const [isJoined, found, shadows, outcome] = await Promise.all([
        probe.ask(pathExists, USUAL_KUBELET_CONF),
        installedOn(probe),
        Promise.all(SHADOWS.map(async (path) => ({ path, isThere: await probe.ask(pathExists, path) }))),
        probe.ask(pathExists, USUAL_KUBELET_CONF).then(async (is) => (is ? UNCHANGED : wanted.plan(probe))),
      ]);
      const others = shadows.filter(({ isThere }) => isThere).map(({ path }) => path);
      if (others.length > 0) throw shadowed(probe.host, others);
      if (!isJoined) {
        await refuseAhead(options, probe);
        return outcome;
      }
      const missing = found.filter(({ name, installed }) => installed === undefined && NEEDED.includes(name));
      if (missing.length > 0)
        throw unpackaged(
          probe.host,
          missing.map(({ name }) => name),
        );
      return found.every(({ installed }) => installed !== undefined) ? UNCHANGED : only.plan(probe);
    },
    async doubt(probe) {
      const [isJoined, found] = await Promise.all([probe.ask(pathExists, USUAL_KUBELET_CONF), installedOn(probe)]);
      const others = found.filter(({ installed }) => installed !== undefined && !isVersion(installed, version));
      if (!isJoined || others.length === 0) return undefined;
      const list = others.map(({ name, installed = '' }) => `${name} ${installed}`).join(', ');
      return `${list} ${others.length === 1 ? 'stays' : 'stay'}, where the inventory has ${version}: a node that has joined is upgraded with kubeadm upgrade, by its administrator`;
    },
  };
}

async function installedOn(
  probe: Probe,
): Promise<readonly { readonly name: string; readonly installed: string | undefined }[]> {
  return Promise.all(
    KUBERNETES_PACKAGES.map(async (name) => ({ name, installed: (await probe.ask(packageState, name)).installed })),
  );
}

/** Kubernetes' version skew policy: no kubelet is newer than an API server. By what control planes that serve have installed. */
async function refuseAhead(
  { version, controlPlanes, imageRepository }: KubernetesPackagesWanted,
  probe: Probe,
): Promise<void> {
  const others = controlPlanes.filter((host) => host !== probe.host);
  const serving = await Promise.all(others.map(async (host) => unlessLost(isServing(probe.on(host)))));
  const asked = await Promise.all(
    others
      .filter((_, index) => serving[index] === true)
      .map(async (host) => ({ host, seen: await unlessLost(probe.on(host).ask(kubeadmOutline, imageRepository)) })),
  );
  for (const { host, seen } of asked) {
    if (seen === undefined || seen instanceof RemoteError || !isAhead(version, seen.version)) continue;
    throw new ProvisionError({
      code: 'kubernetes-version-ahead',
      message: `${probe.host} would get Kubernetes ${version}, and ${host} has ${seen.version}: a kubelet may not be newer than the API servers`,
      hint: 'set kube_cluster_packages_version, and its repository, to the version of the cluster; or upgrade the control planes first (kubeadm upgrade)',
    });
  }
}

/** By major and minor version; a version of another form is not compared. */
function isAhead(wanted: string, theirs: string): boolean {
  const [one, other] = [wanted, theirs].map((text) => /^v?(\d+)\.(\d+)\./.exec(text));
  if (!one || !other) return false;
  const [major, minor] = [1, 2].map((index) => Number(one[index]) - Number(other[index]));
  return (major ?? 0) > 0 || (major === 0 && (minor ?? 0) > 0);
}

function shadowed(host: string, paths: readonly string[]): ProvisionError {
  return new ProvisionError({
    code: 'kubernetes-programs-of-others',
    message: `${host}: ${paths.join(', ')} would run in place of what the packages of kube_cluster_packages_repository bring`,
    hint: `where no node runs with it: ssh ${host} sudo rm ${paths.join(' ')}; else leave out kube_cluster_packages_repository`,
  });
}

function unpackaged(host: string, names: readonly string[]): ProvisionError {
  return new ProvisionError({
    code: 'kubernetes-programs-of-others',
    message: `${host} has joined a cluster, and its ${names.join(' and ')} ${names.length === 1 ? 'is' : 'are'} of no package: with packages of kube_cluster_packages_repository it would run another kubelet`,
    hint: `leave out kube_cluster_packages_repository, or have ${host} leave and join again: docs/runbooks/remove-a-node.md`,
  });
}
