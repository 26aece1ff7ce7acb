import { resolve } from 'node:path';
import { NODE_PRODUCTS, type KubernetesSettings, type NodeRelease, type PullProxies } from '../model/kubernetes.js';
import type { SharedValues } from './shared-values.js';
import type { VariableReader } from './variable-reader.js';

/** The proxies by which images are pulled; nothing where the inventory names none. */
export function readPullProxies(shared: SharedValues, reader: VariableReader): PullProxies | undefined {
  const http = shared.value('kube_cluster_http_proxy');
  const https = shared.value('kube_cluster_https_proxy');
  const exceptions = shared.valueOr('kube_cluster_no_proxy');
  if (http !== undefined || https !== undefined) return { http, https, exceptions };
  if (exceptions.length > 0)
    reader.report(
      'warning',
      shared.at('kube_cluster_no_proxy'),
      'kube_cluster_no_proxy',
      'has no effect: neither kube_cluster_http_proxy nor kube_cluster_https_proxy is set',
    );
  return undefined;
}

/** The releases that nodes get in place of packages. @param directory where relative paths start */
export function readNodeReleases(
  shared: SharedValues,
  directory: string,
  reader: VariableReader,
): NonNullable<KubernetesSettings['releases']> {
  const found = NODE_PRODUCTS.flatMap((product) => {
    const [place, digest] = [`kube_cluster_${product}_release`, `kube_cluster_${product}_sha256`] as const;
    const [source, sha256] = [shared.value(place), shared.value(digest)];
    if (source === undefined && sha256 !== undefined)
      reader.report('warning', shared.at(digest), digest, `has no effect: ${place} is not set`);
    if (source !== undefined && shared.at(digest) === undefined)
      reader.report(
        'error',
        shared.at(place),
        digest,
        `is not set: expected the SHA-256 of ${source}, as upstream says`,
      );
    if (source === undefined || sha256 === undefined) return [];
    const release: NodeRelease = {
      product,
      source: /^https?:\/\//.test(source) ? source : resolve(directory, source),
      sha256: sha256.toLowerCase(),
    };
    return [[product, release] as const];
  });
  return Object.fromEntries(found);
}
