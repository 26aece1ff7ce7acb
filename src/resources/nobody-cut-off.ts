import { sourceAddress } from '../facts/source-address.js';
import { unlessLost } from '../facts/unless-lost.js';
import { UNCHANGED, type Resource } from '../model/change.js';
import { ProvisionError, RemoteError } from '../model/errors.js';
import { isLetIn } from '../model/firewall.js';
import { isAddress } from '../model/ip.js';

/** Whoever needs a host, and whom it lets in. */
export interface NobodyCutOffOptions {
  /** Where most of the others connect to. */
  readonly address: string;
  /** Each host that connects, the address that it connects to, and the addresses and networks that are let in there. */
  readonly ways: readonly { readonly from: string; readonly to: string; readonly letIn: readonly string[] }[];
}

/**
 * No host of the cluster is cut off by the firewall of another: the address that each connects from is let in. It changes
 * nothing: a firewall that would cut one off is refused while planning. Who does not answer is judged by the inventory alone.
 */
export function nobodyCutOff({ address, ways }: NobodyCutOffOptions): Resource {
  return {
    address: `firewall-ways:${address}`,
    paths: [],
    async plan(probe) {
      const seen = await Promise.all(
        ways.map(async (way) => ({ ...way, source: await unlessLost(probe.on(way.from).ask(sourceAddress, way.to)) })),
      );
      const strange = seen.flatMap(({ from, to, letIn, source }) =>
        source === undefined || source instanceof RemoteError || isLetIn(source, letIn) ? [] : [{ from, to, source }],
      );
      // Who holds a virtual IP reaches it from there, and over no network.
      const cutOff = strange.filter(({ to, source }) => source !== to);
      const [first] = cutOff;
      if (first === undefined) return UNCHANGED;
      const words = new Set(cutOff.map(({ from, source }) => `${from}, which reaches it from ${source}`));
      throw new ProvisionError({
        code: 'firewall-cuts-off',
        message: `the firewall of ${probe.host} would cut off ${[...words].join(', and ')}`,
        hint: [
          // A host could name a whole network.
          ...(isAddress(first.source)
            ? [`let it in: etcd_firewall_allow: ['${first.source}'], or set access_ip of ${first.from} to that address`]
            : []),
          `see why it takes that way: ssh ${first.from} ip route get ${first.to}`,
        ].join('\n'),
      });
    },
  };
}
