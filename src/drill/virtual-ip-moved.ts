import { ALL_ADDRESSES, hostAddresses } from '../facts/host-addresses.js';
import type { Gate } from '../model/gate.js';
import type { Position } from './look-before.js';

/** Another balancer has taken the virtual IP over, and the one whose service was stopped has let it go. */
export function virtualIpMoved({ endpoint: { ip }, holder, others }: Position, deadlineMs: number): Gate {
  return {
    name: 'virtual-ip-moved',
    summary: `another balancer than ${holder} holds ${ip}`,
    deadlineMs,
    async check(probes) {
      const found = await Promise.all(
        [...probes]
          .filter(([host]) => host === holder || others.includes(host))
          .map(async ([host, probe]) => ({ host, addresses: await probe.ask(hostAddresses, ALL_ADDRESSES) })),
      );
      const holders = found.filter(({ addresses }) => addresses.some(({ address }) => address === ip));
      const [now] = holders.map(({ host }) => host);
      if (now === undefined) return { open: false, reason: `no balancer holds ${ip}` };
      if (holders.some(({ host }) => host === holder)) return { open: false, reason: `${holder} still holds ${ip}` };
      return { open: true, note: `${now} holds ${ip}` };
    },
  };
}
