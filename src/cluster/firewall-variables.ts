import { defaulted } from './variable-definition.js';
import { flag, listOf, networkOrAddress } from './variable-kinds.js';

/** Who may reach etcd over the network. */
export const FIREWALL_VARIABLES = {
  etcd_firewall: defaulted(false, {
    schema: flag(),
    type: 'true or false',
    description:
      'Whether members and load balancers let only this cluster, and `etcd_firewall_allow`, reach etcd: by one nftables table of their own, beside whatever else filters there.',
  }),
  etcd_firewall_allow: defaulted([], {
    schema: listOf(networkOrAddress(), 'a list of networks and addresses'),
    type: 'list of networks and addresses',
    description: 'Further clients of etcd: monitoring, backups, administrators, a load balancer of others.',
  }),
} as const;
