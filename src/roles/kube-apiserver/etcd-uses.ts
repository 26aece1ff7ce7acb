import type { ApiserverProcess } from '../../facts/apiserver-processes.js';
import { serverList } from '../../facts/apiserver-manifest.js';
import { flagValue } from '../../facts/command-flags.js';
import { argumentOf, type StaticPodManifest } from '../../facts/static-pod-manifest.js';
import type { EtcdStatusRequest } from '../../shell/etcd-status-request.js';
import { overriddenServers } from './etcd-overrides.js';
import type { IsKnownServer } from '../../model/known-servers.js';

/** Go's, on Debian and most others: what a kube-apiserver without `--etcd-cafile` verifies by. */
const SYSTEM_ROOTS = '/etc/ssl/certs/ca-certificates.crt';

/**
 * Every etcd endpoint that a kube-apiserver uses and would be moved from, as the manifest says and as each running process
 * was started, with the files that it shows and verifies by. The two differ while the kubelet has not taken up a manifest.
 */
export function etcdUses(
  manifest: StaticPodManifest,
  processes: readonly ApiserverProcess[],
  isKnown: IsKnownServer,
): readonly EtcdStatusRequest[] {
  const readers: readonly ((name: string) => string | undefined)[] = [
    (name) => argumentOf(manifest, name),
    ...processes.map(
      ({ argv }) =>
        (name: string) =>
          flagValue(argv, name),
    ),
  ];
  const uses = readers.flatMap((read) => {
    const files = {
      ca: read('etcd-cafile') ?? SYSTEM_ROOTS,
      certificate: read('etcd-certfile'),
      key: read('etcd-keyfile'),
    };
    const given = [
      ...serverList(read('etcd-servers') ?? ''),
      ...overriddenServers(read('etcd-servers-overrides'), isKnown),
    ];
    return given.map((url) => ({ url, ...files }));
  });
  return [...new Map(uses.map((use) => [JSON.stringify(use), use])).values()];
}
