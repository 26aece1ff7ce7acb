import { didYouMean } from '../model/did-you-mean.js';
import type { Inventory } from '../model/inventory.js';
import { PROVIDED_VARIABLES } from './derived-variables.js';
import { VARIABLES } from './known-variables.js';
import type { VariableReader } from './variable-reader.js';

/** Variables with these prefixes are this program's. */
const PREFIXES = /^(?:etcd|keepalived|haproxy)_/;

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
  'etcd_version',
]);

/**
 * Unknown `etcd_*`, `keepalived_*` and `haproxy_*` variables. Close to a known one it is a slip, and an error: the value
 * would have no effect where the user counts on it. All others may belong to other roles, and are warnings.
 */
export function checkUnknownVariables(inventory: Inventory, reader: VariableReader): void {
  const known = Object.keys(VARIABLES);
  const ours = new Set([...known, ...PROVIDED_VARIABLES.names]);
  for (const host of inventory.hosts.values()) {
    for (const name of host.variables.names()) {
      if (!PREFIXES.test(name) || ours.has(name)) continue;
      const near = OF_OTHERS.has(name) ? '' : didYouMean(name, known);
      const message =
        near === '' ? 'is not a variable of this program, and has no effect here' : `unknown variable${near}`;
      reader.report(near === '' ? 'warning' : 'error', host.variables.at(name), name, message);
    }
  }
}
