import type { CheckItem } from '../checks/check.js';
import { flagValue } from '../facts/command-flags.js';
import type { Host, Inventory } from '../model/inventory.js';
import type { FoundMember } from './look-at-member.js';

/** Settings that kubeadm's `extraArgs` may give stacked members, and what says the same of the new ones. */
const SETTINGS = [
  { flag: 'quota-backend-bytes', variable: 'etcd_quota_backend_bytes' },
  { flag: 'heartbeat-interval', variable: 'etcd_heartbeat_interval' },
  { flag: 'election-timeout', variable: 'etcd_election_timeout' },
  { flag: 'max-request-bytes', variable: 'etcd_extra_env', entry: 'ETCD_MAX_REQUEST_BYTES' },
] as const;

type Setting = (typeof SETTINGS)[number];

/** What stacked members run with, and hosts that are to take their place do not have: with a smaller quota they stop all writes. */
export function settingsLeftBehind(members: readonly FoundMember[], inventory: Inventory): readonly CheckItem[] {
  const hosts = (inventory.groups.get('etcd') ?? []).flatMap((name) => inventory.hosts.get(name) ?? []);
  return SETTINGS.flatMap((setting): CheckItem[] => {
    const running = members.flatMap((member) => {
      const value = Number(flagValue(member.process.argv, setting.flag) ?? 0);
      return value > 0 ? [{ host: member.host, value }] : [];
    });
    const [largest] = running.toSorted((a, b) => b.value - a.value);
    if (largest === undefined) return [];
    const without = hosts.filter((host) => valueFor(host, setting) !== String(largest.value));
    if (without.length === 0) return [];
    return [
      {
        ...{ check: 'etcd-setting', host: largest.host, verdict: 'warn' },
        evidence: `runs with --${setting.flag}=${largest.value}, and ${without.map(({ name }) => name).join(', ')} would not`,
        next: `set for the group etcd: ${lineOf(setting, largest.value)}`,
      },
    ];
  });
}

function valueFor({ variables }: Host, setting: Setting): string | undefined {
  const value = variables.get(setting.variable);
  const own =
    'entry' in setting ? (value as Readonly<Record<string, unknown>> | null | undefined)?.[setting.entry] : value;
  return typeof own === 'string' || typeof own === 'number' ? String(own) : undefined;
}

function lineOf(setting: Setting, value: number): string {
  return 'entry' in setting ? `${setting.variable}: { ${setting.entry}: "${value}" }` : `${setting.variable}: ${value}`;
}
