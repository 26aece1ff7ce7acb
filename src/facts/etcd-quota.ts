import type { Member } from '../model/cluster.js';
import type { Fact } from '../model/remote.js';
import { metricsCommand } from '../shell/etcd-condition.js';

/** What etcd takes where it is given no quota (server/storage/quota.go, `DefaultQuotaBytes`). */
const DEFAULT_QUOTA_BYTES = 2 * 1024 ** 3;

/** The quota that the inventory gives a member, in bytes. */
export function quotaInInventory(member: Pick<Member, 'quotaBackendBytes'> | undefined): number {
  return member?.quotaBackendBytes || DEFAULT_QUOTA_BYTES;
}

/** The key to ask {@link etcdQuota} by. */
export function etcdQuotaKey({ clientUrl, client }: Pick<Member, 'clientUrl' | 'client'>): string {
  return JSON.stringify([clientUrl, client.ca, client.certificate, client.key]);
}

/** Key: {@link etcdQuotaKey}. How large the database of the running process may become, bytes; undefined where it does not tell. */
export const etcdQuota: Fact<number | undefined> = {
  name: 'etcd-quota',
  script: (keys) => keys.map(scriptFor).join('\n'),
  parse(stdout, keys) {
    const lines = stdout.split('\n');
    if (lines.length < keys.length) throw new Error('a line is missing');
    return new Map(keys.map((key, index) => [key, parseLine(lines[index] ?? '')]));
  },
};

/** One line for each key: the value of the metric (etcd docs, "Metrics"), or nothing. */
function scriptFor(key: string): string {
  const [clientUrl = '', ca = '', certificate = '', path = ''] = JSON.parse(key) as readonly string[];
  const metrics = metricsCommand({ clientUrl, ca, certificate, key: path });
  return `echo "Q $({ ${metrics}; } 2>/dev/null | sed -n 's/^etcd_server_quota_backend_bytes //p' | head -n 1)"`;
}

/** Prometheus' text format writes large numbers as `2.147483648e+09`. */
function parseLine(line: string): number | undefined {
  const [, text] = /^Q (\d+(?:\.\d+)?(?:e\+\d+)?)$/.exec(line) ?? [];
  return text === undefined ? undefined : Number(text);
}
