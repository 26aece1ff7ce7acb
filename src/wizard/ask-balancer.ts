import { firstOf, pickHosts } from './ask-roles.js';
import type { BalancerWay } from './answers.js';
import type { CheckResult } from './check-result.js';
import { virtualRouterId } from '../cluster/keepalived-defaults.js';
import {
  checkDnsName,
  checkNetwork,
  checkNetworkForm,
  checkPort,
  checkVirtualIp,
  typedDnsName,
  typedNetwork,
  typedVirtualIp,
} from './checks.js';
import type { BalancerAnswers, NamedHost } from './inventory-answers.js';
import type { Ask } from './interview.js';
import { onceFinished } from './problem-line.js';
import type { ProposedAddress } from './propose-address.js';
import { checkRouterId, proposeRouterId } from './router-id.js';

type OwnWay = Exclude<BalancerWay, 'external' | 'none'>;

/** What a load balancer is proposed from. */
export interface ClusterHosts {
  readonly hosts: readonly NamedHost[];
  readonly members: readonly NamedHost[];
  /** Names of the load balancers of an earlier inventory. */
  readonly known: readonly string[];
  /** Listens where the balancers are: asked only where a virtual IP is wanted. */
  readonly propose: (balancers: readonly NamedHost[]) => Promise<ProposedAddress>;
  /** Needed where API servers have to be moved: they use the etcd beside them, which goes. */
  readonly need: 'needed' | 'optional';
}

const WAYS: readonly { readonly value: BalancerWay; readonly name: string }[] = [
  { value: 'haproxy', name: 'HAProxy and keepalived at a virtual IP: TLS ends at etcd' },
  {
    value: 'nginx',
    name: 'nginx and keepalived at a virtual IP: TLS ends at etcd; a dead member is found by a failed connection only',
  },
  { value: 'terminate', name: 'HAProxy and keepalived at a virtual IP: TLS ends at HAProxy; etcd sees one client' },
  { value: 'external', name: 'a load balancer that others run' },
  { value: 'none', name: 'the members themselves: each client knows all of them' },
];

/** Asks what clients reach etcd by. @returns nothing where they know every member */
export async function askBalancer(ask: Ask, about: ClusterHosts): Promise<BalancerAnswers | undefined> {
  const way = await ask.choose({
    key: 'balancer',
    message: 'What do clients reach etcd by?',
    choices: WAYS.filter(({ value }) => value !== 'none' || about.need === 'optional'),
    default: 'haproxy',
  });
  if (way === 'none') return undefined;
  return way === 'external' ? askExternal(ask, about) : askOwn(ask, way, about);
}

async function askOwn(ask: Ask, way: OwnWay, about: ClusterHosts): Promise<BalancerAnswers | undefined> {
  const { hosts, members, need } = about;
  const balancers = await askHosts(ask, way, about);
  const proposal = await about.propose(balancers);
  const ip = await ask.text({
    key: 'virtualIp',
    message: `Virtual IP for clients${need === 'needed' ? '' : ' (or: none)'}`,
    default: proposal.ip,
    check: (answer) =>
      answer === 'none' || answer === ''
        ? need === 'optional' || 'a virtual IP is needed: the API servers move to it'
        : checkVirtualIp(answer, hosts),
    whileTyping: typedVirtualIp((answer) => checkVirtualIp(answer, hosts)),
  });
  if (ip === '' || ip === 'none') return undefined;
  const network = await askNetwork(ask, { ip, balancers }, proposal);
  const routerId = await askRouterId(ask, ip, proposal);
  const name = await askName(ask, 'DNS name of the virtual IP (empty: none)', checkDnsName);
  const port = await askPort(ask);
  const isShared = balancers.length === members.length && balancers.every((host) => members.includes(host));
  return { ip, way, network, routerId, name, port, hosts: isShared ? undefined : balancers };
}

/** It has an address, a name, or both. */
async function askExternal(ask: Ask, { hosts }: ClusterHosts): Promise<BalancerAnswers> {
  const ip = await ask.text({
    key: 'virtualIp',
    message: 'Address of the load balancer (empty: a DNS name alone)',
    default: '',
    check: (answer) => checkVirtualIp(answer, hosts),
    whileTyping: typedVirtualIp((answer) => checkVirtualIp(answer, hosts)),
  });
  const name = await askName(ask, `DNS name of the load balancer${ip === '' ? '' : ' (empty: none)'}`, (answer) =>
    answer === '' && ip === '' ? 'a name is needed where there is no address' : checkDnsName(answer),
  );
  const port = await askPort(ask);
  const none = { network: undefined, routerId: undefined, hosts: undefined };
  return { ip: noneIfEmpty(ip), way: 'external', name, port, ...none };
}

async function askNetwork(
  ask: Ask,
  { ip, balancers }: { readonly ip: string; readonly balancers: readonly NamedHost[] },
  proposal: ProposedAddress,
): Promise<string | undefined> {
  const check = (answer: string): CheckResult =>
    answer === '' ? true : firstProblem(checkNetworkForm(answer), checkNetwork(answer, ip, balancers));
  const network = await ask.text({
    key: 'network',
    message: 'Its network, as 10.0.0.0/24 (empty: not checked)',
    default: check(proposal.network) === true ? proposal.network : '',
    check,
    whileTyping: typedNetwork(check),
  });
  return noneIfEmpty(network);
}

/** @returns nothing where it is the default */
async function askRouterId(ask: Ask, ip: string, { usedIds }: ProposedAddress): Promise<number | undefined> {
  const check = (answer: string): CheckResult => checkRouterId(answer, ip, usedIds);
  const id = await ask.text({
    key: 'routerId',
    message: 'VRRP router id, which no other group of that network may have',
    default: String(proposeRouterId(ip, usedIds)),
    check,
    whileTyping: onceFinished(check),
  });
  return Number(id) === virtualRouterId(ip) ? undefined : Number(id);
}

async function askName(ask: Ask, message: string, check: (answer: string) => CheckResult): Promise<string | undefined> {
  return noneIfEmpty(await ask.text({ key: 'dnsName', message, default: '', check, whileTyping: typedDnsName(check) }));
}

async function askPort(ask: Ask): Promise<number> {
  const message = 'Port of the load balancer';
  const whileTyping = onceFinished(checkPort);
  return Number(await ask.text({ key: 'port', message, default: '2379', check: checkPort, whileTyping }));
}

function askHosts(ask: Ask, way: OwnWay, { hosts, members, known }: ClusterHosts): Promise<readonly NamedHost[]> {
  return pickHosts(ask, hosts, {
    key: 'balancers',
    message: `Hosts that run ${way === 'nginx' ? 'nginx' : 'HAProxy'} and keepalived`,
    default: firstOf(
      hosts.filter((host) => known.includes(host.name)),
      members,
    ),
    check: (picked) => picked.length > 0 || 'at least one host is needed',
  });
}

function firstProblem(...results: readonly CheckResult[]): CheckResult {
  return results.find((result) => result !== true) ?? true;
}

function noneIfEmpty(answer: string): string | undefined {
  return answer === '' ? undefined : answer;
}
