import { posix } from 'node:path';
import { vipQuestion } from '../../gates/vip-answers.js';
import type { ClientFiles } from '../../model/certificate.js';
import type { Resource } from '../../model/change.js';
import type { Cluster, ControlPlane } from '../../model/cluster.js';
import { httpsUrl } from '../../model/endpoint.js';
import { apiserverCertificates, apiserverTrust } from '../../pki/certificate-list.js';
import { clientFilesOf, CONTAINER } from '../../resources/apiserver-manifest.js';
import { certificateResource } from '../../resources/certificate.js';
import { command, type CommandOptions } from '../../resources/command.js';
import { staticPodArguments } from '../../resources/static-pod-arguments.js';
import { argumentOf } from '../../resources/static-pod-manifest.js';
import { trustBundleResource } from '../../resources/trust-bundle.js';
import { quote } from '../../shell/quote.js';
import { requireEndpoint } from '../require-endpoint.js';
import { certificateRules, controlPlaneOn, type Role, type RoleTools } from '../role.js';
import { fromManifest } from './client-files.js';
import { refuseForeignServers } from './known-servers.js';

/** A kube-apiserver that reaches etcd through the virtual IP only. */
export function kubeApiserverRole(tools: RoleTools): Role {
  return {
    name: 'kube-apiserver',
    summary: 'has a kube-apiserver that uses etcd through the virtual IP',
    resources: (host, _, cluster) => controlPlaneResources(tools, cluster, controlPlaneOn(cluster, host)),
  };
}

function controlPlaneResources(tools: RoleTools, cluster: Cluster, controlPlane: ControlPlane): readonly Resource[] {
  const rules = certificateRules(tools, cluster);
  return [
    ...fromManifest(controlPlane, (files) => [
      command(madeDirectories(files)),
      trustBundleResource(apiserverTrust(cluster, files.ca), rules.authority),
      ...apiserverCertificates(cluster, { certificatePath: files.certificate, keyPath: files.key }).map((wanted) =>
        certificateResource(wanted, rules),
      ),
    ]),
    repointed(cluster, controlPlane),
  ];
}

/** kubeadm makes no directory for the files of an external etcd. One that is there keeps its mode. */
function madeDirectories({ ca }: ClientFiles): CommandOptions {
  const path = posix.dirname(ca);
  return { name: `mkdir ${path}`, script: `mkdir -p -m 0755 ${quote(path)}`, creates: path };
}

function repointed(cluster: Cluster, controlPlane: ControlPlane): Resource {
  const endpoint = requireEndpoint(cluster);
  return staticPodArguments({
    path: controlPlane.manifest,
    container: CONTAINER,
    anchor: 'etcd-servers',
    async wanted(manifest, probe) {
      const servers = argumentOf(manifest, 'etcd-servers') ?? '';
      await refuseForeignServers(servers, { cluster, controlPlane, probe });
      const files = clientFilesOf(manifest);
      return new Map([
        // The address, not the name: the control plane must not need a DNS server to find its etcd (docs/adr/).
        ['etcd-servers', httpsUrl(endpoint.ip, endpoint.port)],
        ['etcd-cafile', files.ca],
        ['etcd-certfile', files.certificate],
        ['etcd-keyfile', files.key],
      ]);
    },
    before: (wanted) => ({
      kind: 'await',
      gate: 'vip-answers',
      parameters: vipQuestion(endpoint, {
        ca: wanted.get('etcd-cafile') ?? '',
        certificate: wanted.get('etcd-certfile') ?? '',
        key: wanted.get('etcd-keyfile') ?? '',
      }),
    }),
    after: (wanted) => ({
      kind: 'await',
      gate: 'apiserver-ready',
      parameters: { arguments: [...wanted].map(([name, value]) => `--${name}=${value}`) },
    }),
  });
}
