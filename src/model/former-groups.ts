import { formerGroupOf, SERVICE_GROUPS } from './virtual-service.js';

/** The group of hosts whose etcd members are to leave the cluster. */
export const FORMER_MEMBERS = 'etcd_former';

/** The group of hosts, control planes and workers, whose nodes are to leave Kubernetes. */
export const FORMER_NODES = 'kube_node_former';

/**
 * The group of hosts that were load balancers of etcd. Where the members are the balancers, for nobody is named, those that
 * leave the cluster leave both.
 */
export function formerBalancersGroup({ groups }: { readonly groups: ReadonlyMap<string, readonly string[]> }): string {
  const group = formerGroupOf(SERVICE_GROUPS.etcd);
  const isNamed = groups.has(group) || (groups.get(SERVICE_GROUPS.etcd) ?? []).length > 0;
  return isNamed ? group : FORMER_MEMBERS;
}

/** A host that lines put into a group. */
export interface GroupHost {
  readonly name: string;
  /** Absent where the inventory has the host already. */
  readonly address?: string | undefined;
}

/** Lines that put hosts into a group; at the end of the file they mean just that. @param file by its name, they are YAML or INI */
export function groupLines(file: string, group: string, hosts: readonly GroupHost[]): readonly string[] {
  if (!/\.(?:ya?ml|json)$/.test(file))
    return [
      `[${group}]`,
      ...hosts.map(({ name, address }) => (address === undefined ? name : `${name} ansible_host=${address}`)),
    ];
  return [
    `${group}:`,
    '  hosts:',
    ...hosts.map(({ name, address }) =>
      address === undefined ? `    ${name}:` : `    ${name}: { ansible_host: "${address}" }`,
    ),
  ];
}
