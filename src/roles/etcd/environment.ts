import { etcdData, etcdDataKey, type EtcdData } from '../../facts/etcd-data.js';
import type { Resource } from '../../model/change.js';
import type { Cluster, Member } from '../../model/cluster.js';
import { configurationMode, type Content } from '../../model/content.js';
import { hostPort, httpsUrl } from '../../model/endpoint.js';
import type { Inventory } from '../../model/inventory.js';
import { MarkedText } from '../../model/marked-text.js';
import { file } from '../../resources/file.js';
import type { RoleTools } from '../role.js';

/** What to do where an etcd runs that another tool configured. */
export const ADOPT = 'where it belongs to an etcd that is to stay as it is: provision adopt INVENTORY';

/** The environment file that etcd's unit reads. */
export function etcdEnvironment(
  { template }: Pick<RoleTools, 'template'>,
  inventory: Inventory,
  { cluster, member }: { readonly cluster: Cluster; readonly member: Member },
): Resource {
  const { configFile: path } = member;
  if (path === undefined) throw new Error(`${member.host} is adopted: its configuration is not ours`);
  const render = (initialCluster: string): Content =>
    inventory.render(member.host, template('etcd.env.j2'), {
      member: {
        name: member.name,
        data_dir: member.dataDir,
        pki_dir: member.pkiDir,
        client_url: httpsUrl(member.address, member.clientPort),
        peer_url: peerUrl(member),
        listen_client_urls: [member.address, '127.0.0.1'].map((host) => httpsUrl(host, member.clientPort)).join(','),
        heartbeat_interval: member.heartbeatIntervalMs,
        election_timeout: member.electionTimeoutMs,
        quota_backend_bytes: member.quotaBackendBytes,
        snapshot_count: member.snapshotCount,
        auto_compaction_retention: member.autoCompactionRetention,
        metrics_url:
          member.metrics === undefined ? null : `http://${hostPort(member.metrics.address, member.metrics.port)}`,
      },
      token: cluster.token,
      initial_cluster: initialCluster,
      extra_env: extraLines(member),
    });
  const wanted = cluster.members.map(entryOf).join(',');
  const content = render(wanted);
  return file({
    path,
    content: async (probe) => {
      const kept = keptInitialCluster(member, await probe.ask(etcdData, etcdDataKey(member)));
      return kept === undefined || kept === wanted ? content : render(kept);
    },
    owner: 'root',
    group: 'root',
    // systemd reads it as root, before it becomes etcd's user.
    mode: configurationMode(content),
    foreign: { replace: member.replaceFiles, wayOut: ADOPT },
  });
}

/**
 * The members with which a member began. Nothing reads that while there is data, and members come and go: another list there
 * would restart every member for nothing.
 */
function keptInitialCluster(
  member: Member,
  { hasData, isBootstrapping, initialCluster }: EtcdData,
): string | undefined {
  if (!hasData || isBootstrapping || initialCluster === undefined) return undefined;
  const entries = initialCluster.split(',');
  const isPlain = entries.every((entry) => /^[\w.-]+=https:\/\/[\w.:[\]-]+$/.test(entry));
  return isPlain && entries.includes(entryOf(member)) ? initialCluster : undefined;
}

function entryOf(member: Member): string {
  return `${member.name}=${peerUrl(member)}`;
}

function peerUrl(member: Member): string {
  return httpsUrl(member.address, member.peerPort);
}

/** A line for each: a value that holds a secret hides no other. */
function extraLines({ extraEnv }: Member): MarkedText {
  const lines = Object.entries(extraEnv).map(([name, value]) => [`${name}="`, ...value.map(escapeValue).parts, '"\n']);
  return new MarkedText(lines.flat());
}

/** For systemd's double quotes (its basic/env-file.c): a value has no line ends. */
function escapeValue(value: string): string {
  return value.replaceAll(/["\\]/g, '\\$&');
}
