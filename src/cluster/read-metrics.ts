import type { Host } from '../model/inventory.js';
import { canonicalIp } from '../model/ip.js';
import type { MetricsPlace, StatsPage } from '../model/metrics.js';
import { Secret } from '../model/secret.js';
import type { ProxySettings } from '../model/virtual-service.js';
import type { VariableReader } from './variable-reader.js';

/** What shows metrics of its own. */
type MetricsOf = 'etcd' | 'haproxy' | 'etcd_host';

/** Where a program of a host shows its metrics; nowhere by default. @param address of the node */
export function metricsPlace(
  of: MetricsOf,
  { host, address, reader }: { readonly host: Host; readonly address: string; readonly reader: VariableReader },
): MetricsPlace | undefined {
  const found = reader.read(host, `${of}_metrics_port`);
  const at = reader.read(host, `${of}_metrics_address`);
  return found === undefined ? undefined : { address: canonicalIp(at ?? address), port: found };
}

/** Who may see HAProxy's page of statistics; reports one that others could see without a password. */
export function haproxyStats(host: Host, reader: VariableReader): StatsPage {
  const address = canonicalIp(reader.readOr(host, 'haproxy_stats_address'));
  const user = reader.read(host, 'haproxy_stats_user');
  const password = reader.read(host, 'haproxy_stats_password');
  const isOwn = ['127.0.0.1', '::1'].includes(address);
  const isWrong = host.variables.at('haproxy_stats_password') !== undefined && password === undefined;
  if (reader.read(host, 'haproxy_stats_port') !== undefined && !isWrong)
    if ((user === undefined) !== (password === undefined) || (!isOwn && user === undefined))
      reader.report(
        'error',
        host.variables.at('haproxy_stats_address') ?? host.variables.at('haproxy_stats_port'),
        'haproxy_stats_address',
        `${address}: expected haproxy_stats_user and haproxy_stats_password beside it: the page shows who uses etcd`,
      );
  return {
    address,
    login: user === undefined || password === undefined ? undefined : { user, password: new Secret(password) },
  };
}

/** Nothing that other services show by the same variables. */
export const NO_METRICS: Pick<ProxySettings, 'metrics' | 'stats'> = { metrics: undefined, stats: undefined };
