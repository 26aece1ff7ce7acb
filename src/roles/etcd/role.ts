import { posix } from 'node:path';
import type { Resource } from '../../model/change.js';
import type { Cluster, Member } from '../../model/cluster.js';
import type { Inventory } from '../../model/inventory.js';
import { memberCertificates, memberTrust } from '../../pki/certificate-list.js';
import { adoptedMember } from '../../resources/adopted-member.js';
import { certificateResource } from '../../resources/certificate.js';
import { directory } from '../../resources/directory.js';
import { etcdLeftover } from '../../resources/etcd-leftover.js';
import { etcdMember } from '../../resources/etcd-member.js';
import { packages } from '../../resources/packages.js';
import { trustBundleResource } from '../../resources/trust-bundle.js';
import { certificateRules, memberOn, type Role, type RoleTools } from '../role.js';
import { etcdEnvironment } from './environment.js';

/** A member of the etcd cluster, with TLS and client certificates everywhere. */
export function etcdRole(tools: RoleTools): Role {
  return {
    name: 'etcd',
    summary: 'runs a member of the etcd cluster',
    resources(host, inventory, cluster) {
      const member = memberOn(cluster, host);
      return cluster.isManaged
        ? memberResources(tools, inventory, cluster, member)
        : adoptedResources(tools, cluster, member);
    },
  };
}

function memberResources(
  tools: RoleTools,
  inventory: Inventory,
  cluster: Cluster,
  member: Member,
): readonly Resource[] {
  const trust = trustBundleResource(memberTrust(cluster, member), tools.pki.authority);
  const environment = etcdEnvironment(tools, inventory, { cluster, member });
  return [
    // With openssl a host can prove that a key fits its certificate, and keeps the key when it is renewed.
    packages({ names: ['etcd-server', 'etcd-client', 'openssl'], keepStopped: ['etcd'] }),
    etcdLeftover(member),
    ...directories(member),
    trust,
    ...memberCertificates(cluster, member).map((wanted) =>
      certificateResource(wanted, certificateRules(tools, cluster)),
    ),
    environment,
    etcdMember({ cluster, member, runsWith: [environment, trust] }),
  ];
}

/** An etcd that others made keeps all but the names in its server certificate. */
function adoptedResources(tools: RoleTools, cluster: Cluster, member: Member): readonly Resource[] {
  const certificates = memberCertificates(cluster, member).map((wanted) =>
    certificateResource(wanted, certificateRules(tools, cluster)),
  );
  return [...certificates, adoptedMember({ member, runsWith: certificates })];
}

/** The package makes the parent of its own data directory only, and none for certificates. */
function directories({ dataDir, pkiDir }: Member): readonly Resource[] {
  const etcd = { owner: 'etcd', group: 'etcd', mode: '0700' } as const;
  const root = { owner: 'root', group: 'root', mode: '0755' } as const;
  const parent = posix.dirname(pkiDir);
  return [
    directory({ path: dataDir, ...etcd }),
    ...(parent === '/etc/etcd' ? [directory({ path: parent, ...root })] : []),
    directory({ path: pkiDir, ...root }),
  ];
}
