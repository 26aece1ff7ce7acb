import { clientFilesOf, CONTAINER } from '../../facts/apiserver-manifest.js';
import { argumentOf } from '../../facts/static-pod-manifest.js';
import type { ClientFiles } from '../../model/certificate.js';
import type { Await, Resource } from '../../model/change.js';
import type { Cluster, ControlPlane } from '../../model/cluster.js';
import { staticPodArguments } from '../../resources/static-pod-arguments.js';
import { refuseForeignServers } from './known-servers.js';

/** Where a kube-apiserver should find its etcd. */
interface EtcdServers {
  readonly cluster: Cluster;
  readonly controlPlane: ControlPlane;
  /** The wanted value of `--etcd-servers`, from the one that is given. */
  readonly servers: (given: string) => string;
  /** What must hold before the manifest is touched, with the files that the kube-apiserver will use. */
  readonly before: (files: ClientFiles) => Await;
}

/** A manifest whose kube-apiserver finds etcd there; changed, the new process is waited for, or the old manifest put back. */
export function etcdServers({ cluster, controlPlane, servers, before }: EtcdServers): Resource {
  return staticPodArguments({
    path: controlPlane.manifest,
    container: CONTAINER,
    anchor: 'etcd-servers',
    async wanted(manifest, probe) {
      const given = argumentOf(manifest, 'etcd-servers') ?? '';
      await refuseForeignServers(given, { cluster, controlPlane, probe });
      const files = clientFilesOf(manifest);
      return new Map([
        ['etcd-servers', servers(given)],
        ['etcd-cafile', files.ca],
        ['etcd-certfile', files.certificate],
        ['etcd-keyfile', files.key],
      ]);
    },
    before: (wanted) =>
      before({
        ca: wanted.get('etcd-cafile') ?? '',
        certificate: wanted.get('etcd-certfile') ?? '',
        key: wanted.get('etcd-keyfile') ?? '',
      }),
    after: (wanted) => ({
      kind: 'await',
      gate: 'apiserver-ready',
      parameters: { arguments: [...wanted].map(([name, value]) => `--${name}=${value}`) },
    }),
  });
}
