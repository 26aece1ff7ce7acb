import { defaulted, optional } from './variable-definition.js';
import { block, haproxyTime, wholeNumber } from './variable-kinds.js';

/** How nginx passes connections on, where `etcd_lb_proxy` is `nginx`. */
export const NGINX_VARIABLES = {
  nginx_maxconn: defaulted(4096, {
    schema: wholeNumber(1, 1_000_000),
    type: 'whole number',
    description: 'Connections at most, in each worker of nginx.',
  }),
  nginx_timeout_connect: defaulted('5s', {
    schema: haproxyTime(),
    type: 'text, time',
    description: 'Time to reach a member.',
  }),
  nginx_timeout: defaulted('10m', {
    schema: haproxyTime(),
    type: 'text, time',
    description: 'Silence after which a connection is cut off. An apiserver pings every 30 s: longer than that.',
  }),
  nginx_max_fails: defaulted(1, {
    schema: wholeNumber(1, 100),
    type: 'whole number',
    description: 'Refused connections until a member is left out.',
  }),
  nginx_fail_timeout: defaulted('10s', {
    schema: haproxyTime(),
    type: 'text, time',
    description: 'How long a member is left out then.',
  }),
  nginx_extra_config: optional({
    schema: block(),
    type: 'text',
    fallbackText: 'none',
    description: 'Put at the end of the `stream` block as it is. May hold secrets.',
    mayHoldSecrets: true,
  }),
} as const;
