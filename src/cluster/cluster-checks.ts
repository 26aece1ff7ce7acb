import type { Cluster } from '../model/cluster.js';
import { checkBalancers } from './balancer-checks.js';
import { placeOf, type CheckContext } from './check-context.js';
import { checkMembers } from './member-checks.js';
import { checkListening } from './port-checks.js';
import { checkServices } from './service-checks.js';
import { checkAdverts, checkVirtualIp } from './virtual-ip-checks.js';

/** Checks that need more than one variable. Reports all that is wrong or doubtful. */
export function checkCluster(cluster: Cluster, context: CheckContext): void {
  checkHostNames(context);
  checkAddresses(context, [
    ...cluster.members,
    ...cluster.formerMembers,
    ...cluster.services.flatMap(({ balancers }) => balancers),
    ...cluster.controlPlanes,
  ]);
  checkMembers(cluster, context);
  for (const service of cluster.services) {
    checkVirtualIp(service, context);
    checkAdverts(service, context);
    checkBalancers(service, context);
  }
  checkServices(cluster.services, context);
  checkListening(cluster, context);
  checkControlPlaneGroup(cluster, context);
  checkRenewal(cluster, context);
}

function checkRenewal({ certificates, members }: Cluster, context: CheckContext): void {
  const { renewBeforeDays, leafDays } = certificates;
  const host = members[0]?.host;
  if (host === undefined || renewBeforeDays < leafDays) return;
  context.reader.report(
    'error',
    placeOf(context, host, 'etcd_cert_renew_before_days', 'etcd_cert_days'),
    'etcd_cert_renew_before_days',
    `${renewBeforeDays}: expected less than etcd_cert_days (${leafDays}), else every run would reissue all certificates`,
  );
}

/** Names of hosts go into keepalived.conf, paths and summaries: none may end a line or a word there. */
function checkHostNames({ hosts, reader }: CheckContext): void {
  for (const { name, at } of hosts.all)
    if (!/^[^\s"'\\{}!#$`/\p{Cc}]+$/u.test(name))
      reader.report(
        'error',
        at,
        JSON.stringify(name),
        'is not a valid host name: expected letters, digits, `.`, `-`, `_` and `:`',
      );
}

function checkAddresses(
  context: CheckContext,
  nodes: readonly { readonly host: string; readonly address: string }[],
): void {
  const owners = new Map<string, string>();
  for (const { host, address } of nodes) {
    const owner = owners.get(address) ?? host;
    owners.set(address, owner);
    if (address !== '' && owner !== host) {
      context.reader.report(
        'error',
        placeOf(context, host, 'ip', 'access_ip', 'ansible_host'),
        host,
        `has the address ${address}, which ${owner} has too`,
      );
    }
  }
}

/** Older names of the group, and slips, which would leave the apiservers as they are without a word. */
const OTHER_CONTROL_PLANE_NAMES = [
  'kube_master',
  'kube-master',
  'control_plane',
  'control-plane',
  'controlplane',
  'kube_control_planes',
  'masters',
  'master',
];

function checkControlPlaneGroup({ controlPlanes }: Cluster, { inventory, reader }: CheckContext): void {
  if (controlPlanes.length > 0) return;
  const other = OTHER_CONTROL_PLANE_NAMES.find((name) => (inventory.groups.get(name) ?? []).length > 0);
  if (other === undefined) return;
  reader.report(
    'warning',
    inventory.groupAt(other),
    'group kube_control_plane',
    `is missing; did you mean ${other}? No apiserver will be repointed`,
  );
}
