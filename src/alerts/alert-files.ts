import { Document } from 'yaml';
import type { Cluster } from '../model/cluster.js';
import { hostPort } from '../model/endpoint.js';
import { serviceNamed } from '../model/virtual-service.js';
import { countedServices, JOBS, type AlertGroup } from './alert-rules.js';
import { clusterLabel } from './cluster-label.js';

/** How our files begin: what does not is another's. */
const HEADER = 'Written by provision (alerts)';

/** Whether a file is one that this verb wrote. */
export function isAlertFile(text: string): boolean {
  return text.startsWith(`# ${HEADER}`);
}

/** The rules as Prometheus reads them (`rule_files`). */
export function rulesFile(groups: readonly AlertGroup[]): string {
  return yamlFile({ groups }, 'rule_files');
}

/** Where Prometheus asks (`file_sd_configs`): the job is among the labels. */
export interface TargetGroup {
  readonly targets: readonly string[];
  readonly labels: { readonly job: string; readonly cluster: string; readonly host: string };
}

/** The targets that the inventory has ports for. */
export function targetGroups(cluster: Cluster): readonly TargetGroup[] {
  const { members, hostMetrics } = cluster;
  const label = clusterLabel(cluster);
  const balancers = serviceNamed(cluster, 'etcd')?.balancers ?? [];
  const places = [
    ...members.map(({ host, metrics }) => ({ job: JOBS.etcd, host, at: metrics })),
    ...balancers.map(({ host, proxy }) => ({ job: JOBS.balancer, host, at: proxy.metrics })),
    ...hostMetrics.map(({ host, ...at }) => ({ job: JOBS.host, host, at })),
  ];
  return places.flatMap(({ job, host, at }) =>
    at === undefined ? [] : [{ targets: [hostPort(at.address, at.port)], labels: { job, cluster: label, host } }],
  );
}

/** What the rules ask about and nobody shows, a line each. */
export function unscraped(cluster: Cluster): readonly string[] {
  const { members, services, hostMetrics } = cluster;
  const counted = countedServices(cluster);
  const etcd = services.filter(({ name }) => name === 'etcd');
  const isShown = etcd.every(({ balancers }) => balancers.every(({ proxy }) => proxy.metrics !== undefined));
  const isNginx = etcd.some(({ proxy }) => proxy === 'nginx');
  return [
    ...(members.some(({ metrics }) => metrics === undefined)
      ? ['etcd_metrics_port is not set for every member: what is not scraped raises EtcdMemberNotScraped only']
      : []),
    ...(isNginx
      ? [
          'nginx shows no figures: no alert tells which members it takes for down; whether it runs, etcd_host_metrics_port tells',
        ]
      : isShown
        ? []
        : ['haproxy_metrics_port is not set: no alert tells which members the load balancer sees']),
    ...(hostMetrics.length === 0
      ? ['etcd_host_metrics_port is not set: no alert tells of certificates that end, and of who holds the virtual IP']
      : services
          .filter((service) => !counted.includes(service))
          .map(
            ({ name }) =>
              `not every load balancer of ${name} has an etcd_host_metrics_port: no alert tells of who holds its virtual IP`,
          )),
  ];
}

/** The targets as Prometheus reads them. */
export function targetsFile(groups: readonly TargetGroup[]): string {
  return yamlFile(groups, 'file_sd_configs');
}

function yamlFile(content: unknown, use: string): string {
  // Go's YAML reads a bare `yes` as Ansible's does.
  const document = new Document(content, { version: '1.1' });
  document.commentBefore = ` ${HEADER} (${use}); after a change of the inventory it is to be written again.`;
  return document.toString({ lineWidth: 0, defaultKeyType: 'PLAIN', defaultStringType: 'QUOTE_DOUBLE' });
}
