import { claimOf } from '../facts/address-claim.js';
import { addressInUse } from '../facts/address-in-use.js';
import { hardwareAddresses } from '../facts/hardware-addresses.js';
import { unlessLost } from '../facts/unless-lost.js';
import { RemoteError } from '../model/errors.js';
import { aboutService, type Gate, type GateAnswer, type GateInput } from '../model/gate.js';
import { formerGroupOf, type VirtualService } from '../model/virtual-service.js';

/**
 * No former load balancer holds the virtual IP, or may take it: keepalived there and on the new ones know nothing of each
 * other. One that can't be asked may be gone for good: it counts as freed while nobody strange answers for the address.
 */
export function formerBalancersFreed(service: VirtualService): Gate {
  return {
    name: aboutService('former-balancers-freed', service.name),
    deadlineMs: 0,
    async check(input) {
      const looks = await Promise.all(
        service.formerBalancers.flatMap(({ host, keepalived }) =>
          [keepalived, ...keepalived.former].map(async (each) => {
            const kept = { vip: service.endpoint.ip, keepalived: each };
            return { host, unit: each.unit, claim: await unlessLost(claimOf(kept, input.probe(host))) };
          }),
        ),
      );
      const [held] = looks.filter(({ claim }) => typeof claim === 'string');
      if (held !== undefined) {
        const next = `leave ${held.host} in --limit, so that it is freed; where it was: ssh ${held.host} sudo systemctl disable --now ${held.unit}`;
        return { open: false, reason: `${held.host} ${String(held.claim)}`, next, isFinal: true };
      }
      const away = [...new Set(looks.flatMap(({ host, claim }) => (claim instanceof RemoteError ? [host] : [])))];
      return away.length === 0 ? { open: true } : judgeAway(away.join(', '), service, input);
    },
  };
}

async function judgeAway(
  away: string,
  { endpoint, balancers, group }: VirtualService,
  { probe, batch }: GateInput,
): Promise<GateAnswer> {
  const asker = balancers.find(({ host }) => batch.includes(host)) ?? balancers[0];
  if (asker === undefined) return { open: true };
  const [hardware, ours] = await Promise.all([
    unlessLost(probe(asker.host).ask(addressInUse, endpoint.ip)),
    Promise.all(balancers.map(({ host }) => unlessLost(probe(host).ask(hardwareAddresses, 'all')))),
  ]);
  const known = ours.flatMap((each) => (each instanceof RemoteError ? [] : each));
  if (typeof hardware !== 'string' || known.includes(hardware))
    return { open: true, note: `${away} can't be asked: nobody answers for ${endpoint.ip} there` };
  return {
    open: false,
    reason: `${away} can't be asked, and ${hardware} answers for ${endpoint.ip}, seen from ${asker.host}`,
    next: `switch the hosts of ${formerGroupOf(group)} off that can't be reached, or stop keepalived there`,
    isFinal: true,
  };
}
