import { isNear } from '../model/did-you-mean.js';
import type { SourcePosition } from '../model/errors.js';
import type { Inventory } from '../model/inventory.js';
import { PROVIDED_VARIABLES } from './derived-variables.js';
import { VARIABLES } from './known-variables.js';
import type { VariableReader } from './variable-reader.js';

/** Variables with these prefixes are this program's. */
const PREFIXES = /^(?:etcd|keepalived|haproxy|kube_apiserver_lb)_/;

/** So are some with this one; but most are of roles for web servers, in whose names nothing is wrong. */
const SHARED_PREFIX = /^nginx_/;

/**
 * Variables of kubespray's etcd role and of well-known HAProxy and keepalived roles that look like slips of ours
 * (`etcd_cert_dir`, `etcd_extra_vars`): an inventory that serves both must not be refused.
 */
const OF_OTHERS = new Set([
  'etcd_backup_prefix',
  'etcd_backup_retention_count',
  'etcd_binary_checksum',
  'etcd_blkio_weight',
  'etcd_cert_dir',
  'etcd_cert_group',
  'etcd_cluster_setup',
  'etcd_compaction_retention',
  'etcd_config_dir',
  'etcd_cpu_limit',
  'etcd_deployment_type',
  'etcd_download_url',
  'etcd_events_cluster_enabled',
  'etcd_events_cluster_setup',
  'etcd_events_data_dir',
  'etcd_experimental_enable_distributed_tracing',
  'etcd_experimental_initial_corrupt_check',
  'etcd_extra_vars',
  'etcd_image_repo',
  'etcd_image_tag',
  'etcd_ionice',
  'etcd_kubeadm_enabled',
  'etcd_listen_metrics_urls',
  'etcd_log_level',
  'etcd_max_request_bytes',
  'etcd_max_snapshots',
  'etcd_max_wals',
  'etcd_memory_limit',
  'etcd_metrics',
  'etcd_metrics_port',
  'etcd_multiaccess',
  'etcd_node_cert_hosts',
  'etcd_owner',
  'etcd_peer_client_auth',
  'etcd_retries',
  'etcd_script_dir',
  'etcd_secure_client',
  'etcd_supported_versions',
  'etcd_tls_cipher_suites',
  'etcd_unsupported_arch',
  'etcd_vault_mount_path',
]);

/** Words that names of settings are made of, in any role: a name that has one of them is meant so. */
const WORDS = new Set(
  (
    'address addr args backup bin bind ca cert certs check cluster conf config count data day days default defaults dir ' +
    'dirs disk download enable enabled env extra file files force group home host hosts iface id init interval ip ips ' +
    'key keys level limit list log logs max metrics min mode name names node nodes opts options owner package packages ' +
    'pass password path paths peer peers pki pool port ports prefix repo retries root secret server servers service ' +
    'size ssl stats tag tags timeout tls tmp token type unit units url urls user users uid gid vars version vip vips vrid'
  ).split(' '),
);

/**
 * The one known name that a user must have meant: one or two letters away, and the word with the slip is not a plain word by itself.
 * `etcd_dta_dir` is a slip of `etcd_data_dir`; `etcd_bin_dir`, `etcd_user` and `etcd_cert_dir` are names of other roles, and
 * there are more of those than a list can hold.
 */
function slipOf(name: string, known: readonly string[]): string | undefined {
  if (OF_OTHERS.has(name)) return undefined;
  const near = known.filter((candidate) => isNear(name, candidate, 2));
  const [meant] = near;
  if (meant === undefined || near.length > 1) return undefined;
  if (name.replaceAll('_', '') === meant.replaceAll('_', '')) return meant;
  const right = new Set(meant.split('_'));
  const strange = name.split('_').filter((word) => !right.has(word));
  return strange.some((word) => word === '' || WORDS.has(word)) ? undefined : meant;
}

/**
 * Unknown `etcd_*`, `keepalived_*`, `haproxy_*` and `kube_apiserver_lb_*` variables. A slip beyond doubt is an error: the value would have no
 * effect where the user counts on it. All others may belong to other roles: one warning names them all.
 */
export function checkUnknownVariables(inventory: Inventory, reader: VariableReader): void {
  const known = Object.keys(VARIABLES);
  const ours = new Set([...known, ...PROVIDED_VARIABLES.names]);
  const others = new Map<string, SourcePosition | undefined>();
  for (const host of inventory.hosts.values()) {
    for (const name of host.variables.names()) {
      const isShared = SHARED_PREFIX.test(name);
      if (!(isShared || PREFIXES.test(name)) || ours.has(name) || others.has(name)) continue;
      const meant = slipOf(name, known);
      if (meant === undefined && isShared) continue;
      if (meant === undefined) others.set(name, host.variables.at(name));
      else reader.report('error', host.variables.at(name), name, `unknown variable; did you mean ${meant}?`);
    }
  }
  const [first] = others.values();
  const list = [...others.keys()].map((name) => `${name}${hintFor(name, known)}`).join(', ');
  if (others.size > 0) reader.report('warning', first, list, 'no variables of this program, and without effect here');
}

/** Where a name is close to a known one, and may still be another role's. */
function hintFor(name: string, known: readonly string[]): string {
  if (OF_OTHERS.has(name)) return '';
  const near = known.find((candidate) => isNear(name, candidate, 2));
  return near === undefined ? '' : ` (or ${near}?)`;
}
