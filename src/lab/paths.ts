import { join } from 'node:path';

/** Where the labs of this machine keep things. */
export interface LabPaths {
  /** One directory a lab: its state and its hosts' disks. */
  readonly state: string;
  /** Images, shared by all labs, kept when labs go. */
  readonly cache: string;
}

/**
 * The paths that a lab uses.
 * @param env PROVISION_LAB_CACHE moves the cache, for example to a larger disk
 */
export function labPaths(env: Readonly<Record<string, string | undefined>>): LabPaths {
  return { state: '/var/lib/provision-lab', cache: env['PROVISION_LAB_CACHE'] ?? '/var/cache/provision-lab' };
}

/** Directory of one host of a lab: `root` is its mounted file system, `changes` what it wrote. */
export interface HostPaths {
  readonly directory: string;
  /** What makes the host this host, below `changes`: hostname, keys, machine id. Read-only for the host. */
  readonly identity: string;
  readonly changes: string;
  readonly work: string;
  readonly root: string;
  /** Lines of `pid start-time`, written by run-host.sh. */
  readonly processes: string;
  readonly console: string;
  /** Only of a Kubernetes host: what is bound to /var/lib/containerd, which cannot be an overlay on an overlay. */
  readonly containerd: string;
  /** Only of a Kubernetes host: what is bound to /var/lib/kubelet. */
  readonly kubelet: string;
  /** Routes that the host has from its first moment, a line each as `ip route add` takes it. */
  readonly routes: string;
}

/** Where a host lives. @param stateDirectory the lab's own directory */
export function hostPaths(stateDirectory: string, host: string): HostPaths {
  const directory = join(stateDirectory, 'hosts', host);
  return {
    directory,
    identity: join(directory, 'identity'),
    changes: join(directory, 'changes'),
    work: join(directory, 'work'),
    root: join(directory, 'root'),
    processes: join(directory, 'processes'),
    console: join(directory, 'console.log'),
    containerd: join(directory, 'containerd'),
    kubelet: join(directory, 'kubelet'),
    routes: join(directory, 'routes'),
  };
}
