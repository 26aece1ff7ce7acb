import type { z } from 'zod';
import { DEFAULT_CLUSTER_TOKEN } from '../model/cluster.js';
import { LB_PROVIDERS } from '../model/etcd-way.js';
import { LB_MODES, PROXY_NAMES } from '../model/virtual-service.js';
import { ADOPTED_VARIABLES } from './adopted-variables.js';
import { APISERVER_VARIABLES } from './apiserver-variables.js';
import { FIREWALL_VARIABLES } from './firewall-variables.js';
import { HAPROXY_VARIABLES } from './haproxy-variables.js';
import { KEEPALIVED_VARIABLES } from './keepalived-variables.js';
import { MAIL_VARIABLES } from './mail-variables.js';
import { METRICS_VARIABLES } from './metrics-variables.js';
import { CONTAINER_RUNTIME_VARIABLES } from './container-runtime-variables.js';
import { KUBERNETES_PACKAGE_VARIABLES } from './kubernetes-package-variables.js';
import { KUBERNETES_VARIABLES } from './kubernetes-variables.js';
import { NGINX_VARIABLES } from './nginx-variables.js';
import { RELEASE_VARIABLES } from './release-variables.js';
import { SNAPSHOT_VARIABLES } from './snapshot-variables.js';
import { defaulted, optional } from './variable-definition.js';
import {
  absolutePath,
  dnsName,
  etcdEnvironment,
  flag,
  ipAddress,
  listOf,
  oneOf,
  text,
  wholeNumber,
} from './variable-kinds.js';

const port = wholeNumber(1, 65_535);

/**
 * All variables that the roles use. This table is the one source: values are checked by it, defaults come from it, and
 * docs/reference/variables.md is written from it.
 */
export const VARIABLES = {
  etcd_lb_enabled: optional({
    schema: flag(),
    type: 'true or false',
    fallbackText: 'true when `etcd_lb_ip` is set, or `etcd_lb_provider` is external',
    description: 'Whether clients reach etcd through the load balancer.',
  }),
  etcd_lb_ip: optional({
    schema: ipAddress(),
    type: 'IP address',
    fallbackText: 'none',
    description: 'The virtual IP. An unused address in the network of the load-balancer hosts.',
  }),
  etcd_lb_host: optional({
    schema: dnsName(),
    type: 'DNS name',
    fallbackText: 'none',
    description: 'DNS name of the virtual IP. It goes into the server certificates.',
  }),
  etcd_lb_port: defaulted(2379, {
    schema: port,
    type: 'port',
    description: 'Port of the load balancer on the virtual IP.',
  }),
  etcd_lb_provider: defaulted('own', {
    schema: oneOf(LB_PROVIDERS),
    type: LB_PROVIDERS.join(' or '),
    description:
      'Who runs the load balancer. `external`: others do, at `etcd_lb_ip` or, without one, at `etcd_lb_host`; no proxy and no virtual IP is set up.',
  }),
  etcd_lb_mode: defaulted('passthrough', {
    schema: oneOf(LB_MODES),
    type: LB_MODES.join(' or '),
    description:
      'What HAProxy does with TLS. `terminate`: it ends it with a certificate of its own, demands client certificates, and is the one client that members see.',
  }),
  etcd_lb_proxy: defaulted('haproxy', {
    schema: oneOf(PROXY_NAMES),
    type: PROXY_NAMES.join(' or '),
    description: 'What passes connections on. nginx has no health checks of its own: HAProxy is the better choice.',
  }),
  etcd_lb_own_instance: defaulted(false, {
    schema: flag(),
    type: 'true or false',
    description:
      'Whether proxy and keepalived run as units of their own (`provision-etcd-…`), beside those that already serve something else on the load-balancer hosts.',
  }),
  allow_unsupported_distribution_setup: defaulted(false, {
    schema: flag(),
    type: 'true or false',
    description:
      'Whether roles that install packages are tried on a system made from Debian that they were not tried on. The name is that of kubespray.',
  }),
  provision_replace_files: defaulted([], {
    schema: listOf(absolutePath(), 'a list of absolute paths'),
    type: 'list of paths',
    description:
      'Files on the host that provision did not write, and that may be replaced, with what runs with them. Any other is left alone, and the plan is refused.',
  }),
  etcd_cert_alt_names: defaulted([], {
    schema: listOf(dnsName(), 'a list of DNS names'),
    type: 'list of DNS names',
    description: 'Further names in the server certificates.',
  }),
  etcd_cert_alt_ips: defaulted([], {
    schema: listOf(ipAddress(), 'a list of IP addresses'),
    type: 'list of IP addresses',
    description: 'Further addresses in the server certificates.',
  }),
  etcd_client_port: defaulted(2379, { schema: port, type: 'port', description: 'Port for clients on each member.' }),
  etcd_peer_port: defaulted(2380, { schema: port, type: 'port', description: 'Port for the other members.' }),
  etcd_data_dir: defaulted('/var/lib/etcd/default', {
    schema: absolutePath(),
    type: 'path',
    description: 'Data directory.',
  }),
  etcd_cluster_token: defaulted(DEFAULT_CLUSTER_TOKEN, {
    schema: text('a text without spaces', /^[^\s"'\\]+$/),
    type: 'text',
    description:
      'Name of the cluster. It keeps clusters apart that are made at the same time in the same network, in what is typed to confirm a restore, and as the label of its alerts.',
  }),
  etcd_member_name: optional({
    schema: text('a text without spaces, `,` and `=`', /^[^\s"'\\,=]+$/),
    type: 'text',
    fallbackText: 'inventory_hostname',
    description: 'Name of the member.',
  }),
  etcd_config_file: defaulted('/etc/default/etcd', {
    schema: absolutePath(),
    type: 'path',
    description: 'Environment file of the etcd service.',
  }),
  etcd_pki_dir: defaulted('/etc/etcd/pki', {
    schema: absolutePath(),
    type: 'path',
    description: 'Directory of the certificates on each member.',
  }),
  etcd_heartbeat_interval: defaulted(100, {
    schema: wholeNumber(10, 10_000),
    type: 'milliseconds',
    description: 'Time between heartbeats of the leader: about the round-trip time between members.',
  }),
  etcd_election_timeout: defaulted(1000, {
    schema: wholeNumber(50, 50_000),
    type: 'milliseconds',
    description: 'Time without a heartbeat after which a follower starts an election: at least five heartbeats.',
  }),
  etcd_quota_backend_bytes: defaulted(2_147_483_648, {
    schema: wholeNumber(1, Number.MAX_SAFE_INTEGER),
    type: 'bytes',
    description: 'Size of the database at which etcd raises the NOSPACE alarm. More than 8 GiB is not advised.',
  }),
  etcd_snapshot_count: defaulted(100_000, {
    schema: wholeNumber(1, Number.MAX_SAFE_INTEGER),
    type: 'whole number',
    description: 'Committed transactions between snapshots of the raft log.',
  }),
  etcd_auto_compaction_retention: defaulted('8h', {
    schema: text('hours, or a time such as 30m or 8h', /^\d+(?:ns|us|ms|s|m|h)?$/),
    type: 'text',
    description:
      'How long old revisions are kept. Kubernetes compacts by itself; this is for what else writes to etcd.',
  }),
  etcd_extra_env: defaulted(
    {},
    {
      schema: etcdEnvironment(),
      type: 'mapping of ETCD_… to values',
      description: 'Further environment variables of etcd: `{ETCD_LOG_LEVEL: warn}`. Values may be secrets.',
      mayHoldSecrets: true,
    },
  ),
  etcd_key_type: defaulted('ecdsa-p256', {
    schema: oneOf(['ecdsa-p256', 'rsa-2048', 'rsa-3072', 'rsa-4096']),
    type: 'ecdsa-p256, rsa-2048, rsa-3072 or rsa-4096',
    description: 'Kind of all private keys.',
  }),
  etcd_ca_days: defaulted(3650, {
    schema: wholeNumber(1, 36_500),
    type: 'days',
    description: 'Life of the certificate authority.',
  }),
  etcd_cert_days: defaulted(365, {
    schema: wholeNumber(1, 3650),
    type: 'days',
    description: 'Life of the certificates.',
  }),
  etcd_cert_renew_before_days: defaulted(30, {
    schema: wholeNumber(0, 3650),
    type: 'days',
    description: 'A certificate that ends in fewer days is renewed.',
  }),
  etcd_cert_grants: defaulted([], {
    schema: listOf(text('an item as a refusal names it, such as `SAN URI spiffe://example/etcd`'), 'a list of texts'),
    type: 'list of texts',
    description:
      'What certificates of an adopted etcd and of its API servers may say beyond what this program lists, although its authority has not signed it before: `[subject O=Example, SAN DNS etcd.example]`. Needed only where a plan refuses to sign them.',
  }),
  etcd_pki_store: defaulted('pki', {
    schema: text('a path, written in full or relative to the inventory', /^[^~\0\n][^\0\n]*$/),
    type: 'path on the control machine',
    description:
      'Directory of the encrypted CA key; a relative path starts at the inventory. Of inventories of several clusters in one directory each names its own.',
  }),
  ...RELEASE_VARIABLES,
  ...SNAPSHOT_VARIABLES,
  ...ADOPTED_VARIABLES,
  ...FIREWALL_VARIABLES,
  ...METRICS_VARIABLES,
  ...HAPROXY_VARIABLES,
  ...NGINX_VARIABLES,
  ...KEEPALIVED_VARIABLES,
  ...MAIL_VARIABLES,
  ...APISERVER_VARIABLES,
  ...KUBERNETES_VARIABLES,
  ...KUBERNETES_PACKAGE_VARIABLES,
  ...CONTAINER_RUNTIME_VARIABLES,
} as const;

/** Name of a variable that this program reads. */
export type VariableName = keyof typeof VARIABLES;

/** The value of a variable, checked. */
export type VariableValue<Name extends VariableName> = z.output<(typeof VARIABLES)[Name]['schema']>;
