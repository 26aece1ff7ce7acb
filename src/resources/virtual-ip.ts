import { BlockList, isIP } from 'node:net';
import { addressInUse } from '../facts/address-in-use.js';
import { fileState } from '../facts/file-state.js';
import { hardwareAddresses } from '../facts/hardware-addresses.js';
import { ALL_ADDRESSES, hostAddresses, type HostAddress } from '../facts/host-addresses.js';
import { unlessLost } from '../facts/unless-lost.js';
import { UNCHANGED, type Resource } from '../model/change.js';
import { networkEdge } from '../model/endpoint.js';
import type { Balancer } from '../model/virtual-service.js';
import { ProvisionError, RemoteError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import { refuseFormer, type FormerCandidates } from './former-balancer.js';

/** A name that Linux gives to an interface (dev_valid_name) and keepalived's configuration can hold: a host may report any. */
const INTERFACE = /^[^\s/"'{}!#]{1,15}$/;

/** The virtual IP as one balancer would hold it. */
export interface VirtualIpOptions {
  readonly vip: string;
  /** What its variables are named after: `etcd_lb`, for the way out. */
  readonly variables: string;
  readonly balancer: Balancer;
  /** All that may hold it. */
  readonly balancers: readonly Balancer[];
  /** keepalived's own configuration on this balancer. */
  readonly configuration: Resource;
  /** Those that held it before, and are freed of it before keepalived starts anywhere else. */
  readonly formerBalancers: readonly Balancer[];
  /** Inventory hosts that are neither: `near` are looked at anyway, for they have another part in the cluster. */
  readonly others: Omit<FormerCandidates, 'hosts'> & {
    readonly near: readonly string[];
    readonly far: readonly string[];
  };
}

/**
 * The virtual IP fits the balancer's interface, and no stranger has it. It changes nothing: what is wrong is refused
 * while planning.
 */
export function virtualIp(options: VirtualIpOptions): Resource {
  const { vip, balancer, balancers, others } = options;
  const kept = { vip, keepalived: balancer.keepalived };
  return {
    address: `virtual-ip:${vip}`,
    paths: [],
    async plan(probe) {
      const [own, holders, isOther] = await Promise.all([
        probe.ask(hostAddresses, ALL_ADDRESSES),
        Promise.all(balancers.map(({ host }) => unlessLost(holds(probe.on(host), vip)))),
        isOtherGroup(options, probe),
        refuseFormer(kept, { ...others, hosts: others.near }, probe),
      ]);
      const name = interfaceOf(balancer, own);
      const network = own.find((address) => address.interface === name && contains(address, vip));
      if (network === undefined) throw outside(options, name, own);
      refuseEdge(options, network);
      // Only while no balancer has it: a look that finds nothing to do asks no more than this.
      const stranger = holders.includes(true) ? undefined : await findStranger(options, probe);
      if (isOther || stranger !== undefined) await refuseFormer(kept, { ...others, hosts: others.far }, probe);
      if (stranger !== undefined) throw taken(options, stranger);
      return UNCHANGED;
    },
  };
}

/**
 * The interface for the virtual IP: the configured one, else the one that holds the node's address.
 * @throws ProvisionError `no-interface`
 */
export function interfaceOf(balancer: Balancer, addresses: readonly HostAddress[]): string {
  const { interface: configured } = balancer.keepalived;
  const names = [...new Set(addresses.map((address) => address.interface))];
  if (configured !== undefined && names.includes(configured)) return configured;
  const holder = addresses.find(({ address }) => address === balancer.address);
  if (configured === undefined && holder !== undefined && INTERFACE.test(holder.interface)) return holder.interface;
  throw new ProvisionError({
    code: 'no-interface',
    message:
      configured === undefined
        ? `no interface of ${balancer.host} holds its address ${balancer.address}; it has ${names.join(', ')}`
        : `${balancer.host} has no interface ${configured} with an address (keepalived_interface); it has ${names.join(', ')}`,
    hint: `set keepalived_interface for ${balancer.host}, or \`ip\` to its real address`,
  });
}

async function holds(probe: Probe, vip: string): Promise<boolean> {
  return (await probe.ask(hostAddresses, ALL_ADDRESSES)).some(({ address }) => address === vip);
}

/** keepalived is set up here already, and not as now wanted: its peers may be others. */
async function isOtherGroup({ balancer, configuration }: VirtualIpOptions, probe: Probe): Promise<boolean> {
  const [state, outcome] = await Promise.all([
    probe.ask(fileState, balancer.keepalived.configFile),
    configuration.plan(probe),
  ]);
  return state.kind !== 'absent' && outcome.kind !== 'unchanged';
}

/** The hardware address that answers for the virtual IP, and is no balancer's, nor one's that this run frees of it. */
async function findStranger(
  { vip, balancers, formerBalancers }: VirtualIpOptions,
  probe: Probe,
): Promise<string | undefined> {
  const [hardware, ours] = await Promise.all([
    probe.ask(addressInUse, vip),
    Promise.all([
      ...balancers.map((balancer) => hardwareOf(balancer, probe)),
      ...formerBalancers.map(async ({ host }) => {
        const own = await unlessLost(probe.on(host).ask(hardwareAddresses, 'all'));
        return own instanceof RemoteError ? [] : own;
      }),
    ]),
  ]);
  // A balancer that gave it up a moment ago is still in the neighbours' tables.
  return hardware === undefined || ours.flat().includes(hardware) ? undefined : hardware;
}

/** Of a balancer where nobody can log in, what answers for its own address: it may hold the virtual IP all the same. */
async function hardwareOf({ host, address }: Balancer, probe: Probe): Promise<readonly string[]> {
  const own = await unlessLost(probe.on(host).ask(hardwareAddresses, 'all'));
  if (!(own instanceof RemoteError)) return own;
  const seen = await probe.ask(addressInUse, address);
  return seen === undefined ? [] : [seen];
}

function taken({ vip, variables, balancer, others }: VirtualIpOptions, hardware: string): ProvisionError {
  return new ProvisionError({
    code: 'virtual-ip-taken',
    message: `the virtual IP ${vip} is in use: ${hardware} answers for it, seen from ${balancer.host}, and no balancer holds it`,
    hint: [
      `choose a free address for ${variables}_ip, or find who has this one: ip neigh`,
      `a former load balancer must answer while it is freed: start it, and put it into the group ${others.group}`,
    ].join('\n'),
  });
}

function refuseEdge(
  { vip, variables }: VirtualIpOptions,
  { interface: name, address, prefixLength }: HostAddress,
): void {
  const edge = networkEdge(vip, address, prefixLength);
  if (edge === undefined) return;
  throw new ProvisionError({
    code: 'virtual-ip-outside',
    message: `the virtual IP ${vip} is the ${edge} address of the network of ${name} (${address}/${prefixLength}): no host can hold it`,
    hint: `set ${variables}_ip to a free address of that network`,
  });
}

function contains(network: HostAddress, address: string): boolean {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  if ((isIP(network.address) === 6 ? 'ipv6' : 'ipv4') !== family || network.address === address) return false;
  const list = new BlockList();
  list.addSubnet(network.address, network.prefixLength, family);
  return list.check(address, family);
}

function outside(
  { vip, variables, balancer }: VirtualIpOptions,
  name: string,
  addresses: readonly HostAddress[],
): ProvisionError {
  const networks = addresses.filter((address) => address.interface === name && address.address !== vip);
  return new ProvisionError({
    code: 'virtual-ip-outside',
    message:
      `the virtual IP ${vip} is in no network of ${name} on ${balancer.host} ` +
      `(${networks.map((network) => `${network.address}/${network.prefixLength}`).join(', ')}): no host there would find it`,
    hint: `set ${variables}_ip to a free address of that network, or keepalived_interface to another interface`,
  });
}
