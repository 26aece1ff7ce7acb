import type { Cluster, Member } from '../model/cluster.js';
import { serviceNamed } from '../model/virtual-service.js';
import { clusterLabel } from './cluster-label.js';
import { promqlText, templateText } from './prometheus-text.js';

/** The job that each kind of target belongs to: rules and targets agree on them. */
export const JOBS = { etcd: 'etcd', balancer: 'etcd-load-balancer', host: 'etcd-host' } as const;

/** One alert, with the names that Prometheus has for its parts. */
export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  /** With `severity` and `cluster`; each value is a template to Prometheus. */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: { readonly summary: string; readonly next: string };
}

/** Rules that are evaluated together. */
export interface AlertGroup {
  readonly name: string;
  readonly rules: readonly AlertRule[];
}

type Rule = readonly [
  alert: string,
  severity: 'warning' | 'critical',
  wait: string,
  expr: string,
  summary: string,
  /** What tells it from its twins. */
  labels?: Readonly<Record<string, string>>,
];

/**
 * The alerts for a cluster. Those about etcd are the essentials of its own mixin (etcd 3.5, contrib/mixin), with its thresholds.
 * @param inventory as a person types it
 */
export function alertRules(cluster: Cluster, inventory: string): readonly AlertGroup[] {
  const groups: readonly (readonly [string, readonly Rule[]])[] = [
    ['etcd', [...memberRules(cluster), ...scrapeRules(cluster)]],
    ['etcd-load-balancer', balancerRules(cluster)],
    ['etcd-hosts', hostRules(cluster)],
  ];
  const next = templateText(`provision verify ${inventory}`);
  const label = clusterLabel(cluster);
  return groups.flatMap(([name, rules]) =>
    rules.length === 0 ? [] : [{ name: `${name} of ${label}`, rules: rules.map((rule) => asAlert(rule, label, next)) }],
  );
}

function asAlert([alert, severity, wait, expr, summary, more = {}]: Rule, cluster: string, next: string): AlertRule {
  const own = Object.entries({ cluster, ...more }).map(([name, value]) => [name, templateText(value)] as const);
  return { alert, expr, for: wait, labels: { severity, ...Object.fromEntries(own) }, annotations: { summary, next } };
}

function memberRules(cluster: Cluster): readonly Rule[] {
  const { members } = cluster;
  const of = selector(JOBS.etcd, cluster);
  const host = '{{ $labels.host }}';
  const quorum = Math.floor(members.length / 2) + 1;
  const p99 = (metric: string): string => `histogram_quantile(0.99, rate(${metric}_bucket${of}[5m]))`;
  const used = `etcd_mvcc_db_total_size_in_bytes${of} / etcd_server_quota_backend_bytes${of}`;
  return [
    ['EtcdMemberDown', 'warning', '1m', `up${of} == 0`, `etcd on ${host} does not answer`],
    [
      'EtcdInsufficientMembers',
      'critical',
      '1m',
      `sum(up${of} == bool 1) < ${quorum}`,
      `fewer than ${quorum} of ${members.length} members answer: no quorum`,
    ],
    ['EtcdNoLeader', 'critical', '1m', `etcd_server_has_leader${of} == 0`, `the member on ${host} has no leader`],
    [
      'EtcdLeaderChanges',
      'warning',
      '5m',
      `increase(max(etcd_server_leader_changes_seen_total${of})[15m:1m]) >= 4`,
      'the leader has changed {{ $value }} times in a quarter of an hour',
    ],
    [
      'EtcdFailedProposals',
      'warning',
      '15m',
      `rate(etcd_server_proposals_failed_total${of}[15m]) > 5`,
      `proposals fail on ${host}`,
    ],
    [
      'EtcdSlowFsync',
      'warning',
      '10m',
      `${p99('etcd_disk_wal_fsync_duration_seconds')} > 0.5`,
      `the disk of ${host} takes {{ $value }} s to sync the log`,
    ],
    [
      'EtcdVerySlowFsync',
      'critical',
      '10m',
      `${p99('etcd_disk_wal_fsync_duration_seconds')} > 1`,
      `the disk of ${host} takes {{ $value }} s to sync the log`,
    ],
    [
      'EtcdSlowCommits',
      'warning',
      '10m',
      `${p99('etcd_disk_backend_commit_duration_seconds')} > 0.25`,
      `commits on ${host} take {{ $value }} s`,
    ],
    ['EtcdDatabaseNearQuota', 'warning', '10m', `${used} > 0.8`, `the database on ${host} is near its quota`],
    ['EtcdDatabaseAtQuota', 'critical', '10m', `${used} > 0.95`, `the database on ${host} is about to refuse writes`],
  ];
}

/** What is not scraped raises no other alert. */
function scrapeRules(cluster: Cluster): readonly Rule[] {
  return cluster.members.map(({ host }: Member): Rule => {
    const up = `up${selector(JOBS.etcd, cluster, host)}`;
    return [
      'EtcdMemberNotScraped',
      'warning',
      '5m',
      `absent(${up})`,
      `nobody asks etcd on ${templateText(host)} for its metrics`,
      { host },
    ];
  });
}

function balancerRules(cluster: Cluster): readonly Rule[] {
  const service = serviceNamed(cluster, 'etcd');
  if (service === undefined || service.proxy !== 'haproxy') return [];
  const { members } = cluster;
  const quorum = Math.floor(members.length / 2) + 1;
  const active = `haproxy_backend_active_servers${selector(JOBS.balancer, cluster, undefined, service.name)}`;
  const host = '{{ $labels.host }}';
  return [
    [
      'EtcdLoadBalancerDown',
      'warning',
      '1m',
      `up${selector(JOBS.balancer, cluster)} == 0`,
      `HAProxy on ${host} does not answer`,
    ],
    [
      'EtcdLoadBalancerFewBackends',
      'critical',
      '1m',
      `${active} < ${quorum}`,
      `HAProxy on ${host} sees {{ $value }} of ${members.length} members up`,
    ],
    [
      'EtcdLoadBalancerSeesFewer',
      'warning',
      '5m',
      `${active} < scalar(sum(up${selector(JOBS.etcd, cluster)}))`,
      `HAProxy on ${host} sees {{ $value }} members up, and more of them answer`,
    ],
  ];
}

/** Services whose virtual IP has its holders counted: where one balancer tells nothing, the address may be there. */
export function countedServices({ services, hostMetrics }: Cluster): Cluster['services'] {
  const told = hostMetrics.map(({ host }) => host);
  return services.filter(({ balancers }) => balancers.every(({ host }) => told.includes(host)));
}

/** Services whose proxies show no figures of their own to Prometheus, as nginx never does: their hosts tell whether they run. */
function unshown({ services }: Cluster): Cluster['services'] {
  return services.filter(({ balancers }) => balancers.some(({ proxy }) => proxy.metrics === undefined));
}

/** By what members and balancers tell of themselves. */
function hostRules(cluster: Cluster): readonly Rule[] {
  const { certificates, hostMetrics } = cluster;
  if (hostMetrics.length === 0) return [];
  const of = selector(JOBS.host, cluster);
  const host = '{{ $labels.host }}';
  const left = `provision_certificate_not_after_seconds${of} - time()`;
  const days = Math.max(1, Math.floor(certificates.renewBeforeDays / 2));
  const holders = countedServices(cluster).map(({ name, endpoint }): Rule => {
    const held = `sum(provision_virtual_ip_held{${labelsOf(JOBS.host, cluster)}, service=${promqlText(name)}})`;
    return [
      'EtcdVirtualIpHolders',
      'critical',
      '1m',
      `${held} != 1`,
      `{{ $value }} hosts hold the virtual IP ${endpoint.ip} of ${name}, not one`,
      { service: name },
    ];
  });
  const stopped = unshown(cluster).map(({ name }): Rule => {
    const running = `provision_load_balancer_running{${labelsOf(JOBS.host, cluster)}, service=${promqlText(name)}}`;
    return [
      'EtcdLoadBalancerStopped',
      'warning',
      '1m',
      `${running} == 0`,
      `the load balancer of ${name} on ${host} does not run`,
      { service: name },
    ];
  });
  return [
    ...holders,
    ...stopped,
    [
      'EtcdCertificateExpires',
      'warning',
      '1h',
      `${left} < ${days} * 86400`,
      `{{ $labels.path }} on ${host} ends in {{ $value | humanizeDuration }}`,
    ],
    [
      'EtcdCertificateEnds',
      'critical',
      '5m',
      `${left} < 3 * 86400`,
      `{{ $labels.path }} on ${host} ends in {{ $value | humanizeDuration }}`,
    ],
    ['EtcdHostSilent', 'warning', '5m', `up${of} == 0`, `${host} does not tell who holds the virtual IP`],
  ];
}

function labelsOf(job: string, cluster: Cluster): string {
  return `job=${promqlText(job)}, cluster=${promqlText(clusterLabel(cluster))}`;
}

function selector(job: string, cluster: Cluster, host?: string, proxy?: string): string {
  const more = [
    ...(host === undefined ? [] : [`host=${promqlText(host)}`]),
    ...(proxy === undefined ? [] : [`proxy=${promqlText(proxy)}`]),
  ];
  return `{${[labelsOf(job, cluster), ...more].join(', ')}}`;
}
