import { askText } from '../facts/file-content.js';
import { ALL_ADDRESSES, hostAddresses } from '../facts/host-addresses.js';
import { unitState } from '../facts/unit-state.js';
import { ProvisionError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import type { KeepalivedSettings } from '../model/virtual-service.js';

/** A virtual IP, and keepalived as it is set up for it. */
export interface KeptAddress {
  readonly vip: string;
  readonly keepalived: Pick<KeepalivedSettings, 'unit' | 'configFile'>;
}

/**
 * A host that left the group of the balancers keeps its keepalived: it and the new ones know nothing of each other, and
 * two of them would hold the address at once.
 * @param hosts inventory hosts that are no balancers; who does not answer can't be seen
 * @throws ProvisionError `former-balancer` when one of them holds the address, or may take it
 */
export async function refuseFormer(kept: KeptAddress, hosts: readonly string[], probe: Probe): Promise<void> {
  // Each such host has plays of its own that fail, or no part in this cluster: its silence decides nothing here.
  const found = await Promise.allSettled(hosts.map((host) => formerProblem(kept, probe.on(host))));
  const problem = found.flatMap((result) => (result.status === 'fulfilled' ? (result.value ?? []) : [])).at(0);
  if (problem !== undefined) throw problem;
}

async function formerProblem({ vip, keepalived }: KeptAddress, probe: Probe): Promise<ProvisionError | undefined> {
  const { unit, configFile } = keepalived;
  const [addresses, state, text = ''] = await Promise.all([
    probe.ask(hostAddresses, ALL_ADDRESSES),
    probe.ask(unitState, unit),
    askText(probe, configFile),
  ]);
  const isHolder = addresses.some(({ address }) => address === vip);
  const mayTake = (state.active || state.enabled) && namesAddress(text, vip);
  if (!isHolder && !mayTake) return undefined;
  const stop = `ssh ${probe.host} sudo systemctl disable --now ${unit}`;
  return new ProvisionError({
    code: 'former-balancer',
    message: `${probe.host} is not a load balancer in this inventory, and ${isHolder ? `holds the virtual IP ${vip}` : `its ${unit} may take the virtual IP ${vip}`}: two hosts would have it at once`,
    hint: isHolder
      ? `first let the API servers use the members: provision bypass INVENTORY on; then: ${stop}; then apply again`
      : `${stop}; then apply again`,
  });
}

/** Whether a keepalived.conf names the address, alone or with a prefix. */
function namesAddress(text: string, vip: string): boolean {
  return text
    .split('\n')
    .flatMap((line) => line.replace(/[!#].*/, '').split(/[\s{}]+/))
    .some((word) => word.split('/')[0] === vip);
}
