import { defaulted, optional } from './variable-definition.js';
import { absolutePath, block, haproxyTime, wholeNumber } from './variable-kinds.js';

const port = wholeNumber(1, 65_535);
const seconds = 'text, HAProxy time';

/** Variables of HAProxy. */
export const HAPROXY_VARIABLES = {
  haproxy_config_file: defaulted('/etc/haproxy/haproxy.cfg', {
    schema: absolutePath(),
    type: 'path',
    description: 'Configuration file of HAProxy.',
  }),
  haproxy_maxconn: defaulted(4096, {
    schema: wholeNumber(1, 1_000_000),
    type: 'whole number',
    description: 'Maximum connections.',
  }),
  haproxy_timeout_connect: defaulted('5s', {
    schema: haproxyTime(),
    type: seconds,
    description: 'Time limit for connecting to a member.',
  }),
  haproxy_timeout_client: defaulted('5m', {
    schema: haproxyTime(),
    type: seconds,
    description:
      'Idle time after which a client connection is closed. An apiserver pings every 30 s: longer than that.',
  }),
  haproxy_timeout_server: defaulted('5m', {
    schema: haproxyTime(),
    type: seconds,
    description: 'The same for the connection to the member.',
  }),
  haproxy_check_inter: defaulted('2s', {
    schema: haproxyTime(),
    type: seconds,
    description: 'Time between health checks.',
  }),
  haproxy_check_rise: defaulted(2, {
    schema: wholeNumber(1, 100),
    type: 'whole number',
    description: 'Successful checks before a member is considered up.',
  }),
  haproxy_check_fall: defaulted(3, {
    schema: wholeNumber(1, 100),
    type: 'whole number',
    description: 'Failed checks before a member is considered down.',
  }),
  haproxy_stats_port: optional({
    schema: port,
    type: 'port',
    fallbackText: 'no page',
    description: 'Statistics page, at `haproxy_stats_address`.',
  }),
  haproxy_extra_config: optional({
    schema: block(),
    type: 'text',
    fallbackText: 'none',
    description: 'Appended unchanged to the configuration. May contain secrets.',
    mayHoldSecrets: true,
  }),
} as const;
