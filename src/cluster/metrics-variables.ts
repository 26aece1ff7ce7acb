import { defaulted, optional } from './variable-definition.js';
import { ipAddress, text, wholeNumber } from './variable-kinds.js';

const port = wholeNumber(1, 65_535);
const NODE = "the node's address";

/** What monitoring is shown; nothing by default. */
export const METRICS_VARIABLES = {
  etcd_metrics_port: optional({
    schema: port,
    type: 'port',
    fallbackText: 'none',
    description:
      "Port of etcd's `/metrics` and `/health`, over HTTP and without a client certificate. A change restarts the members, one after the other.",
  }),
  etcd_metrics_address: optional({
    schema: ipAddress(),
    type: 'IP address',
    fallbackText: NODE,
    description: 'Where `etcd_metrics_port` listens, on each member.',
  }),
  haproxy_metrics_port: optional({
    schema: port,
    type: 'port',
    fallbackText: 'none',
    description: "Port of the `/metrics` of etcd's HAProxy (its built-in exporter), over HTTP.",
  }),
  haproxy_metrics_address: optional({
    schema: ipAddress(),
    type: 'IP address',
    fallbackText: NODE,
    description: 'Where `haproxy_metrics_port` listens, on each load balancer.',
  }),
  haproxy_stats_address: defaulted('127.0.0.1', {
    schema: ipAddress(),
    type: 'IP address',
    description: 'Where `haproxy_stats_port` listens. Any other than 127.0.0.1 and ::1 needs user and password.',
  }),
  haproxy_stats_user: optional({
    schema: text('a name of letters, digits, `.`, `_` and `-`', /^[\w.-]+$/),
    type: 'text',
    fallbackText: 'none',
    description: 'Who may see the statistics page.',
  }),
  haproxy_stats_password: optional({
    schema: text(
      'at least 12 characters, without spaces, quotes, `\\`, `#`, `:` and `$`',
      /^(?=.{12,})[^\s"'\\#:$\p{Cc}]+$/u,
    ),
    type: 'text, secret',
    fallbackText: 'none',
    description: 'Password of that page, sent in clear: at least 12 characters. Preferably a `!vault` value.',
    secret: true,
  }),
  etcd_host_metrics_port: optional({
    schema: port,
    type: 'port',
    fallbackText: 'none',
    description:
      'Port where each member and load balancer tells, over HTTP, whether it holds a virtual IP and when its certificates end. systemd listens; nothing runs between two questions.',
  }),
  etcd_host_metrics_address: optional({
    schema: ipAddress(),
    type: 'IP address',
    fallbackText: NODE,
    description: 'Where `etcd_host_metrics_port` listens, on each of them.',
  }),
} as const;
