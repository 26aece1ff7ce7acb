import type { Resource } from '../model/change.js';
import type { Cluster, ControlPlane, Member } from '../model/cluster.js';
import { ProvisionError } from '../model/errors.js';
import { FORMER_MEMBERS } from '../model/former-groups.js';
import type { Host, Inventory } from '../model/inventory.js';
import type { KubernetesNode } from '../model/kubernetes.js';
import { formerGroupOf, type Balancer, type VirtualService } from '../model/virtual-service.js';
import type { PkiStore } from '../pki/authority.js';
import type { CertificateRules } from '../resources/judge-certificate.js';

/** What a run is about, where a role must know. */
export interface RunScope {
  /** Whether `--limit` lets a host in. */
  readonly isWorkedOn: (host: string) => boolean;
}

/** All hosts. */
export const WHOLE_RUN: RunScope = { isWorkedOn: () => true };

/** What a host should have to play a part in the cluster. Pure: from the inventory to resources. */
export interface Role {
  readonly name: string;
  /** One line: what a host is after it. */
  readonly summary: string;
  /**
   * In the order in which changes are made.
   * @throws ProvisionError `not-in-group` when the inventory gives the host no such part
   */
  resources(host: Host, inventory: Inventory, cluster: Cluster, run?: RunScope): readonly Resource[];
}

/** What roles are made with. */
export interface RoleTools {
  /** The text of `playbooks/templates/<name>`. */
  readonly template: (name: string) => string;
  /** The text of a file on the control machine. @throws Error */
  readonly readFile: (path: string) => string;
  /** A file on the control machine that is no text. @throws Error */
  readonly readBytes: (path: string) => Buffer;
  /** What planning may know of the PKI store. */
  readonly pki: Pick<PkiStore, 'directory' | 'authority' | 'keepalivedAuthPass'>;
  /** The time that certificates are judged by. */
  readonly now: Date;
}

/** How certificates of this cluster are judged. */
export function certificateRules(tools: RoleTools, cluster: Cluster): CertificateRules {
  const { authority } = tools.pki;
  const { renewBeforeDays, grants } = cluster.certificates;
  return { authority, now: tools.now, renewBeforeDays, grants };
}

/** The member that runs on a host. @throws ProvisionError `not-in-group` */
export function memberOn(cluster: Cluster, host: Host): Member {
  return partOn(cluster.members, host, 'etcd');
}

/** The member that is to leave, or has left, a host. @throws ProvisionError `not-in-group` */
export function formerMemberOn(cluster: Cluster, host: Host): Member {
  return partOn(cluster.formerMembers, host, FORMER_MEMBERS);
}

/** The balancer of a service that runs on a host. @throws ProvisionError `not-in-group` */
export function balancerOn({ balancers, group }: VirtualService, host: Host): Balancer {
  return partOn(balancers, host, group);
}

/** The balancer of a service that a host was. @throws ProvisionError `not-in-group` */
export function formerBalancerOn(
  { formerBalancers, group }: Pick<VirtualService, 'formerBalancers' | 'group'>,
  host: Host,
): Balancer {
  return partOn(formerBalancers, host, formerGroupOf(group));
}

/** The control plane that runs on a host. @throws ProvisionError `not-in-group` */
export function controlPlaneOn(cluster: Cluster, host: Host): ControlPlane {
  return partOn(cluster.controlPlanes, host, 'kube_control_plane');
}

/** The node that a host is, or is to be. @throws ProvisionError `not-in-group` */
export function nodeOn({ kubernetes }: Pick<Cluster, 'kubernetes'>, host: Host): KubernetesNode {
  return partOn(kubernetes.nodes, host, 'kube_node');
}

/** What a host is among those of a group. @throws ProvisionError `not-in-group` */
export function partOn<Part extends { readonly host: string }>(
  parts: readonly Part[],
  host: Host,
  group: string,
): Part {
  const part = parts.find((candidate) => candidate.host === host.name);
  if (part !== undefined) return part;
  throw new ProvisionError({
    code: 'not-in-group',
    message: `${host.name} is not in the group ${group}, and the play gives it a role that is only for hosts of that group`,
    hint: `add ${host.name} to the group ${group}, or narrow the play's hosts`,
  });
}
