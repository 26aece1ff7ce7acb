import { fileOrigin } from '../facts/file-origin.js';
import { isInUse, unitState } from '../facts/unit-state.js';
import { unlessLost } from '../facts/unless-lost.js';
import { UNCHANGED, type Resource } from '../model/change.js';
import { ProvisionError, RemoteError } from '../model/errors.js';
import type { FormerService } from '../model/etcd-way.js';
import { groupLines } from '../model/former-groups.js';
import type { Probe } from '../model/remote.js';

/** Where balancers of ours may still be, and how an inventory says that they go. */
export interface NoOwnBalancerOptions {
  readonly keepalived: FormerService['keepalived'];
  /** Hosts that are not named as former balancers, and are looked at anyway; who does not answer can't be seen. */
  readonly near: readonly string[];
  /** All others of the inventory: asked only until the move is done. */
  readonly far: readonly string[];
  readonly isMoved: (probe: Probe) => Promise<boolean>;
  /** The group that names former balancers. */
  readonly group: string;
  /** The inventory's file: by its name, the lines to add are YAML or INI. */
  readonly file: string;
}

/**
 * No host keeps a virtual IP of ours for a service that others balance now: it would go on unseen, with names that the
 * service's certificates lose. It changes nothing: who is to be freed is named in the inventory.
 */
export function noOwnBalancer({ keepalived, near, far, isMoved, group, file }: NoOwnBalancerOptions): Resource {
  return {
    address: 'balancer:none-of-ours',
    paths: [],
    async plan(probe) {
      const [nearby, isDone] = await Promise.all([leftOn(near, keepalived, probe), isMoved(probe)]);
      const left = isDone ? nearby : [...nearby, ...(await leftOn(far, keepalived, probe))];
      if (left.length === 0) return UNCHANGED;
      const names = left.map(({ host, units }) => `${host} (${units.join(', ')})`).join(', ');
      throw new ProvisionError({
        code: 'former-balancer',
        message: `keepalived of this program keeps a virtual IP of etcd on ${names}, and etcd_lb_provider is external: the members' certificates would lose its name while clients may use it`,
        hint: [
          'first move clients other than the API servers off that virtual IP by hand: to the members, or to the other load balancer;',
          `then name these hosts, so that the API servers leave it and it is removed; add to ${file}:`,
          ...groupLines(
            file,
            group,
            left.map(({ host: name }) => ({ name })),
          ),
        ].join('\n'),
      });
    },
  };
}

async function leftOn(
  hosts: readonly string[],
  keepalived: NoOwnBalancerOptions['keepalived'],
  probe: Probe,
): Promise<readonly { readonly host: string; readonly units: readonly string[] }[]> {
  const found = await Promise.all(
    hosts.map(async (host) => {
      const units = await unlessLost(keptBy(keepalived, probe.on(host)));
      return units instanceof RemoteError || units.length === 0 ? [] : [{ host, units }];
    }),
  );
  return found.flat();
}

/** The units that hold it, or would after a reboot, with a configuration of ours. */
async function keptBy(keepalived: FormerService['keepalived'], probe: Probe): Promise<readonly string[]> {
  const seen = await Promise.all(
    keepalived.map(async ({ unit, configFile }) => {
      const [state, origin] = await Promise.all([probe.ask(unitState, unit), probe.ask(fileOrigin, configFile)]);
      return origin.kind === 'ours' && isInUse(state) ? [unit] : [];
    }),
  );
  return seen.flat();
}
