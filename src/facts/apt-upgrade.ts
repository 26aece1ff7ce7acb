import type { Fact } from '../model/remote.js';
import {
  IS_CUT_OFF,
  LIST_HALF_INSTALLED,
  SIMULATE_UPGRADE,
  UPDATE_STAMP,
  type PackageUpgrade,
} from '../shell/apt-upgrade.js';

/** What `apt-get upgrade` would do on a host, by the lists that it has. */
export interface AptUpgrade {
  /** How long ago apt has last read its lists, in seconds; absent: nothing says so, or it is a time to come. */
  readonly listsAgeS: number | undefined;
  readonly upgrades: readonly PackageUpgrade[];
  /** Those that stay although there is a newer version: on hold, or in need of what is not there. */
  readonly keptBack: readonly string[];
  /** An installation was cut off in its middle. */
  readonly isCutOff: boolean;
  /** Packages that were cut off while they were unpacked: only to install them again helps. */
  readonly halfInstalled: readonly string[];
  /** Why apt can't say it. */
  readonly problem: string | undefined;
}

/** A clock that was set right since may have been a moment ahead; what is noted for a later time was noted by a wrong one. */
const AHEAD_S = 60;

/** The one key of {@link aptUpgrade}. */
export const UPGRADE = 'upgrade';

/** Key: {@link UPGRADE}. It simulates, as any user may. */
export const aptUpgrade: Fact<AptUpgrade> = {
  name: 'apt-upgrade',
  script: () =>
    [
      `noted=$(stat -c %Y ${UPDATE_STAMP} 2>/dev/null || :)`,
      `[ -z "$noted" ] || printf 'A %s\\n' $(($(date +%s) - noted))`,
      `! ${IS_CUT_OFF} || echo C`,
      LIST_HALF_INSTALLED,
      // What was cut off is finished first; apt itself refuses to say anything before.
      `if said=$(${SIMULATE_UPGRADE} 2>&1); then`,
      `  printf '%s\\n' "$said" | sed -n 's/^Inst /I /p'`,
      // A list of names in lines that are indented.
      `  printf '%s\\n' "$said" | awk '/^ / { if (kept) print "K" $0; next } { kept = /kept back:$/ }'`,
      'else',
      `  printf 'E %s\\n' "$(printf '%s\\n' "$said" | grep '^E:' | head -n 1 | cut -c 1-300)"`,
      'fi',
    ].join('\n'),
  parse(stdout, keys) {
    const age = /^A (-?\d+)$/m.exec(stdout)?.[1];
    const [, problem] = /^E (.*)$/m.exec(stdout) ?? [];
    const upgrades = [...stdout.matchAll(/^I (\S+) (?:\[(\S+)\] )?\((\S+) /gm)].map(([, name = '', from, to = '']) => ({
      ...{ name, from, to },
    }));
    const isCutOff = /^C$/m.test(stdout);
    if ([...stdout.matchAll(/^I /gm)].length !== upgrades.length)
      throw new Error('a package without a version came back');
    const found: AptUpgrade = {
      listsAgeS: age === undefined || Number(age) < -AHEAD_S ? undefined : Math.max(0, Number(age)),
      upgrades,
      keptBack: [...stdout.matchAll(/^K +(.*)$/gm)].flatMap(([, names = '']) => names.split(/\s+/).filter(Boolean)),
      isCutOff,
      halfInstalled: [...stdout.matchAll(/^H (\S+)$/gm)].map(([, name = '']) => name),
      problem: isCutOff ? undefined : problem,
    };
    return new Map(keys.map((key) => [key, found]));
  },
  evidence: ({ upgrades }) => upgrades.map(({ name, to }) => `${name} ${to}`),
};
