import { fileLocks } from '../facts/file-locks.js';
import type { Gate } from '../model/gate.js';

/** As long as apt itself waits (resources/packages.ts): unattended upgrades take minutes. */
const DEADLINE_MS = 600_000;

/**
 * What apt and dpkg lock: all four are needed, and apt waits by itself for the first only
 * (`DPkg::Lock::Timeout`, apt.conf(5)); `apt-get update` fails at once while the lists are locked.
 */
const APT_LOCKS = [
  '/var/lib/dpkg/lock-frontend',
  '/var/lib/dpkg/lock',
  '/var/lib/apt/lists/lock',
  '/var/cache/apt/archives/lock',
] as const;

/** No one else installs or updates packages on the hosts of the action: waited for aloud, where apt waits in silence. */
export function aptUnlocked(): Gate {
  return {
    name: 'apt-unlocked',
    deadlineMs: DEADLINE_MS,
    async check({ batch, probe }) {
      const held = await Promise.all(
        batch.flatMap((host) => APT_LOCKS.map(async (path) => ({ host, path, holder: await ask(host, path) }))),
      );
      const [first] = held.filter(({ holder }) => holder !== undefined);
      if (first === undefined) return { open: true };
      return {
        open: false,
        reason: `${first.holder ?? ''} on ${first.host} holds ${first.path}`,
        next: `ssh ${first.host} sudo fuser -v ${first.path}`,
      };

      function ask(host: string, path: string): Promise<string | undefined> {
        return probe(host).ask(fileLocks, path);
      }
    },
  };
}
