import { posix } from 'node:path';
import type { Resource } from '../../model/change.js';
import type { Cluster } from '../../model/cluster.js';
import type { Inventory } from '../../model/inventory.js';
import { formerGroupOf, type ServiceName, type VirtualService } from '../../model/virtual-service.js';
import { BESIDE } from '../../proxies/proxy.js';
import { directory } from '../../resources/directory.js';
import { file } from '../../resources/file.js';
import { authPassResource } from '../../resources/generated-secret.js';
import { packages } from '../../resources/packages.js';
import { retiredUnit } from '../../resources/retired-unit.js';
import { service as serviceResource } from '../../resources/service.js';
import { supportedSystem } from '../../resources/supported-system.js';
import { unitReads, type StartedWith } from '../../resources/unit-reads.js';
import { virtualIp, type VirtualIpOptions } from '../../resources/virtual-ip.js';
import { vrrpVersion } from '../../resources/vrrp-version.js';
import { ownUnit } from '../own-unit.js';
import { balancerRole, type BalancerSite } from '../balancer-role.js';
import type { Role, RoleTools } from '../role.js';
import { aliveScript, checkScriptPath } from './check-script.js';
import { keepalivedConfiguration } from './configuration.js';
import { proxyDownMark } from './down-mark.js';
import { keepalivedDirectory, keepalivedPackages } from './keepalived-packages.js';
import { keepalivedReads } from './keepalived-reads.js';

const SCRIPT = { owner: 'root', group: 'root', mode: '0755' } as const;

/** The virtual IP of a service, held by one balancer whose proxy serves. */
export function virtualIpRole(tools: RoleTools, name: ServiceName): Role {
  return balancerRole({
    service: name,
    part: 'virtual-ip',
    summary: `can hold the virtual IP of ${name} while its proxy serves`,
    resources: (inventory, site) => balancerResources(tools, inventory, site),
  });
}

function balancerResources(tools: RoleTools, inventory: Inventory, site: BalancerSite): readonly Resource[] {
  const { cluster, service, balancer } = site;
  const { balancers, endpoint } = service;
  const { keepalivedAuthPass } = tools.pki;
  const { namedStore } = cluster.certificates;
  const { authPass, configFile, former, unit, vrrpVersion: version } = balancer.keepalived;
  const isFirst = balancer === balancers[0];
  const configuration = keepalivedConfiguration(tools, inventory, { service, balancer });
  const instance = { service: service.name, balancer, instance: balancer.keepalived };
  const units = ownUnit(tools, inventory, { ...instance, unitTemplate: 'keepalived.service.j2' });
  return [
    virtualIp({
      vip: endpoint.ip,
      variables: service.group,
      balancer,
      balancers,
      configuration,
      formerBalancers: service.formerBalancers,
      others: {
        ...noBalancers(inventory, cluster, service),
        group: formerGroupOf(service.group),
        file: [...inventory.hosts.values()].at(0)?.at?.file ?? inventory.file,
      },
    }),
    vrrpVersion({ vip: endpoint.ip, variables: service.group, balancer, balancers, configuration }),
    ...(isFirst && version !== 3 && authPass === undefined ? [authPassResource(keepalivedAuthPass, namedStore)] : []),
    supportedSystem(cluster),
    packages(keepalivedPackages(balancer)),
    directory({
      path: posix.dirname(checkScriptPath(service, service.proxy)),
      owner: 'root',
      group: 'root',
      mode: '0755',
    }),
    // keepalived runs it again each time: a changed script needs no reload.
    file({ ...aliveScript(tools, inventory, { service, balancer, of: service.proxy }), ...SCRIPT }),
    ...proxyDownMark(tools, inventory, { service, balancer }),
    keepalivedDirectory(),
    ...units,
    configuration,
    unitReads({ unit, problem: (started) => otherFile(configFile, started), wayOut: BESIDE }),
    ...former.map((each) => retiredUnit({ ...each, successor: unit })),
    // Seen on 2.2.7: a changed priority is taken up silently, a changed router id leaves the address unheld for 3 s.
    serviceResource({ unit, runsWith: [...units, configuration], onChange: 'reload', isReloadFelt: true }),
  ];
}

/** The hosts of the inventory that are no balancers, and no former ones, by whether the cluster has another part for them. */
function noBalancers(
  { hosts }: Inventory,
  { members, formerMembers, controlPlanes }: Cluster,
  { balancers, formerBalancers }: VirtualService,
): Pick<VirtualIpOptions['others'], 'near' | 'far'> {
  const parts = new Set([...members, ...formerMembers, ...controlPlanes].map(({ host }) => host));
  const known = new Set([...balancers, ...formerBalancers].map(({ host }) => host));
  const others = [...hosts.keys()].filter((name) => !known.has(name));
  return { near: others.filter((name) => parts.has(name)), far: others.filter((name) => !parts.has(name)) };
}

/** Why a keepalived that is started so does not read our file. */
function otherFile(configFile: string, { argv }: StartedWith): string | undefined {
  const [read] = keepalivedReads(argv);
  return read === configFile ? undefined : `reads ${read ?? 'no file'}, not ${configFile}`;
}
