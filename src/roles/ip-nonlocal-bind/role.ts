import { nonlocalBindKey } from '../../model/endpoint.js';
import type { ServiceName } from '../../model/virtual-service.js';
import { sysctl } from '../../resources/sysctl.js';
import { balancerRole } from '../balancer-role.js';
import type { Role } from '../role.js';

/** The proxy binds the virtual IP also where it is not: else it does not start on a standby node. */
export function ipNonlocalBindRole(name: ServiceName): Role {
  return balancerRole({
    service: name,
    part: 'nonlocal-bind',
    summary: `may listen on a virtual IP of ${name} that another host holds`,
    resources: (_, { service, balancer }) => [
      sysctl({
        key: nonlocalBindKey(service.endpoint.ip),
        value: '1',
        file: service.places.nonlocalBind,
        foreign: { replace: balancer.replaceFiles, wayOut: 'move it away, or into a file of another name' },
      }),
    ],
  });
}
