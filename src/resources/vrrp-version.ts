import { isIPv6 } from 'node:net';
import { unitState } from '../facts/unit-state.js';
import { unlessLost } from '../facts/unless-lost.js';
import { vrrpInstance, type VrrpInstance } from '../facts/vrrp-instance.js';
import { UNCHANGED, type Resource } from '../model/change.js';
import { ProvisionError, RemoteError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import type { Balancer } from '../model/virtual-service.js';
import { quote } from '../shell/quote.js';
import type { VirtualIpOptions } from './virtual-ip.js';

/** What keepalived speaks for an IPv4 address where its file says nothing. */
const UNSAID = 2;

type Options = Pick<VirtualIpOptions, 'vip' | 'variables' | 'balancer' | 'balancers' | 'configuration'>;

/**
 * No balancer takes up another version of VRRP while keepalived of another one runs with the old one for the same address: neither
 * hears the other's adverts (RFC 5798, section 8.4), so both would take it. It changes nothing: what is wrong is refused
 * while planning.
 */
export function vrrpVersion(options: Options): Resource {
  const { vip, balancer, balancers, configuration } = options;
  return {
    address: `vrrp-version:${vip}`,
    paths: [],
    async plan(probe) {
      // IPv6 has one version only.
      if (isIPv6(vip) || (await configuration.plan(probe)).kind === 'unchanged') return UNCHANGED;
      const seen = await Promise.all(balancers.map(async (each) => spokenOn(each, vip, probe)));
      // One that can't be asked runs as the others were set up, this host first.
      const own = seen.find(({ host }) => host === balancer.host)?.version;
      const setUp = own ?? seen.find(({ version }) => version !== undefined)?.version;
      const spoken = seen.map((each) => (each.isRunning === undefined ? { ...each, version: setUp } : each));
      const { vrrpVersion: wanted } = balancer.keepalived;
      const other = spoken.find(
        ({ host, isRunning, version }) =>
          host !== balancer.host && isRunning !== false && version !== undefined && version !== wanted,
      );
      if (other !== undefined) throw otherVersion(options, other);
      return UNCHANGED;
    },
  };
}

/** What a balancer speaks for the address, or would when it is started. */
interface Spoken {
  readonly host: string;
  /** Whether its keepalived runs, or is being started; absent: it can't be asked. */
  readonly isRunning?: boolean;
  /** Absent: its file does not name the address. */
  readonly version?: number | undefined;
}

async function spokenOn({ host, keepalived }: Balancer, vip: string, probe: Probe): Promise<Spoken> {
  const [unit, instance] = await Promise.all([
    unlessLost(probe.on(host).ask(unitState, keepalived.unit)),
    unlessLost(probe.on(host).ask(vrrpInstance, keepalived.configFile)),
  ]);
  if (unit instanceof RemoteError || instance instanceof RemoteError) return { host };
  return { host, isRunning: unit.active || unit.starting, version: versionFor(vip, instance) };
}

function versionFor(vip: string, instance: VrrpInstance | undefined): number | undefined {
  return instance?.addresses.includes(vip) === true ? (instance.version ?? UNSAID) : undefined;
}

function otherVersion({ vip, variables, balancer }: Options, { host, version, isRunning }: Spoken): ProvisionError {
  const { vrrpVersion: wanted, unit } = balancer.keepalived;
  const runs = isRunning === true ? 'keepalived runs' : "keepalived, which can't be asked, may run";
  return new ProvisionError({
    code: 'vrrp-version-changes',
    message:
      `keepalived_vrrp_version ${wanted} on ${balancer.host}: on ${host} ${runs} with VRRP version ${String(version)} for the virtual IP ${vip}, ` +
      `and neither hears the other: two hosts would have the address at once`,
    hint: [
      `set keepalived_vrrp_version to ${String(version)}, or give ${variables}_ip another free address in the same run`,
      `or go without the address for a moment: ssh ${host} sudo systemctl stop ${quote(unit)}, then apply at once`,
    ].join('\n'),
  });
}
