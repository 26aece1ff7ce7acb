import { operatingSystem, SYSTEM } from '../facts/operating-system.js';
import { UNCHANGED, type Resource } from '../model/change.js';
import type { Cluster } from '../model/cluster.js';
import { ProvisionError } from '../model/errors.js';

/** The systems that the lab's hosts run, on which each role is tried: the `VERSION_ID`s of Debian. */
const TRIED = ['12', '13'];

/** Names a user may know from kubespray. */
const VARIABLE = 'allow_unsupported_distribution_setup';

/**
 * A system that the packages, units and paths of roles are known to fit. Any other is refused by name while planning, before
 * anything is changed.
 */
export function supportedSystem({ allowsUntriedSystems }: Pick<Cluster, 'allowsUntriedSystems'>): Resource {
  return {
    address: 'operating-system',
    paths: [],
    async plan(probe) {
      const { id, version, like, name } = await probe.ask(operatingSystem, SYSTEM);
      if (id === 'debian' && TRIED.includes(version)) return UNCHANGED;
      const isDebianLike = id === 'debian' || like.includes('debian');
      if (isDebianLike && allowsUntriedSystems) return UNCHANGED;
      throw new ProvisionError({
        code: 'system-unsupported',
        message: `this host runs ${name === '' ? 'a system without a name in /etc/os-release' : name}, and roles that install packages were tried on Debian ${TRIED.join(' and ')} only`,
        hint: isDebianLike
          ? `use a host with Debian ${TRIED.join(' or ')}; or, to try it here, with apt and systemd: set ${VARIABLE}: true in the inventory`
          : `use a host with Debian ${TRIED.join(' or ')}`,
      });
    },
  };
}
