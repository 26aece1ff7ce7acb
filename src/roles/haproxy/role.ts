import type { Resource } from '../../model/change.js';
import type { Balancer, Cluster } from '../../model/cluster.js';
import type { Inventory } from '../../model/inventory.js';
import { balancerCertificates, balancerTrust } from '../../pki/certificate-list.js';
import { certificateResource } from '../../resources/certificate.js';
import { listenAddress } from '../../resources/listen-address.js';
import { packages } from '../../resources/packages.js';
import { service } from '../../resources/service.js';
import { trustBundleResource } from '../../resources/trust-bundle.js';
import { etcdEnvironment } from '../etcd/environment.js';
import { requireEndpoint } from '../require-endpoint.js';
import { balancerOn, certificateRules, type Role, type RoleTools } from '../role.js';
import { haproxyConfiguration } from './configuration.js';

/** TLS passthrough to every etcd member that answers. */
export function haproxyRole(tools: RoleTools): Role {
  return {
    name: 'haproxy',
    summary: 'passes etcd clients on from the virtual IP to a healthy member',
    resources: (host, inventory, cluster) => balancerResources(tools, inventory, cluster, balancerOn(cluster, host)),
  };
}

function balancerResources(
  tools: RoleTools,
  inventory: Inventory,
  cluster: Cluster,
  balancer: Balancer,
): readonly Resource[] {
  const { ip, port } = requireEndpoint(cluster);
  const trust = trustBundleResource(balancerTrust(), tools.pki.authority);
  const certificates = balancerCertificates(cluster, balancer).map((wanted) =>
    certificateResource(wanted, certificateRules(tools, cluster)),
  );
  const configuration = haproxyConfiguration(tools, inventory, { cluster, balancer });
  const ownEtcd = cluster.members
    .filter((member) => cluster.isManaged && member.host === balancer.host)
    .map((member) => etcdEnvironment(tools, inventory, { cluster, member }));
  return [
    // Before anything is installed: a clash is refused while planning.
    listenAddress({ address: ip, port, process: 'haproxy', freedBy: ownEtcd }),
    packages({ names: ['haproxy', 'openssl'], keepStopped: ['haproxy'] }),
    trust,
    ...certificates,
    configuration,
    service({ unit: 'haproxy', runsWith: [trust, ...certificates, configuration], onChange: 'reload' }),
  ];
}
