import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostHandle } from './host.js';
import { runTool } from './process.js';
import type { Lab } from './state.js';
import type { LabHost } from './topology.js';

/** The range of services' addresses in a lab's Kubernetes (RFC 2544, for benchmarks: it names no real network). */
export const SERVICE_RANGE = '198.18.0.0/16';

/** The range of all pods. A host's own part has its address's last number: {@link podRange}. */
export const POD_RANGE = '198.19.0.0/16';

/** The addresses of a host's pods. Pure. */
export function podRange({ address }: Pick<LabHost, 'address'>): string {
  return `198.19.${address.split('.')[3] ?? ''}.0/24`;
}

/** Whether a host is made for a real Kubernetes. */
export function isKubernetesHost(lab: Pick<Lab, 'kubernetes'>, { role }: Pick<LabHost, 'role'>): boolean {
  return lab.kubernetes === 'real' && (role === 'control-plane' || role === 'worker');
}

/**
 * The routes of a Kubernetes host, as flannel's host-gw would set them, and one to the services: a host without a default
 * route looks up a route before kube-proxy translates the address. Pure.
 */
export function podRoutes(lab: Pick<Lab, 'kubernetes' | 'hosts'>, own: LabHost): readonly string[] {
  const others = lab.hosts.filter((host) => isKubernetesHost(lab, host) && host.name !== own.name);
  return [`${SERVICE_RANGE} dev eth0`, ...others.map((host) => `${podRange(host)} via ${host.address}`)];
}

/** The CNI configuration of a host: a bridge and its own part of the pods' range (cni.dev, plugins bridge and portmap). */
export function renderCniConfig(host: LabHost): string {
  const ranges = [[{ subnet: podRange(host) }]];
  const bridge = {
    type: 'bridge',
    bridge: 'cni0',
    isGateway: true,
    ipMasq: false,
    hairpinMode: true,
    ipam: { type: 'host-local', ranges, routes: [{ dst: '0.0.0.0/0' }] },
  };
  const plugins = [bridge, { type: 'portmap', capabilities: { portMappings: true } }];
  return `${JSON.stringify({ cniVersion: '0.3.1', name: 'lab', plugins }, undefined, 2)}\n`;
}

/**
 * Gives a host what makes it fit for Kubernetes beside its image: its pods' network, and a containerd store that holds
 * every image. Blobs and layers are never written again, so that links do; the databases are copies.
 * @param store the shared store
 */
export async function prepareKubernetesHost(handle: HostHandle, store: string): Promise<void> {
  const { lab, host, paths } = handle;
  const cni = join(paths.identity, 'etc/cni/net.d');
  await mkdir(cni, { recursive: true });
  await writeFile(join(cni, '10-lab.conflist'), renderCniConfig(host));
  const names = lab.hosts.map(({ name, address }) => `${address} ${name}\n`);
  await writeFile(join(paths.identity, 'etc/hosts'), `127.0.0.1 localhost\n::1 localhost\n${names.join('')}`);
  // The kubelet hands it to pods, and starts none without it. Nothing answers there.
  await writeFile(join(paths.identity, 'etc/resolv.conf'), `nameserver ${lab.network.control}\n`);
  await writeFile(paths.routes, `${podRoutes(lab, host).join('\n')}\n`);
  await mkdir(paths.kubelet);
  await runTool('sh', ['-euc', COPY_STORE, 'sh', store, paths.containerd]);
}

/** On a file system of its own a cache can't be linked from: then everything is copied. */
const COPY_STORE = `
cp -al "$1" "$2" 2> /dev/null || { rm -rf "$2"; cp -a "$1" "$2"; }
cd "$1"
find . -name '*.db' | while read -r file; do rm "$2/$file"; cp -p "$file" "$2/$file"; done`;
