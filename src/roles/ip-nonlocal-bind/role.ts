import { nonlocalBindKey } from '../../model/endpoint.js';
import type { ServiceName } from '../../model/virtual-service.js';
import { sysctl } from '../../resources/sysctl.js';
import { requireService } from '../require-service.js';
import { balancerOn, type Role } from '../role.js';

/** The proxy binds the virtual IP also where it is not: else it does not start on a standby node. */
export function ipNonlocalBindRole(name: ServiceName): Role {
  return {
    name: `${name}-nonlocal-bind`,
    summary: `may listen on a virtual IP of ${name} that another host holds`,
    resources(host, _, cluster) {
      const service = requireService(cluster, name);
      const { replaceFiles: replace } = balancerOn(service, host);
      return [
        sysctl({
          key: nonlocalBindKey(service.endpoint.ip),
          value: '1',
          file: '/etc/sysctl.d/60-provision-nonlocal-bind.conf',
          foreign: { replace, wayOut: 'move it away, or into a file of another name' },
        }),
      ];
    },
  };
}
