import { firewallTable, OUR_TABLE, type FirewallTable } from '../facts/firewall-table.js';
import { unitState, type UnitState } from '../facts/unit-state.js';
import { firewallOn, FIREWALL_TABLE, FIREWALL_UNIT } from '../model/firewall.js';
import { balancerHosts } from '../model/virtual-service.js';
import { quote } from '../shell/quote.js';
import { itemsOfHosts } from './ask-hosts.js';
import type { Check, CheckItem } from './check.js';

/** Lines of a difference that an item names. */
const NAMED = 3;

/** Who may reach etcd is limited as the inventory wants it: now, by the rules that are kept, and after a reboot. */
export const checkFirewalls: Check = async ({ cluster, probe, inventory }) => {
  const hosts = [...new Set([...cluster.members.map(({ host }) => host), ...balancerHosts(cluster)])];
  const guarded = hosts.filter((host) => firewallOn(cluster, host, 'present') !== undefined);
  return itemsOfHosts(guarded, async (host) => {
    const [table, unit] = await Promise.all([
      probe(host).ask(firewallTable, OUR_TABLE),
      probe(host).ask(unitState, FIREWALL_UNIT),
    ]);
    return [judge(host, { table, unit, inventory })];
  });
};

interface Seen {
  readonly table: FirewallTable;
  readonly unit: UnitState;
  readonly inventory: string;
}

function judge(host: string, { table, unit, inventory }: Seen): CheckItem {
  const item = { check: 'firewall', host };
  const { loaded, kept, isOnTrial } = table;
  if (kept === undefined)
    return { ...item, verdict: 'fail', evidence: 'is missing', next: `provision plan ${quote(inventory)}` };
  if (isOnTrial)
    return {
      ...item,
      verdict: 'warn',
      evidence:
        'new rules are loaded, and its host takes them back in less than a minute: a run is at work, or was ended',
      next: `provision plan ${quote(inventory)}`,
    };
  const reload = `ssh ${host} sudo systemctl reload-or-restart ${FIREWALL_UNIT}`;
  if (loaded === undefined)
    return {
      ...item,
      verdict: 'fail',
      evidence: `table ${FIREWALL_TABLE} is not loaded: nobody is kept out`,
      next: reload,
    };
  if (loaded !== kept) {
    const evidence = `table ${FIREWALL_TABLE} was changed by hand: ${difference(loaded, kept)}`;
    return { ...item, verdict: 'fail', evidence, next: reload };
  }
  if (!unit.enabled) {
    const next = `ssh ${host} sudo systemctl enable ${FIREWALL_UNIT}`;
    return { ...item, verdict: 'fail', evidence: 'is not loaded at boot', next };
  }
  return { ...item, verdict: 'ok', evidence: `table ${FIREWALL_TABLE} is loaded as it is kept` };
}

function difference(loaded: string, kept: string): string {
  const [has, wants] = [loaded, kept].map((text) => text.split('\n').map((line) => line.trim()));
  const lines = [
    ...(has ?? []).filter((line) => !wants?.includes(line)).map((line) => `+ ${line}`),
    ...(wants ?? []).filter((line) => !has?.includes(line)).map((line) => `- ${line}`),
  ];
  if (lines.length === 0) return 'the order of its lines';
  return lines.slice(0, NAMED).join(', ') + (lines.length > NAMED ? ', …' : '');
}
