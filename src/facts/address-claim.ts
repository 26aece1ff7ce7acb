import { isIP } from 'node:net';
import type { Probe } from '../model/remote.js';
import type { KeepalivedSettings } from '../model/virtual-service.js';
import { askText } from './file-content.js';
import { ALL_ADDRESSES, hostAddresses } from './host-addresses.js';
import { isInUse, unitState } from './unit-state.js';

/** A virtual IP, and keepalived as it is set up for it. */
export interface KeptAddress {
  readonly vip: string;
  readonly keepalived: Pick<KeepalivedSettings, 'unit' | 'configFile'>;
}

/** Whether a host has a virtual IP, or may take it, for a sentence: `holds the virtual IP 10.0.0.100`; `undefined`: neither. */
export async function claimOf({ vip, keepalived }: KeptAddress, probe: Probe): Promise<string | undefined> {
  const { unit, configFile } = keepalived;
  const [addresses, state, text = ''] = await Promise.all([
    probe.ask(hostAddresses, ALL_ADDRESSES),
    probe.ask(unitState, unit),
    askText(probe, configFile),
  ]);
  if (addresses.some(({ address }) => address === vip)) return `holds the virtual IP ${vip}`;
  if (!isInUse(state) || !namesAddress(text, vip)) return undefined;
  return `${state.active || state.starting ? 'runs' : 'starts at boot'} ${unit}, which may take the virtual IP ${vip}`;
}

/** Whether a configuration names the address outside of comments: alone, with a prefix, or with a port. */
export function namesAddress(text: string, address: string): boolean {
  return text
    .split('\n')
    .flatMap((line) => line.replace(/[!#].*/, '').split(/[\s{};[\]]+/))
    .some((word) => word.split('/')[0] === address || (isIP(address) === 4 && word.startsWith(`${address}:`)));
}
