import { defaulted, optional } from './variable-definition.js';
import { advertInterval, flag, network, text, wholeNumber } from './variable-kinds.js';

/** Variables of the virtual IP of etcd. */
export const KEEPALIVED_VARIABLES = {
  keepalived_interface: optional({
    schema: text('the name of a network interface', /^[^\s/"'{}!#]{1,15}$/),
    type: 'text',
    fallbackText: "the one that holds the node's address",
    description: 'Interface of the virtual IP.',
  }),
  keepalived_network: optional({
    schema: network(),
    type: 'network',
    fallbackText: 'not checked',
    description: 'The network that `etcd_lb_ip` must be in, to catch a typo early.',
  }),
  keepalived_vrid: optional({
    schema: wholeNumber(1, 255),
    type: '1 to 255',
    fallbackText: 'last byte of `etcd_lb_ip`',
    description: 'Virtual router id: unused in the network of the load-balancer hosts.',
  }),
  keepalived_priority: optional({
    schema: wholeNumber(1, 254),
    type: '1 to 254',
    fallbackText: '100 for the first host, one less for each further one',
    description:
      'VRRP priority: the highest holds the virtual IP; different on each host (255 is the owner of the address, RFC 5798).',
  }),
  keepalived_unicast: defaulted(true, {
    schema: flag(),
    type: 'true or false',
    description: 'Send VRRP adverts by unicast: most clouds drop multicast.',
  }),
  keepalived_vrrp_version: defaulted(2, {
    schema: wholeNumber(2, 3),
    type: '2 or 3',
    description:
      'VRRP version of an IPv4 address (IPv6 always has 3). Version 3 may send adverts more often than once a second, and has no password.',
  }),
  keepalived_advert_int: defaulted(1, {
    schema: advertInterval(),
    type: 'seconds',
    description:
      'Time between adverts: 1 to 40, with VRRP version 3 also 0.1 to 0.9. After three that are missing another host takes the virtual IP.',
  }),
  keepalived_auth_pass: optional({
    schema: text('1 to 8 characters without spaces and quotes (keepalived cuts off the rest)', /^[^\s"'!#{}]{1,8}$/),
    type: 'text, secret',
    fallbackText: 'generated once, kept in the PKI store',
    description: 'VRRP password: separates two routers with the same id. Preferably a `!vault` value.',
    secret: true,
  }),
  keepalived_preempt: defaulted(false, {
    schema: flag(),
    type: 'true or false',
    description: 'Whether a host with a higher priority takes the virtual IP back.',
  }),
} as const;
