import type { Content } from '../../model/content.js';
import type { Cluster } from '../../model/cluster.js';
import { firewallOn, FIREWALL_FILE, FIREWALL_TABLE, neededWays, type FirewallRules } from '../../model/firewall.js';
import type { Resource } from '../../model/change.js';
import type { Host, Inventory } from '../../model/inventory.js';
import { firewall, firewallLetsIn, noFirewall, type FirewallOptions } from '../../resources/firewall.js';
import { nobodyCutOff } from '../../resources/nobody-cut-off.js';
import { packages } from '../../resources/packages.js';
import type { Role, RoleTools } from '../role.js';

const WAY_OUT = 'rename that file, or leave etcd_firewall out: what filters there can let in whom it should by itself';

/** A host that lets only its cluster, and who is named, reach etcd; and one that has nothing left of that. */
export function firewallRole(tools: RoleTools): Role {
  return {
    name: 'etcd-firewall',
    summary: 'lets only this cluster, and etcd_firewall_allow, reach etcd; nothing else is filtered',
    resources(host, inventory, cluster) {
      const rules = firewallOn(cluster, host.name, 'present');
      if (rules === undefined) return [noFirewall()];
      return [
        ...waysOf(cluster, host.name, rules),
        // Its own unit, which would load rules of others, stays as it is.
        packages({ names: ['nftables'], keepDisabled: ['nftables'] }),
        firewall(optionsOf(tools, { inventory, host, cluster }, rules)),
      ];
    },
  };
}

/**
 * A host whose firewall lets in those that are about to come, and still those that are about to leave; where the inventory wants none any
 * more, it goes now, for who comes in the same run is in no rule of it.
 */
export function firewallLetsInRole(tools: RoleTools): Role {
  return {
    name: 'etcd-firewall-lets-in',
    summary: 'lets hosts that come reach etcd, where it has a firewall already',
    resources(host, inventory, cluster) {
      if (cluster.firewall === undefined) return [noFirewall()];
      const [wide, present] = (['present-and-former', 'present'] as const).map((extent) =>
        firewallOn(cluster, host.name, extent),
      );
      if (wide === undefined) return [];
      const site = { inventory, host, cluster };
      const enough = present === undefined ? [] : [rulesText(tools, site, present)];
      return [firewallLetsIn(optionsOf(tools, site, wide), enough)];
    },
  };
}

function waysOf(cluster: Cluster, host: string, { clients, peers, peerPorts }: FirewallRules): readonly Resource[] {
  const ways = neededWays(cluster, host).map(({ from, to, ports }) => {
    const isPeer = ports.some((port) => peerPorts.includes(port));
    return { from, to, letIn: isPeer ? peers : clients };
  });
  const [first] = ways;
  return first === undefined ? [] : [nobodyCutOff({ address: first.to, ways })];
}

/** Whose firewall it is. */
interface Site {
  readonly inventory: Inventory;
  readonly host: Host;
  readonly cluster: Cluster;
}

function optionsOf(tools: RoleTools, site: Site, rules: FirewallRules): FirewallOptions {
  const { inventory, host, cluster } = site;
  const balancers = cluster.services.flatMap((service) => service.balancers.filter((each) => each.host === host.name));
  return {
    rules: rulesText(tools, site, rules),
    unit: inventory.render(host.name, tools.template('etcd-firewall.service.j2'), {
      file: FIREWALL_FILE,
      table: FIREWALL_TABLE,
    }),
    foreign: { replace: [], wayOut: WAY_OUT },
    gate: 'firewall-lets-in',
    trial: {
      ports: [...rules.clientPorts, ...rules.peerPorts],
      keepalived: balancers.map(({ keepalived }) => keepalived.configFile),
    },
  };
}

function rulesText({ template }: RoleTools, { inventory, host }: Omit<Site, 'cluster'>, rules: FirewallRules): Content {
  const { clientPorts, clients, peerPorts, peers, balancers, routerIds } = rules;
  const sets = [
    setOf('clients', clients, 'Who may reach etcd, and its load balancer.'),
    setOf('peers', peers, 'Members.'),
    setOf('balancers', balancers, 'Who shares a virtual IP with this host.'),
  ];
  return inventory.render(host.name, template('etcd-firewall.nft.j2'), {
    table: FIREWALL_TABLE,
    sets: sets.flat(),
    client_ports: clientPorts.join(', '),
    peer_ports: peerPorts.join(', '),
    router_ids: routerIds,
  });
}

/** A set of nftables for each family: one holds addresses of one kind only. */
function setOf(name: string, sources: readonly string[], about: string): readonly Readonly<Record<string, string>>[] {
  return [4, 6].map((family) => ({
    name: `${name}${family}`,
    type: `ipv${family}_addr`,
    about,
    elements: sources.filter((source) => source.includes(':') === (family === 6)).join(', '),
  }));
}
