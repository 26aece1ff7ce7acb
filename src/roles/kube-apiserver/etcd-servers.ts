import { clientFilesOf, CONTAINER, serverList } from '../../facts/apiserver-manifest.js';
import { APISERVER, apiserverProcesses } from '../../facts/apiserver-processes.js';
import { argumentOf, type StaticPodManifest } from '../../facts/static-pod-manifest.js';
import type { ClientFiles } from '../../model/certificate.js';
import type { Await } from '../../model/action.js';
import type { Resource } from '../../model/change.js';
import type { Cluster, ControlPlane } from '../../model/cluster.js';
import type { Probe } from '../../model/remote.js';
import { staticPodArguments } from '../../resources/static-pod-arguments.js';
import { refuseForeignEtcd } from './etcd-evidence.js';
import { movedOverrides } from './etcd-overrides.js';
import { etcdUses } from './etcd-uses.js';
import { knownServers } from '../../model/known-servers.js';

/** Where a kube-apiserver should find its etcd. */
interface EtcdServers {
  readonly cluster: Cluster;
  readonly controlPlane: ControlPlane;
  /** The wanted servers, from the ones that are given. */
  readonly servers: (given: readonly string[]) => readonly string[];
  /** What a person should know where it is given these. */
  readonly remark?: (given: string) => string | undefined;
  /** What must hold before the manifest is touched, with the files that the kube-apiserver will use. */
  readonly before: (files: ClientFiles) => Await;
}

/** A manifest whose kube-apiserver finds etcd there; changed, the new process is waited for, or the old manifest put back. */
export function etcdServers({ cluster, controlPlane, servers, remark, before }: EtcdServers): Resource {
  // By their text alone: a no-op asks nothing more. What is moved for it is proved like the rest.
  const isKnown = knownServers(cluster, new Map());
  return staticPodArguments({
    path: controlPlane.manifest,
    container: CONTAINER,
    anchor: 'etcd-servers',
    wanted(manifest) {
      const files = clientFilesOf(manifest);
      const overrides = argumentOf(manifest, 'etcd-servers-overrides');
      return new Map([
        ['etcd-servers', servers(serverList(argumentOf(manifest, 'etcd-servers') ?? '')).join()],
        ['etcd-cafile', files.ca],
        ['etcd-certfile', files.certificate],
        ['etcd-keyfile', files.key],
        ...(overrides === undefined
          ? []
          : ([['etcd-servers-overrides', movedOverrides(overrides, isKnown, servers)]] as const)),
      ]);
    },
    remark: (manifest) => remark?.(argumentOf(manifest, 'etcd-servers') ?? ''),
    permit(probe: Probe) {
      const asked = probe.ask(apiserverProcesses, APISERVER);
      asked.catch(() => undefined);
      return async (manifest: StaticPodManifest) => {
        const uses = etcdUses(manifest, await asked, isKnown);
        await refuseForeignEtcd(uses, { cluster, controlPlane, probe });
      };
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
