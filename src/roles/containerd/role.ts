import { kubeadmOutline } from '../../facts/kubeadm-outline.js';
import { NODE, nodeOutline } from '../../facts/node-outline.js';
import { CONTAINERD } from '../../gates/runtime-ready.js';
import type { Resource } from '../../model/change.js';
import { plainContent, type Content } from '../../model/content.js';
import { ProvisionError } from '../../model/errors.js';
import type { Host, Inventory } from '../../model/inventory.js';
import type { Kubernetes, KubernetesNode, KubernetesSettings } from '../../model/kubernetes.js';
import type { Probe } from '../../model/remote.js';
import { cgroupDriver } from '../../resources/cgroup-driver.js';
import { crictlConfiguration } from '../../resources/crictl-configuration.js';
import { directory } from '../../resources/directory.js';
import { file } from '../../resources/file.js';
import { heldPackages } from '../../resources/held-packages.js';
import { packagesUnless } from '../../resources/packages-unless.js';
import { packageVersion } from '../kubernetes-packages/role.js';
import { nodeOn, type Role, type RoleTools } from '../role.js';
import { otherProxies, pullProxies } from './pull-proxies.js';
import { containerdUnit, nodeReleases, otherRelease, startedFrom } from './release-parts.js';

const OWNED = { owner: 'root', group: 'root' } as const;
const PUBLIC = { ...OWNED, mode: '0644' } as const;

/** Where packages and release tarballs put it. */
const PROGRAMS = ['/usr/bin/containerd', '/usr/local/bin/containerd'];

/** Where containerd listens. */
const CONTAINERD_SOCKET = '/run/containerd/containerd.sock';

/** A container runtime that a kubelet can use. */
export function containerdRole(tools: RoleTools): Role {
  return {
    name: 'containerd',
    summary: 'runs containerd as a kubelet expects it',
    resources(host, inventory, cluster) {
      const { kubernetes } = cluster;
      const node = nodeOn(cluster, host);
      const { settings } = kubernetes;
      const proxies = pullProxies(cluster);
      const installed =
        settings.releases?.containerd === undefined
          ? [packagesUnless(PROGRAMS, { names: [packageOf(settings)], keepStopped: [CONTAINERD] })]
          : [];
      const unit = containerdUnit(tools, inventory, node, settings);
      const configuration = configurationOf(tools, inventory, { host, node, kubernetes });
      return [
        cgroupDriver(settings.cgroupDriver),
        ...installed,
        ...nodeReleases(settings),
        directory({ path: '/etc/containerd', ...OWNED, mode: '0755' }),
        configuration,
        ...mirrors(settings),
        crictlConfiguration({ path: '/etc/crictl.yaml', content: plainContent(CRICTL), ...PUBLIC }),
        ...unit,
        ...proxies,
        // Pods live on in their shims.
        startedFrom(settings, {
          unit: CONTAINERD,
          runsWith: [configuration, ...unit],
          otherReasons: async (probe) =>
            (
              await Promise.all([otherRelease(settings, CONTAINERD, probe), otherProxies(cluster, CONTAINERD, probe)])
            ).flat(),
          onChange: 'restart',
        }),
        heldPackages(
          ['containerd', 'containerd.io'],
          installed[0] === undefined ? undefined : { resource: installed[0], names: ['containerd'] },
        ),
      ];
    },
  };
}

/** The package of containerd, of one version where the inventory wants one. */
function packageOf({ packages }: KubernetesSettings): string {
  const version = packages?.containerdVersion;
  return version === undefined ? 'containerd' : `containerd=${packageVersion(version)}`;
}

const CRICTL = `# Written by provision.
runtime-endpoint: unix://${CONTAINERD_SOCKET}
image-endpoint: unix://${CONTAINERD_SOCKET}
`;

/** One host, and what its containerd should be like. */
interface Site {
  readonly host: Host;
  readonly node: KubernetesNode;
  readonly kubernetes: Kubernetes;
}

function configurationOf(
  { template }: RoleTools,
  inventory: Inventory,
  { host, node, kubernetes: { settings } }: Site,
): Resource {
  const written = file({
    path: '/etc/containerd/config.toml',
    ...PUBLIC,
    foreign: { replace: node.replaceFiles, wayOut: 'move it away where nothing of it is needed' },
    async content(probe): Promise<Content> {
      const [image, { isContainer }] = await Promise.all([sandboxImage(settings, probe), probe.ask(nodeOutline, NODE)]);
      return inventory.render(host.name, template('containerd.toml.j2'), {
        sandbox_image: image,
        is_container: isContainer,
        cni_bin_dir: settings.cniBinDir,
        cgroup_driver: settings.cgroupDriver,
      });
    },
  });
  const isNamed = settings.sandboxImage !== undefined || settings.packages === undefined;
  return isNamed ? written : onceThereIsKubeadm(written, settings);
}

/** Where this program installs kubeadm, what it names is not known before. */
function onceThereIsKubeadm(written: Resource, { imageRepository }: KubernetesSettings): Resource {
  return {
    ...written,
    async plan(probe) {
      const kubeadm = await probe.ask(kubeadmOutline, imageRepository);
      if (kubeadm !== undefined) return written.plan(probe);
      return { kind: 'unknown', because: "kubeadm, which is installed first, names the image of pods' sandboxes" };
    },
  };
}

async function sandboxImage(settings: KubernetesSettings, probe: Probe): Promise<string> {
  if (settings.sandboxImage !== undefined) return settings.sandboxImage;
  const kubeadm = await probe.ask(kubeadmOutline, settings.imageRepository);
  if (kubeadm !== undefined) return kubeadm.sandboxImage;
  throw new ProvisionError({
    code: 'no-kubeadm',
    message: `${probe.host}: there is no kubeadm, which names the image of pods' sandboxes`,
    hint: 'install kubelet, kubeadm and kubectl of one version (pkgs.k8s.io), or set kube_cluster_sandbox_image',
  });
}

/** containerd reads them for each pull (its docs/hosts.md). */
function mirrors({ registryMirrors }: KubernetesSettings): readonly Resource[] {
  const wanted = Object.entries(registryMirrors);
  if (wanted.length === 0) return [];
  const root = '/etc/containerd/certs.d';
  return [
    directory({ path: root, ...OWNED, mode: '0755' }),
    ...wanted.flatMap(([registry, urls]) => [
      directory({ path: `${root}/${registry}`, ...OWNED, mode: '0755' }),
      file({ path: `${root}/${registry}/hosts.toml`, content: plainContent(hostsToml(registry, urls)), ...PUBLIC }),
    ]),
  ];
}

/** The registry itself comes last. Docker Hub answers at another name than it is called by. */
function hostsToml(registry: string, urls: readonly string[]): string {
  const server = registry === 'docker.io' ? 'registry-1.docker.io' : registry;
  const own = registry === '_default' ? [] : [`server = "https://${server}"`];
  const blocks = urls.map((url) => `\n[host."${url}"]\n  capabilities = ["pull", "resolve"]`);
  return `${['# Written by provision.', ...own, ...blocks].join('\n')}\n`;
}
