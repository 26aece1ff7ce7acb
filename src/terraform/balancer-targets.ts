import { isIP } from 'node:net';
import type { Cluster } from '../model/cluster.js';
import { ProvisionError } from '../model/errors.js';
import { etcdWay } from '../model/etcd-way.js';

/** The clouds that a module can be written for. */
export const CLOUDS = ['aws', 'gcp', 'azure'] as const;

/** Name of a cloud. */
export type Cloud = (typeof CLOUDS)[number];

/** What a cloud's load balancer needs of the inventory. */
export interface BalancerTargets {
  /** `etcd_cluster_token`. */
  readonly cluster: string;
  /** Where it listens. */
  readonly port: number;
  readonly members: readonly { readonly name: string; readonly address: string; readonly port: number }[];
  readonly controlPlanes: readonly { readonly name: string; readonly address: string }[];
}

/**
 * The members and their clients, as a load balancer of this cloud can have them.
 * @throws ProvisionError `cloud-unfit` with the variable to change
 */
export function balancerTargets(cluster: Cluster, cloud: Cloud): BalancerTargets {
  const { members, controlPlanes, token } = cluster;
  const ports = [...new Set(members.map(({ clientPort }) => clientPort))];
  const port = etcdWay(cluster)?.port ?? ports[0] ?? 2379;
  for (const { host, address } of [...members, ...controlPlanes])
    if (isIP(address) !== 4)
      throw unfit(`${host} has the address ${address}: the module knows IPv4 only`, `give ${host} an IPv4 address: ip`);
  // A load balancer of Google passes the port on; one of Azure has one for all of its targets.
  if (cloud === 'gcp' && ports.some((each) => each !== port))
    throw unfit(
      `an internal load balancer of Google Cloud keeps the port: etcd_lb_port is ${port}, and members listen on ${ports.join(', ')}`,
      `set etcd_lb_port to the etcd_client_port of all members`,
    );
  if (cloud === 'azure' && ports.length > 1)
    throw unfit(
      `a rule of Azure's load balancer has one port for all targets, and members listen on ${ports.join(', ')}`,
      'set the same etcd_client_port for all members',
    );
  return {
    ...{ cluster: token, port },
    members: members.map(({ host, address, clientPort }) => ({ name: host, address, port: clientPort })),
    controlPlanes: controlPlanes.map(({ host, address }) => ({ name: host, address })),
  };
}

/** What a person has to know before the module is applied. */
export function targetNotes({ members, controlPlanes }: BalancerTargets, cloud: Cloud): readonly string[] {
  const both = members.filter(({ name }) => controlPlanes.some((each) => each.name === name)).map(({ name }) => name);
  return [
    ...(controlPlanes.length === 0
      ? ['the inventory has no kube_control_plane: set client_cidrs, or nobody may use the load balancer']
      : []),
    ...(both.length > 0 && cloud === 'azure'
      ? [
          `${both.join(', ')}: a member and a control plane: through a load balancer of Azure a host can't reach itself, and its connections time out`,
        ]
      : []),
  ];
}

function unfit(message: string, hint: string): ProvisionError {
  return new ProvisionError({ code: 'cloud-unfit', message, hint });
}
