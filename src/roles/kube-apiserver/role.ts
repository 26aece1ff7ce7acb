import { posix } from 'node:path';
import { directQuestion } from '../../gates/etcd-answers-directly.js';
import type { ClientFiles } from '../../model/certificate.js';
import type { Resource } from '../../model/change.js';
import type { Cluster, ControlPlane } from '../../model/cluster.js';
import { ETCD_HEALTH_PATH } from '../../model/cluster.js';
import { etcdWay } from '../../model/etcd-way.js';
import { serviceNamed } from '../../model/virtual-service.js';
import { aboutService } from '../../model/gate.js';
import { memberUrls, namesJust, namesOnly } from '../../model/endpoint.js';
import { apiserverCertificates, apiserverTrust } from '../../pki/certificate-list.js';
import { certificateResource } from '../../resources/certificate.js';
import { command, type CommandOptions } from '../../resources/command.js';
import { trustBundleResource } from '../../resources/trust-bundle.js';
import { quote } from '../../shell/quote.js';
import { requireEtcdWay } from '../require-service.js';
import { certificateRules, controlPlaneOn, type Role, type RoleTools } from '../role.js';
import { fromManifest } from './client-files.js';
import { afterBalancersWent, beforeAddressGoes, beforeBalancersGo } from './old-address.js';
import { etcdServers } from './etcd-servers.js';

/** What a kube-apiserver shows to etcd, and verifies it by: before the first one is moved, all have it. */
export function kubeApiserverFilesRole(tools: RoleTools): Role {
  return {
    name: 'kube-apiserver-files',
    summary: 'has the client certificate with which its kube-apiserver reaches etcd',
    resources: (host, _, cluster) => clientFiles(tools, cluster, controlPlaneOn(cluster, host)),
  };
}

/** A kube-apiserver that reaches etcd through its load balancer only. */
export function kubeApiserverRole(tools: RoleTools): Role {
  return {
    name: 'kube-apiserver',
    summary: 'has a kube-apiserver that uses etcd through its load balancer',
    resources(host, _, cluster) {
      const controlPlane = controlPlaneOn(cluster, host);
      return [...clientFiles(tools, cluster, controlPlane), repointed(cluster, controlPlane)];
    },
  };
}

/** A kube-apiserver that reaches etcd at the members: for when the load balancer is gone. It needs nothing of that. */
export function kubeApiserverDirectRole(): Role {
  return {
    name: 'kube-apiserver-direct',
    summary: 'has a kube-apiserver that uses the etcd members directly',
    resources: (host, _, cluster) => [bypassed(cluster, controlPlaneOn(cluster, host))],
  };
}

/**
 * A kube-apiserver that uses no virtual IP which the balancers are about to give up, and no name that the members are about to
 * show no more: it uses the members directly until it is moved to the new one, and no client of it notices.
 */
export function kubeApiserverOffOldAddressRole(): Role {
  return {
    name: 'kube-apiserver-off-old-address',
    summary: 'has a kube-apiserver that uses no virtual IP which the balancers are about to give up',
    resources(host, _, cluster) {
      const controlPlane = controlPlaneOn(cluster, host);
      if (etcdWay(cluster) === undefined) return [];
      return [beforeAddressGoes(cluster, controlPlane, bypassed(cluster, controlPlane))];
    },
  };
}

/** The same where the virtual IP stays, and the hosts that hold it are freed of it. */
export function kubeApiserverOffFormerBalancersRole(): Role {
  return {
    name: 'kube-apiserver-off-former-balancers',
    summary: 'has a kube-apiserver that uses no virtual IP which a former load balancer holds',
    resources(host, _, cluster) {
      const controlPlane = controlPlaneOn(cluster, host);
      const former = cluster.external?.former ?? serviceNamed(cluster, 'etcd');
      return former === undefined ? [] : [beforeBalancersGo(former, controlPlane, bypassed(cluster, controlPlane))];
    },
  };
}

function clientFiles(tools: RoleTools, cluster: Cluster, controlPlane: ControlPlane): readonly Resource[] {
  const foreign = { replace: controlPlane.replaceFiles, wayOut: WAY_OUT };
  const rules = { ...certificateRules(tools, cluster), foreign };
  return fromManifest(controlPlane, (files) => [
    command(madeDirectories(files)),
    trustBundleResource(apiserverTrust(cluster, files.ca), rules.authority, foreign),
    ...apiserverCertificates(cluster, { certificatePath: files.certificate, keyPath: files.key }).map((wanted) =>
      certificateResource(wanted, rules),
    ),
  ]);
}

/** kubeadm's files for an external etcd may serve another etcd, or be another tool's. */
const WAY_OUT =
  'import that authority into the store (provision ca import STORE --certificate FILE --key FILE), or let --etcd-cafile, --etcd-certfile and --etcd-keyfile of the manifest name files of their own';

/** kubeadm makes no directory for the files of an external etcd. One that is there keeps its mode. */
function madeDirectories({ ca }: ClientFiles): CommandOptions {
  const path = posix.dirname(ca);
  return { name: `mkdir ${path}`, script: `mkdir -p -m 0755 ${quote(path)}`, creates: path };
}

/** The manifest does not say which: both are the members' URLs. */
const USES_MEMBERS =
  'its API server uses the etcd members directly: the bypass is on, or it was never moved; this plan moves it to ';

function repointed(cluster: Cluster, controlPlane: ControlPlane): Resource {
  const { url, provider } = requireEtcdWay(cluster);
  const target = provider === 'own' ? 'the virtual IP' : url;
  const moved = etcdServers({
    ...{ cluster, controlPlane },
    servers: () => [url],
    remark: (given) => (namesOnly(given, memberUrls(cluster.members)) ? `${USES_MEMBERS}${target}` : undefined),
    before: (files) => ({
      kind: 'await',
      gate: aboutService('vip-answers', 'etcd'),
      parameters: { url: `${url}${ETCD_HEALTH_PATH}`, ...files },
    }),
  });
  const service = serviceNamed(cluster, 'etcd');
  return service === undefined ? moved : afterBalancersWent(service, controlPlane, moved);
}

function bypassed(cluster: Cluster, controlPlane: ControlPlane): Resource {
  const urls = memberUrls(cluster.members);
  return etcdServers({
    ...{ cluster, controlPlane },
    // Another order is no reason to restart it.
    servers: (given) => (namesJust(given.join(), urls) ? given : urls),
    before: (files) => ({ kind: 'await', gate: 'etcd-answers-directly', parameters: directQuestion(urls, files) }),
  });
}
