import { compareVersions, versionText, type EtcdVersion } from '../model/etcd-version.js';

/**
 * The first 3.5 from which 3.6 may be reached: before it, members that were removed come back as "zombies" (etcd.io, blog
 * "zombie_members_upgrade" and guide "upgrade_3_6").
 */
const ZOMBIES_FIXED: EtcdVersion = { minor: 5, patch: 26 };

/** The 3.5 that the guide to 3.6 asks for today: it has more fixes. */
const ADVISED_BEFORE_3_6 = '3.5.32 or a later 3.5';

/** 3.5.0 to 3.5.2 can corrupt the data of a member that is killed (etcd, postmortem "v3.5 data inconsistency"). */
const CONSISTENT_3_5: EtcdVersion = { minor: 5, patch: 3 };

/** Whether a member may run another version of etcd. */
export type UpgradeVerdict =
  | { readonly kind: 'same' | 'upgrade' | 'back' }
  | {
      readonly kind: 'refused';
      /** Why, for a sentence that ends it. */
      readonly why: string;
      /** The versions to go through, in order; the last is the one that was asked for. Empty: there is no way. */
      readonly path: readonly string[];
    };

/** What runs, and what should. */
export interface WantedUpgrade {
  /** Of the member itself. */
  readonly own: EtcdVersion;
  /** Of each other member that answers, and is believed. */
  readonly others: readonly EtcdVersion[];
  /** How many members the cluster has, also those that do not answer. */
  readonly members: number;
  /** What members say that the cluster as a whole is at, each for itself; needed for a way back. */
  readonly clusters: readonly EtcdVersion[];
  readonly wanted: EtcdVersion;
}

/**
 * What members say that they run, without what can't be: none runs an older minor than most members say that the cluster as a whole is
 * at, which is the oldest of all. Where most don't say, each is believed.
 * @param heard host → version
 */
export function believedVersions(
  heard: ReadonlyMap<string, EtcdVersion>,
  { clusters, members }: Pick<WantedUpgrade, 'clusters' | 'members'>,
): ReadonlyMap<string, EtcdVersion> {
  const agreed = clusters.find(({ minor }) => 2 * clusters.filter((each) => each.minor === minor).length > members);
  return agreed === undefined ? heard : new Map([...heard].filter(([, { minor }]) => minor >= agreed.minor));
}

/**
 * Judges a change of version by etcd's own rules: one minor at a time, and never back, for newer data can not be read by an
 * older etcd; while another member still runs the older version the cluster is not newer than that, and an upgrade that was
 * begun can be taken back. The oldest version of all counts for the way on, as far as anybody says it; the way back is
 * open only where most members say so, for one that lies would have all others read what they can not.
 */
export function judgeUpgrade({ own, others, members, clusters, wanted }: WantedUpgrade): UpgradeVerdict {
  const all = [own, ...others];
  const lowest = all.reduce((low, each) => (compareVersions(each, low) < 0 ? each : low), own);
  if (compareVersions(wanted, own) === 0) return { kind: 'same' };
  if (compareVersions(wanted, own) < 0) {
    // Within a minor the cluster as a whole is the same: there the versions themselves are counted.
    const say = wanted.minor === own.minor ? others : clusters.map(({ minor }) => ({ minor, patch: 0 }));
    const older = say.filter((each) => compareVersions(each, wanted) <= 0).length;
    return 2 * older > members && compareVersions(lowest, wanted) <= 0 && lowest.minor === wanted.minor
      ? { kind: 'back' }
      : refused(`etcd never goes back: ${versionText(wanted)} may not read what ${versionText(own)} has written`, []);
  }
  if (wanted.minor === 5 && compareVersions(wanted, CONSISTENT_3_5) < 0)
    return refused(`etcd 3.5.0 to 3.5.2 can corrupt data`, [`${versionText(CONSISTENT_3_5)} or a later 3.5`]);
  if (wanted.minor - lowest.minor > 1)
    return refused(
      `etcd goes one minor version at a time, and 3.${lowest.minor} to 3.${wanted.minor} skips ${skipped(lowest, wanted)}`,
      pathOf(lowest, wanted),
    );
  const tooOld = all.find((each) => each.minor === 5 && compareVersions(each, ZOMBIES_FIXED) < 0);
  if (wanted.minor === 6 && tooOld !== undefined)
    return refused(
      `from ${versionText(tooOld)}, as from any 3.5 before ${versionText(ZOMBIES_FIXED)}, members that were removed long ago come back in 3.6`,
      [ADVISED_BEFORE_3_6, versionText(wanted)],
    );
  return { kind: 'upgrade' };
}

function refused(why: string, path: readonly string[]): UpgradeVerdict {
  return { kind: 'refused', why, path };
}

function between(from: EtcdVersion, to: EtcdVersion): readonly number[] {
  return Array.from({ length: to.minor - from.minor - 1 }, (_, index) => from.minor + 1 + index);
}

function skipped(from: EtcdVersion, to: EtcdVersion): string {
  return between(from, to)
    .map((minor) => `3.${minor}`)
    .join(', ');
}

function pathOf(from: EtcdVersion, to: EtcdVersion): readonly string[] {
  const first = from.minor === 5 && compareVersions(from, ZOMBIES_FIXED) < 0 ? [ADVISED_BEFORE_3_6] : [];
  const stations = between(from, to).map((minor) => (minor === 5 ? ADVISED_BEFORE_3_6 : `the newest 3.${minor}`));
  return [...first, ...stations, versionText(to)];
}
