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
import { otherProgram, switchedRelease, unpackedRelease } from '../../resources/etcd-release.js';
import { packagedProgram, programOfRelease } from '../../resources/packaged-program.js';
import { packages } from '../../resources/packages.js';
import { snapshotBeforeUpgrade } from '../../resources/snapshot-before-upgrade.js';
import { supportedSystem } from '../../resources/supported-system.js';
import { trustBundleResource } from '../../resources/trust-bundle.js';
import { unitReads, type StartedWith } from '../../resources/unit-reads.js';
import { BOOTSTRAP_ENV } from '../../shell/etcd-unit.js';
import { JOIN_ENV } from '../../shell/join-member.js';
import { certificateRules, memberOn, type Role, type RoleTools } from '../role.js';
import { ADOPT, etcdEnvironment } from './environment.js';
import { etcdAccount, etcdUnit } from './release-parts.js';
import { scheduledSnapshots } from './snapshot-parts.js';

/** A member of the etcd cluster, with TLS and client certificates everywhere. */
export function etcdRole(tools: RoleTools): Role {
  return {
    name: 'etcd',
    summary: 'runs a member of the etcd cluster',
    resources(host, inventory, cluster) {
      const member = memberOn(cluster, host);
      return [
        ...(cluster.isManaged
          ? memberResources(tools, inventory, cluster, member)
          : adoptedResources(tools, cluster, member)),
        ...scheduledSnapshots(tools, inventory, { cluster, member }),
      ];
    },
  };
}

function memberResources(
  tools: RoleTools,
  inventory: Inventory,
  cluster: Cluster,
  member: Member,
): readonly Resource[] {
  const { installed, trust, files, environment, program } = memberParts(tools, inventory, { cluster, member });
  const { release } = member;
  return [
    ...installed,
    etcdLeftover(member),
    ...files,
    environment,
    unitReads({ unit: member.unit, problem: (started) => otherSettings(member, started), wayOut: ADOPT }),
    ...(release === undefined ? [] : [snapshotBeforeUpgrade({ cluster, member, release })]),
    ...program,
    etcdMember({
      ...{ cluster, member, runsWith: [environment, trust, ...program] },
      otherReasons: (probe) =>
        release === undefined ? programOfRelease(member, probe) : otherProgram({ member, release }, probe),
    }),
  ];
}

/** What a member that is managed here is made of, besides its data and its process. */
export interface MemberParts {
  readonly installed: readonly Resource[];
  /** Its directories, the authority that it trusts, and its certificates. */
  readonly files: readonly Resource[];
  /** Among {@link MemberParts.files}. */
  readonly trust: Resource;
  readonly environment: Resource;
  /** Which etcd its next start runs. */
  readonly program: readonly Resource[];
}

/** The parts of a member. */
export function memberParts(
  tools: RoleTools,
  inventory: Inventory,
  { cluster, member }: { readonly cluster: Cluster; readonly member: Member },
): MemberParts {
  const trust = trustBundleResource(memberTrust(cluster, member), tools.pki.authority);
  const certificates = memberCertificates(cluster, member).map((wanted) =>
    certificateResource(wanted, certificateRules(tools, cluster)),
  );
  return {
    ...installation(tools, inventory, { cluster, member }),
    files: [...directories(member), trust, ...certificates],
    trust,
    environment: etcdEnvironment(tools, inventory, { cluster, member }),
  };
}

/** The programs of a member, and its user: of the package, or of a release. */
function installation(
  tools: RoleTools,
  inventory: Inventory,
  { cluster, member }: { readonly cluster: Cluster; readonly member: Member },
): Pick<MemberParts, 'installed' | 'program'> {
  const { release } = member;
  const system = supportedSystem(cluster);
  // With openssl a host can prove that a key fits its certificate, and keeps the key when it is renewed.
  if (release === undefined)
    return {
      installed: [system, packages({ names: ['etcd-server', 'etcd-client', 'openssl'], keepStopped: ['etcd'] })],
      program: [packagedProgram({ cluster, member })],
    };
  return {
    installed: [system, packages({ names: ['openssl'] }), ...etcdAccount(), unpackedRelease({ member, release })],
    program: [etcdUnit(tools, inventory, member), switchedRelease({ cluster, member, release })],
  };
}

/** Flags of etcd that its environment file is there to set; what is set twice stops etcd 3.4, and else the flag wins. */
const OUR_FLAGS =
  /^--?(?:config-file|name|data-dir|(?:listen|advertise|initial)-.*|(?:peer-)?(?:cert-file|key-file|trusted-ca-file|client-cert-auth|auto-tls))(?:=|$)/;

/** Why an etcd that is started so does not run with our environment file alone. */
function otherSettings({ configFile = '' }: Member, { argv, environmentFiles }: StartedWith): string | undefined {
  const flags = argv.filter((word) => OUR_FLAGS.test(word)).map((word) => word.replace(/=.*/, ''));
  if (flags.length > 0) return `is given ${flags.join(', ')}, which ${configFile} is there to say`;
  const at = environmentFiles.lastIndexOf(configFile);
  if (at < 0) return `reads ${environmentFiles.join(', ') || 'no environment file'}, not ${configFile}`;
  const later = environmentFiles.slice(at + 1).filter((path) => path !== BOOTSTRAP_ENV && path !== JOIN_ENV);
  return later.length === 0 ? undefined : `reads ${later.join(', ')} after ${configFile}, which wins`;
}

/** An existing etcd cluster keeps all but the names in its server certificate. */
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
