import type { Resource } from '../../model/change.js';
import type { Inventory } from '../../model/inventory.js';
import type { Balancer, ServiceName, VirtualService } from '../../model/virtual-service.js';
import { balancerCertificates, balancerTrust } from '../../pki/certificate-list.js';
import { BESIDE } from '../../proxies/proxy.js';
import { proxyOf } from '../../proxies/table.js';
import { certificateResource } from '../../resources/certificate.js';
import { copiedTrust } from '../../resources/copied-trust.js';
import { listenAddress } from '../../resources/listen-address.js';
import { noEtcdAuth } from '../../resources/no-etcd-auth.js';
import { packages, type PackagesOptions } from '../../resources/packages.js';
import { retiredUnit } from '../../resources/retired-unit.js';
import { service as serviceResource } from '../../resources/service.js';
import { supportedSystem } from '../../resources/supported-system.js';
import { trustBundleResource } from '../../resources/trust-bundle.js';
import { unitReads, type StartedWith } from '../../resources/unit-reads.js';
import { unusedCertificate } from '../../resources/unused-certificate.js';
import { etcdEnvironment } from '../etcd/environment.js';
import { ownUnit } from '../own-unit.js';
import { aliveScript } from '../keepalived/check-script.js';
import { markOf } from '../keepalived/down-mark.js';
import { keepalivedDirectory, keepalivedPackages } from '../keepalived/keepalived-packages.js';
import { balancerRole, type BalancerSite } from '../balancer-role.js';
import { certificateRules, type Role, type RoleTools } from '../role.js';

/** A proxy that passes the clients of a service on to every backend that answers. */
export function proxyRole(tools: RoleTools, name: ServiceName): Role {
  return balancerRole({
    service: name,
    part: 'proxy',
    summary: `passes ${name} clients on from the virtual IP to a healthy server`,
    resources: (inventory, site) => balancerResources(tools, inventory, site),
  });
}

function balancerResources(tools: RoleTools, inventory: Inventory, site: BalancerSite): readonly Resource[] {
  const { cluster, service, balancer } = site;
  const { ip: address, port } = service.endpoint;
  const { unit } = balancer.proxy;
  const proxy = proxyOf(service);
  const trust = trustOf(service, tools);
  const certificates = balancerCertificates(cluster, service).map((wanted) =>
    certificateResource(wanted, certificateRules(tools, cluster)),
  );
  const configuration = proxy.configuration(service, balancer, { template: tools.template, inventory });
  const instance = { service: service.name, balancer, instance: balancer.proxy, unitTemplate: proxy.unitTemplate };
  const units = ownUnit(tools, inventory, instance);
  return [
    // Before anything is installed: a clash is refused while planning.
    listenAddress({
      address,
      port,
      portVariable: `${service.group}_port`,
      processes: [proxy.process, ...formerProcesses(balancer)],
      leaving: { process: 'etcd', by: ownEtcd(tools, inventory, site) },
    }),
    ...(service.termination === undefined ? [] : [noEtcdAuth(cluster)]),
    supportedSystem(cluster),
    packages(balancerPackages(balancer, proxy.packages)),
    // The package of keepalived brings it: said here, where that is installed.
    keepalivedDirectory(),
    trust,
    ...certificates,
    ...units,
    configuration,
    unitReads({ unit, problem: (started) => otherFile(service, balancer, started), wayOut: BESIDE }),
    serviceResource({ unit, runsWith: [trust, ...certificates, ...units, configuration], onChange: 'reload' }),
    ...retired(tools, inventory, site),
    // Keys that nobody uses any more.
    ...(service.termination === undefined
      ? service.places.termination.map((path) => unusedCertificate(path, certificateRules(tools, cluster)))
      : []),
  ];
}

/** What the health check verifies by: this cluster's own authority, or that of others. */
function trustOf(service: VirtualService, { pki }: RoleTools): Resource {
  const { path, from } = service.health.trust;
  const own = balancerTrust(service);
  if (own !== undefined) return trustBundleResource(own, pki.authority);
  return copiedTrust({ path, from: from === 'store' ? [] : from });
}

/** Both may listen at once (SO_REUSEPORT), while one hands over to the other. */
function formerProcesses({ formerProxies }: Balancer): readonly string[] {
  return formerProxies.map(({ name }) => proxyOf({ proxy: name }).process);
}

/**
 * Whatever an earlier inventory had here in place of this proxy. keepalived goes on running the old one's script until its
 * own play comes: that must not see a dead proxy.
 */
function retired(tools: RoleTools, inventory: Inventory, { service, balancer }: BalancerSite): readonly Resource[] {
  const { unit: successor } = balancer.proxy;
  return balancer.formerProxies.map(({ name, unit, configFile }) =>
    retiredUnit({
      ...{ unit, configFile, successor, marked: markOf(unit) },
      script: name === service.proxy ? undefined : aliveScript(tools, inventory, { service, balancer, of: name }),
    }),
  );
}

/**
 * The packages of a balancer, in one run of apt: those of the proxy, and keepalived, which a later play sets up. None of their units is started
 * by it; where an instance of ours runs, the package's own is not wanted at all.
 */
function balancerPackages(balancer: Balancer, installed: readonly string[]): PackagesOptions {
  const { unit, unitFile } = balancer.proxy;
  const keepalived = keepalivedPackages(balancer);
  return {
    names: [...installed, 'openssl', ...keepalived.names],
    keepStopped: [...(unitFile === undefined ? [unit] : []), ...(keepalived.keepStopped ?? [])],
    keepDisabled: [...(unitFile === undefined ? [] : installed), ...(keepalived.keepDisabled ?? [])],
  };
}

/** Why a proxy that is started so does not read our file; it may read others beside it. */
function otherFile(service: VirtualService, { proxy }: Balancer, { argv }: StartedWith): string | undefined {
  const read = proxyOf(service).reads(argv);
  const isRead = read.some((path) => path === proxy.configFile || proxy.configFile.startsWith(`${path}/`));
  return isRead ? undefined : `reads ${read.join(', ') || 'no file'}, not ${proxy.configFile}`;
}

/** An etcd on this host that listens on the same port everywhere frees it when its environment changes, earlier in the run. */
function ownEtcd(
  tools: RoleTools,
  inventory: Inventory,
  { cluster, service, balancer }: BalancerSite,
): readonly Resource[] {
  if (!cluster.isManaged) return [];
  return cluster.members
    .filter(({ host, clientPort }) => host === balancer.host && clientPort === service.endpoint.port)
    .map((member) => etcdEnvironment(tools, inventory, { cluster, member }));
}
