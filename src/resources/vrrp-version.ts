import { isIPv6 } from 'node:net';
import { fileState } from '../facts/file-state.js';
import { ALL_ADDRESSES, hostAddresses } from '../facts/host-addresses.js';
import { unlessLost } from '../facts/unless-lost.js';
import { vrrpInstance } from '../facts/vrrp-instance.js';
import { UNCHANGED, type Resource } from '../model/change.js';
import { ProvisionError, RemoteError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import type { Balancer } from '../model/virtual-service.js';
import type { VirtualIpOptions } from './virtual-ip.js';

/** What keepalived speaks for an IPv4 address where its file says nothing. */
const UNSAID = 2;

/**
 * No balancer takes up another version of VRRP while one holds the virtual IP with the old one: neither version hears the
 * other's adverts (RFC 5798, section 8.4), so the first host that changes would take the address, too. It changes nothing:
 * what is wrong is refused while planning.
 */
export function vrrpVersion(
  options: Pick<VirtualIpOptions, 'vip' | 'variables' | 'balancer' | 'balancers' | 'configuration'>,
): Resource {
  const { vip, balancer, balancers, configuration } = options;
  return {
    address: `vrrp-version:${vip}`,
    paths: [],
    async plan(probe) {
      // IPv6 has one version only.
      if (isIPv6(vip) || (await configuration.plan(probe)).kind === 'unchanged') return UNCHANGED;
      const holders = await Promise.all(balancers.map(async (each) => versionHeldWith(each, { vip, balancer, probe })));
      const held = holders.find((version) => version !== undefined && version !== balancer.keepalived.vrrpVersion);
      if (held !== undefined) throw otherVersion(options, held);
      return UNCHANGED;
    },
  };
}

interface Asked {
  readonly vip: string;
  readonly balancer: Balancer;
  readonly probe: Probe;
}

/**
 * The version with which a balancer holds the virtual IP; undefined where it does not. One that can't be asked may hold it
 * as the asking one would now.
 */
async function versionHeldWith(holder: Balancer, { vip, balancer, probe }: Asked): Promise<2 | 3 | undefined> {
  const addresses = await unlessLost(probe.on(holder.host).ask(hostAddresses, ALL_ADDRESSES));
  if (addresses instanceof RemoteError) return configured(balancer, probe);
  return addresses.some(({ address }) => address === vip) ? configured(holder, probe.on(holder.host)) : undefined;
}

async function configured({ keepalived }: Balancer, probe: Probe): Promise<2 | 3 | undefined> {
  const [state, instance] = await Promise.all([
    probe.ask(fileState, keepalived.configFile),
    probe.ask(vrrpInstance, keepalived.configFile),
  ]);
  return state.kind === 'absent' ? undefined : (instance?.version ?? UNSAID);
}

function otherVersion(
  { vip, variables, balancer }: Pick<VirtualIpOptions, 'vip' | 'variables' | 'balancer'>,
  held: 2 | 3,
): ProvisionError {
  const { vrrpVersion: wanted } = balancer.keepalived;
  return new ProvisionError({
    code: 'vrrp-version-changes',
    message:
      `keepalived_vrrp_version ${wanted} on ${balancer.host}: the virtual IP ${vip} is held with VRRP version ${held}, ` +
      `which version ${wanted} does not hear: two hosts would have the address at once`,
    hint: [
      `set keepalived_vrrp_version to ${held}, or give ${variables}_ip another free address in the same run`,
      'docs/runbooks/virtual-ip-on-nobody-or-two.md',
    ].join('\n'),
  });
}
