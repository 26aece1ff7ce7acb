import { firstOf, pickHosts } from './ask-roles.js';
import type { BalancerWay } from './answers.js';
import type { CheckResult } from './check-result.js';
import { checkDnsName, checkNetwork, checkNetworkForm, checkPort, checkVirtualIp } from './checks.js';
import type { BalancerAnswers, NamedHost } from './inventory-answers.js';
import type { Ask } from './interview.js';

/** What a load balancer is proposed from. */
export interface ClusterHosts {
  readonly hosts: readonly NamedHost[];
  readonly members: readonly NamedHost[];
  /** Names of the load balancers of an earlier inventory. */
  readonly known: readonly string[];
  readonly proposal: ProposedAddress;
}

/** A free address in the members' network; both are empty where none is known. */
export interface ProposedAddress {
  readonly network: string;
  readonly ip: string;
}

const WAYS: readonly { readonly value: BalancerWay; readonly name: string }[] = [
  { value: 'haproxy', name: 'HAProxy, with keepalived: TLS ends at etcd' },
  {
    value: 'nginx',
    name: 'nginx, with keepalived: TLS ends at etcd; a dead member is found by a failed connection only',
  },
  { value: 'terminate', name: 'HAProxy ends TLS, with keepalived: etcd sees one client, and no users' },
  { value: 'external', name: 'a load balancer that others run, at that address' },
];

/** Asks what clients reach etcd by. @returns nothing where they know every member */
export async function askBalancer(ask: Ask, about: ClusterHosts): Promise<BalancerAnswers | undefined> {
  const { hosts, proposal } = about;
  const ip = await ask.text({
    key: 'virtualIp',
    message: 'Virtual IP for clients (or: none)',
    default: proposal.ip,
    check: (answer) => (answer === 'none' ? true : checkVirtualIp(answer, hosts)),
  });
  if (ip === '' || ip === 'none') return undefined;
  const way = await ask.choose({ key: 'balancer', message: 'What answers there?', choices: WAYS, default: 'haproxy' });
  if (way === 'external') return { ip, way, ...(await askNames(ask)), network: undefined, hosts: undefined };
  const network = await askNetwork(ask, ip, proposal);
  const names = await askNames(ask);
  return { ip, way, network, ...names, hosts: await askHosts(ask, { way, ip, network }, about) };
}

async function askNetwork(ask: Ask, ip: string, proposal: ProposedAddress): Promise<string | undefined> {
  const network = await ask.text({
    key: 'network',
    message: 'Its network, as 10.0.0.0/24 (empty: not checked)',
    default: proposal.network !== '' && checkNetwork(proposal.network, ip, []) === true ? proposal.network : '',
    check: (answer) => (answer === '' ? true : firstProblem(checkNetworkForm(answer), checkNetwork(answer, ip, []))),
  });
  return network === '' ? undefined : network;
}

async function askNames(ask: Ask): Promise<Pick<BalancerAnswers, 'name' | 'port'>> {
  const name = await ask.text({
    key: 'dnsName',
    message: 'DNS name of the virtual IP (empty: none)',
    default: '',
    check: checkDnsName,
  });
  const port = await ask.text({ key: 'port', message: 'Port on the virtual IP', default: '2379', check: checkPort });
  return { name: name === '' ? undefined : name, port: Number(port) };
}

/** @returns nothing where all members, and they alone, are the hosts */
async function askHosts(
  ask: Ask,
  { way, ip, network = '' }: Pick<BalancerAnswers, 'way' | 'ip' | 'network'>,
  { hosts, members, known }: ClusterHosts,
): Promise<readonly NamedHost[] | undefined> {
  const balancers = await pickHosts(ask, hosts, {
    key: 'balancers',
    message: `Hosts that run ${way === 'nginx' ? 'nginx' : 'HAProxy'} and keepalived`,
    default: firstOf(
      hosts.filter((host) => known.includes(host.name)),
      members.filter((member) => checkNetwork(network, ip, [member]) === true),
    ),
    check: (picked) => (picked.length === 0 ? 'at least one host is needed' : checkNetwork(network, ip, picked)),
  });
  const isShared = balancers.length === members.length && balancers.every((host) => members.includes(host));
  return isShared ? undefined : balancers;
}

function firstProblem(...results: readonly CheckResult[]): CheckResult {
  return results.find((result) => result !== true) ?? true;
}
