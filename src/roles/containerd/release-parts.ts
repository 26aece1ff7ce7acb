import { NODE, nodeOutline } from '../../facts/node-outline.js';
import { pathExists } from '../../facts/path-exists.js';
import { runtimeProcess } from '../../facts/runtime-process.js';
import { UNCHANGED, type Resource } from '../../model/change.js';
import type { Content } from '../../model/content.js';
import { ProvisionError } from '../../model/errors.js';
import type { Inventory } from '../../model/inventory.js';
import type { KubernetesNode, KubernetesSettings, NodeProduct } from '../../model/kubernetes.js';
import type { Probe } from '../../model/remote.js';
import { file } from '../../resources/file.js';
import { nodeRelease } from '../../resources/node-release.js';
import { service, type ServiceOptions } from '../../resources/service.js';
import { NODE_RELEASES, nodeReleaseDirectory } from '../../shell/node-release.js';
import type { RoleTools } from '../role.js';

/** Upstream's own places (containerd's docs/getting-started.md). */
const LINKS: Readonly<Record<Exclude<NodeProduct, 'cni'>, string>> = {
  containerd: '/usr/local/bin',
  runc: '/usr/local/sbin',
};

const PROGRAM = `${LINKS.containerd}/containerd`;

/** Releases that a node has in place of packages: runc and the plugins first, which containerd starts. */
export function nodeReleases({ releases = {}, cniBinDir }: KubernetesSettings): readonly Resource[] {
  const { containerd, runc, cni } = releases;
  return [
    ...(containerd !== undefined && runc === undefined ? [runcThere()] : []),
    ...(runc === undefined ? [] : [nodeRelease({ release: runc, links: LINKS.runc })]),
    ...(cni === undefined ? [] : [nodeRelease({ release: cni, links: cniBinDir })]),
    ...(containerd === undefined ? [] : [nodeRelease({ release: containerd, links: LINKS.containerd })]),
  ];
}

/** The unit of a released containerd, in place of the one of a package, whose drop-ins are read all the same; none for a package. */
export function containerdUnit(
  { template }: Pick<RoleTools, 'template'>,
  inventory: Inventory,
  node: KubernetesNode,
  { releases }: KubernetesSettings,
): readonly Resource[] {
  if (releases?.containerd === undefined) return [];
  return [
    file({
      path: '/etc/systemd/system/containerd.service',
      ...{ owner: 'root', group: 'root', mode: '0644' },
      foreign: { replace: node.replaceFiles, wayOut: 'move it away where nothing of it is needed' },
      async content(probe): Promise<Content> {
        const { isContainer } = await probe.ask(nodeOutline, NODE);
        return inventory.render(node.host, template('containerd.service.j2'), {
          program: PROGRAM,
          // The root of a container may not lower it.
          oom_score_adjust: isContainer ? 0 : -999,
        });
      },
    }),
  ];
}

/** Why a containerd that runs must be restarted for its release: its process was started from another file. */
export async function otherRelease(
  { releases }: KubernetesSettings,
  unit: string,
  probe: Probe,
): Promise<readonly string[]> {
  const { program } = await probe.ask(runtimeProcess, unit);
  if (releases?.containerd === undefined || program === undefined) return [];
  const wanted = `${nodeReleaseDirectory(releases.containerd)}/containerd`;
  return program === wanted ? [] : [`the process is ${program}, not ${wanted}`];
}

/** A containerd's service; one that runs from a release that the inventory names no more goes on, and is reported. */
export function startedFrom({ releases }: KubernetesSettings, options: ServiceOptions): Resource {
  return {
    ...service(options),
    async doubt(probe) {
      if (releases?.containerd !== undefined) return undefined;
      const { program } = await probe.ask(runtimeProcess, options.unit);
      if (program?.startsWith(`${NODE_RELEASES}/`) !== true) return undefined;
      return `containerd runs from ${program}, and kube_cluster_containerd_release names no release: it goes on, and nobody renews it. For the package: remove ${PROGRAM} and /etc/systemd/system/containerd.service, and run apply again`;
    },
  };
}

/** Its package brings one, a release of containerd does not. */
function runcThere(): Resource {
  return {
    address: 'runc',
    paths: [],
    async plan(probe) {
      const there = await Promise.all(RUNC_PLACES.map(async (path) => probe.ask(pathExists, path)));
      if (there.includes(true)) return UNCHANGED;
      throw new ProvisionError({
        code: 'no-runc',
        message: `${probe.host}: there is no runc, with which containerd starts containers, and a release of containerd brings none`,
        hint: 'name one: kube_cluster_runc_release and kube_cluster_runc_sha256; or install the package runc',
      });
    },
  };
}

/** Where a unit of systemd finds programs. */
const RUNC_PLACES = ['/usr/local/sbin/runc', '/usr/local/bin/runc', '/usr/sbin/runc', '/usr/bin/runc'];
