import {
  PROXY_NAMES,
  SERVICE_GROUPS,
  type Balancer,
  type ServiceName,
  type VirtualService,
} from '../../model/virtual-service.js';
import { proxyOf } from '../../proxies/table.js';
import { freedBalancer, type BalancerProgram } from '../../resources/freed-balancer.js';
import { unusedCertificate } from '../../resources/unused-certificate.js';
import { checkScriptPath } from '../keepalived/check-script.js';
import { markOf } from '../keepalived/down-mark.js';
import { keepalivedReads } from '../keepalived/keepalived-reads.js';
import { requireService } from '../require-service.js';
import { certificateRules, formerBalancerOn, type Role, type RoleTools } from '../role.js';

/** A host that was a load balancer of a service, and has nothing left of that. */
export function formerBalancerRole(name: ServiceName, tools: RoleTools): Role {
  return {
    name: `${name}-former-balancer`,
    summary: `has nothing left of the load balancer of ${name} that it was; packages stay`,
    resources(host, _, cluster) {
      const external = name === 'etcd' ? cluster.external : undefined;
      // Where others run the balancer, the inventory does not name the virtual IP of ours any more.
      const vip = external === undefined ? requireService(cluster, name).endpoint.ip : undefined;
      const service = external?.former ?? requireService(cluster, name);
      const balancer = formerBalancerOn({ ...service, group: SERVICE_GROUPS[name] }, host);
      const { places } = service;
      return [
        freedBalancer({
          service: name,
          vip,
          addresses: service.backends.map(({ address }) => address),
          keepalived: [balancer.keepalived, ...balancer.keepalived.former].map((each) => ({
            ...program(each),
            reads: keepalivedReads,
          })),
          proxies: proxiesOf(service, balancer),
          files: [...PROXY_NAMES.map((each) => checkScriptPath(service, each)), places.nonlocalBind],
          marked: [balancer.proxy, ...balancer.formerProxies].map(({ unit }) => markOf(unit)),
          certificates: places.certificates,
        }),
        ...places.termination.map((path) => unusedCertificate(path, certificateRules(tools, cluster))),
      ];
    },
  };
}

function proxiesOf(
  service: Pick<VirtualService, 'proxy'>,
  { proxy, formerProxies }: Balancer,
): readonly BalancerProgram[] {
  return [{ ...proxy, name: service.proxy }, ...formerProxies].map((each) => ({
    ...program(each),
    reads: (argv) => proxyOf({ proxy: each.name }).reads(argv),
  }));
}

function program({ unit, configFile }: Omit<BalancerProgram, 'reads'>): Omit<BalancerProgram, 'reads'> {
  return { unit, configFile };
}
