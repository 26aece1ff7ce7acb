import { nonlocalBindKey } from '../../model/endpoint.js';
import { sysctl } from '../../resources/sysctl.js';
import { balancerOn, type Role } from '../role.js';
import { requireEndpoint } from '../require-endpoint.js';

/** HAProxy binds the virtual IP also where it is not: else it does not start on a standby node. */
export function ipNonlocalBindRole(): Role {
  return {
    name: 'ip-nonlocal-bind',
    summary: 'may listen on a virtual IP that another host holds',
    resources(host, _, cluster) {
      balancerOn(cluster, host);
      return [
        sysctl({
          key: nonlocalBindKey(requireEndpoint(cluster).ip),
          value: '1',
          file: '/etc/sysctl.d/60-provision-nonlocal-bind.conf',
        }),
      ];
    },
  };
}
