import { claimOf, type KeptAddress } from '../facts/address-claim.js';
import { ProvisionError } from '../model/errors.js';
import { groupLines } from '../model/former-groups.js';
import type { Probe } from '../model/remote.js';

/** Hosts that may have been balancers, and how an inventory says that they were. */
export interface FormerCandidates {
  /** Inventory hosts that are no balancers, and not named as former ones; who does not answer can't be seen. */
  readonly hosts: readonly string[];
  /** The group that names former balancers. */
  readonly group: string;
  /** The inventory's file: by its name, the lines to add are YAML or INI. */
  readonly file: string;
}

/**
 * A host that left the group of the balancers keeps its keepalived: it and the new ones know nothing of each other, and
 * two of them would hold the address at once.
 * @throws ProvisionError `former-balancer` when some of them hold the address, or may take it
 */
export async function refuseFormer(kept: KeptAddress, candidates: FormerCandidates, probe: Probe): Promise<void> {
  // Each such host has plays of its own that fail, or no part in this cluster: its silence decides nothing here.
  const found = await Promise.allSettled(
    candidates.hosts.map(async (host) => ({ host, claim: await claimOf(kept, probe.on(host)) })),
  );
  const claims = found.flatMap((each) =>
    each.status === 'fulfilled' && each.value.claim !== undefined
      ? [{ host: each.value.host, claim: each.value.claim }]
      : [],
  );
  if (claims.length === 0) return;
  const { group, file } = candidates;
  const names = claims.map(({ host }) => host);
  const them = names.length === 1 ? 'it is no load balancer' : 'they are no load balancers';
  throw new ProvisionError({
    code: 'former-balancer',
    message: `${claims.map(({ host, claim }) => `${host} ${claim}`).join('; ')}: in this inventory ${them}, and two hosts would have the address at once`,
    hint: [
      `to move the load balancers away from there, add to ${file}:`,
      ...groupLines(
        file,
        group,
        claims.map(({ host: name }) => ({ name })),
      ),
    ].join('\n'),
  });
}
