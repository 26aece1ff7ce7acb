import { ProvisionError } from '../../model/errors.js';
import type { IsKnownServer } from '../../model/known-servers.js';

/** `--etcd-servers-overrides`: `/events#https://a:2379;https://b:2379,apps/deployments#…` (kube-apiserver's reference). */
interface Override {
  readonly resource: string;
  readonly servers: readonly string[];
}

/** The servers of the overrides that lead to this cluster; an events' etcd of its own is left alone. */
export function overriddenServers(value: string | undefined, isKnown: IsKnownServer): readonly string[] {
  return readOverrides(value ?? '').flatMap((override) => (isOurs(override, isKnown) ? override.servers : []));
}

/**
 * The value with other servers for each override that leads to this cluster.
 * @param servers from the given ones
 * @throws ProvisionError `mixed-overrides`
 */
export function movedOverrides(
  value: string,
  isKnown: IsKnownServer,
  servers: (given: readonly string[]) => readonly string[],
): string {
  return readOverrides(value)
    .map((override) => {
      const moved = isOurs(override, isKnown) ? servers(override.servers) : override.servers;
      return override.resource === '' ? moved.join(';') : `${override.resource}#${moved.join(';')}`;
    })
    .join(',');
}

function readOverrides(value: string): readonly Override[] {
  return value.split(',').map((text) => {
    const at = text.indexOf('#');
    return { resource: text.slice(0, Math.max(0, at)), servers: text.slice(at + 1).split(';') };
  });
}

function isOurs({ resource, servers }: Override, isKnown: IsKnownServer): boolean {
  const known = servers.filter(isKnown);
  if (known.length === 0 || known.length === servers.length) return known.length > 0;
  throw new ProvisionError({
    code: 'mixed-overrides',
    message:
      `--etcd-servers-overrides of ${resource} names ${known.join(', ')}, which this inventory's cluster has, ` +
      `and ${servers.filter((server) => !isKnown(server)).join(', ')}, which it has not`,
    hint: 'name the servers of one cluster only, as the inventory names them',
  });
}
