import { posix } from 'node:path';
import type { EtcdOnHost, EtcdProcess } from '../facts/etcd-process.js';
import { readFlags } from '../facts/command-flags.js';
import { argumentOf, readStaticPodManifest, type StaticPodManifest } from '../facts/static-pod-manifest.js';
import type { StaticPodFile } from '../facts/static-pods.js';
import { requireEtcdctl, type MemberProcess } from './describe-process.js';
import { Obstacle } from './obstacle.js';

/** The container's name in kubeadm's manifest. */
const CONTAINER = 'etcd';

/** Where kubeadm puts manifests. */
export const MANIFESTS = '/etc/kubernetes/manifests';

/** The manifests of a host that are those of an etcd that runs there, each with its process. */
export function stackedMembers(
  { processes }: Pick<EtcdOnHost, 'processes'>,
  { directory, files }: { readonly directory: string; readonly files: readonly StaticPodFile[] },
): readonly { readonly process: EtcdProcess; readonly manifest: StaticPodManifest }[] {
  return files
    .flatMap(({ name, text }) => read(posix.join(directory, name), text) ?? [])
    .flatMap((manifest) =>
      processes.filter((process) => runs(process, manifest)).map((process) => ({ process, manifest })),
    );
}

/**
 * Picks the process of a stacked member: the one that runs with the name and the data of a static pod's manifest.
 * @param directory of the manifests, whose files are given
 * @throws Obstacle when there is none
 */
export function pickPod(
  host: string,
  found: EtcdOnHost,
  { directory, files }: { readonly directory: string; readonly files: readonly StaticPodFile[] },
): MemberProcess {
  const [pair, ...others] = stackedMembers(found, { directory, files });
  if (pair === undefined)
    throw new Obstacle(
      'etcd-process',
      found.processes.length === 0
        ? 'etcd is not running here; all members must be running'
        : `no manifest in ${directory} is that of the etcd that runs here (process ${found.processes[0]?.pid ?? ''}): only a stacked etcd of kubeadm is known to leave from here`,
      found.processes.length === 0
        ? `start it, or take ${host} out of the group etcd_former: ssh ${host} sudo crictl ps -a --name etcd`
        : `set etcd_manifest of ${host} to its static pod's manifest`,
    );
  if (others.length > 0)
    throw new Obstacle('etcd-process', `several etcd run here from manifests in ${directory}`, 'end all but one');
  requireEtcdctl(found);
  const { path } = pair.manifest;
  return { process: pair.process, unit: undefined, manifest: path, files: { unit: [path], environment: [] } };
}

function read(path: string, text: string | undefined): StaticPodManifest | undefined {
  try {
    return text === undefined ? undefined : readStaticPodManifest(path, text, CONTAINER);
  } catch {
    // Another pod's.
    return undefined;
  }
}

/** The kubelet adds nothing to the words of a manifest. */
function runs({ argv }: EtcdProcess, manifest: StaticPodManifest): boolean {
  const given = new Map(readFlags(argv.slice(1)).map(({ name, value }) => [name, value]));
  return ['name', 'data-dir'].every((name) => {
    const wanted = argumentOf(manifest, name);
    return wanted !== undefined && given.get(name) === wanted;
  });
}
