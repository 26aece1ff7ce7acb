import { defaulted, optional } from './variable-definition.js';
import { block, haproxyTime, wholeNumber } from './variable-kinds.js';

/** How nginx passes connections on, where `etcd_lb_proxy` is `nginx`. */
export const NGINX_VARIABLES = {
  nginx_maxconn: defaulted(4096, {
    schema: wholeNumber(1, 1_000_000),
    type: 'whole number',
    description: 'Maximum connections of each nginx worker.',
  }),
  nginx_timeout_connect: defaulted('5s', {
    schema: haproxyTime(),
    type: 'text, time',
    description: 'Time limit for connecting to a member.',
  }),
  nginx_timeout: defaulted('10m', {
    schema: haproxyTime(),
    type: 'text, time',
    description: 'Idle time after which a connection is closed. An apiserver pings every 30 s: longer than that.',
  }),
  nginx_max_fails: defaulted(1, {
    schema: wholeNumber(1, 100),
    type: 'whole number',
    description: 'Failed connections before a member is taken out.',
  }),
  nginx_fail_timeout: defaulted('10s', {
    schema: haproxyTime(),
    type: 'text, time',
    description: 'How long a member then stays out.',
  }),
  nginx_extra_config: optional({
    schema: block(),
    type: 'text',
    fallbackText: 'none',
    description: 'Appended unchanged to the `stream` block. May contain secrets.',
    mayHoldSecrets: true,
  }),
} as const;
