import { ALL_ADDRESSES, hostAddresses } from '../facts/host-addresses.js';
import type { Gate } from '../model/gate.js';
import { journalByHand } from '../shell/by-hand.js';
import { unitsOf, type Position } from './look-before.js';

/** Another balancer has taken the virtual IP over, and the one whose service was stopped has let it go. */
export function virtualIpMoved({ service, holder, others }: Position, deadlineMs: number): Gate {
  const { ip } = service.endpoint;
  const next = journalByHand(others[0] ?? holder, ...unitsOf(service, others[0] ?? holder).slice(-1));
  return {
    name: 'virtual-ip-moved',
    deadlineMs,
    async check({ probe }) {
      const found = await Promise.all(
        [holder, ...others].map(async (host) => ({
          host,
          addresses: await probe(host).ask(hostAddresses, ALL_ADDRESSES),
        })),
      );
      const holders = found.filter(({ addresses }) => addresses.some(({ address }) => address === ip));
      const [now] = holders.map(({ host }) => host);
      if (now === undefined) return { open: false, reason: `no balancer holds ${ip}`, next };
      if (holders.some(({ host }) => host === holder))
        return { open: false, reason: `${holder} still holds ${ip}`, next };
      return { open: true, note: `${now} holds ${ip}` };
    },
  };
}
