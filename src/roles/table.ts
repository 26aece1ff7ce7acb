import { containerdRole } from './containerd/role.js';
import { etcdJoinedRole, etcdJoiningRole } from './etcd-joining/role.js';
import { etcdQuotaRole } from './etcd-quota/role.js';
import { etcdLeavingRole, etcdLostLeavingRole } from './etcd-leaving/role.js';
import { etcdRecoveryRole } from './etcd-recovery/role.js';
import { etcdReleaseRole } from './etcd-release/role.js';
import { etcdReplacementRole } from './etcd-replacement/role.js';
import { etcdSettledRole } from './etcd-settled/role.js';
import { etcdRole } from './etcd/role.js';
import { externalBalancerRole } from './external-balancer/role.js';
import { firewallLetsInRole, firewallRole } from './firewall/role.js';
import { formerBalancerRole } from './former-balancer/role.js';
import { hostMetricsRole } from './host-metrics/role.js';
import { ipNonlocalBindRole } from './ip-nonlocal-bind/role.js';
import { virtualIpRole } from './keepalived/role.js';
import {
  kubeApiserverDirectRole,
  kubeApiserverFilesRole,
  kubeApiserverOffFormerBalancersRole,
  kubeApiserverOffOldAddressRole,
  kubeApiserverRole,
} from './kube-apiserver/role.js';
import { kubeClientsRole } from './kube-clients/role.js';
import { kubeClientsConfigurationRole } from './kube-clients-configuration/role.js';
import { kubeApiserverNamesRole } from './kube-apiserver-names/role.js';
import {
  kubernetesBeginRole,
  kubernetesFinishRole,
  kubernetesJoinRole,
  kubernetesNetworkRole,
} from './kubernetes/role.js';
import { kubernetesPackagesRole } from './kubernetes-packages/role.js';
import { kubernetesLeavingRole, kubernetesLostLeavingRole } from './kubernetes-leaving/role.js';
import { kubeadmConfigRole } from './kubeadm-config/role.js';
import { nodeUpgradeRole, packageListsRole } from './node-upgrade/role.js';
import { nodePrepareRole } from './node-prepare/role.js';
import { judgeListsOnce } from '../resources/package-lists.js';
import { pkiRole } from './pki/role.js';
import { proxyRole } from './proxy/role.js';
import { SERVICE_NAMES } from '../model/virtual-service.js';
import type { Role, RoleTools } from './role.js';

/** Every role that a play can name. */
export function roleTable(tools: RoleTools): ReadonlyMap<string, Role> {
  const lists = judgeListsOnce();
  // Their order is of no account: plays name them.
  const roles = new Set<Role>([
    pkiRole(tools),
    etcdReleaseRole(),
    etcdRole(tools),
    etcdSettledRole(),
    etcdJoiningRole(),
    etcdJoinedRole(),
    etcdReplacementRole(tools),
    etcdQuotaRole(tools),
    etcdLostLeavingRole(),
    etcdLeavingRole(),
    etcdRecoveryRole(tools),
    ...SERVICE_NAMES.flatMap((service) => [
      ipNonlocalBindRole(service),
      proxyRole(tools, service),
      virtualIpRole(tools, service),
      formerBalancerRole(service, tools),
    ]),
    externalBalancerRole(),
    kubeApiserverFilesRole(tools),
    kubeApiserverRole(tools),
    kubeApiserverDirectRole(),
    kubeApiserverOffOldAddressRole(),
    kubeApiserverOffFormerBalancersRole(),
    kubeApiserverNamesRole(),
    kubeClientsRole(),
    kubeClientsConfigurationRole(),
    kubeadmConfigRole(),
    firewallLetsInRole(tools),
    firewallRole(tools),
    hostMetricsRole(tools),
    nodePrepareRole(),
    kubernetesPackagesRole(tools),
    containerdRole(tools),
    kubernetesBeginRole(),
    kubernetesFinishRole(),
    kubernetesNetworkRole(tools),
    kubernetesJoinRole(),
    kubernetesLostLeavingRole(),
    kubernetesLeavingRole(),
    packageListsRole(lists),
    nodeUpgradeRole(lists),
  ]);
  return new Map([...roles].map((role) => [role.name, role]));
}
