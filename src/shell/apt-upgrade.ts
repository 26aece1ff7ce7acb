import { createHash } from 'node:crypto';
import type { Command } from '../model/remote.js';
import { APT_LOCK_WAIT_S, aptGet, updateLists } from './apt.js';

/** A package that apt would upgrade, or install because of one. */
export interface PackageUpgrade {
  readonly name: string;
  /** Absent: it is not there yet. */
  readonly from: string | undefined;
  readonly to: string;
}

/**
 * Where this program notes that it has read all lists. Those of apt itself say less: its timer writes `update-stamp` also where a source could
 * not be read, and `update-success-stamp` is written where not all of them failed (apt-pkg/update.cc).
 */
export const UPDATE_STAMP = '/var/lib/provision/package-lists';

/** Never removes anything; a new kernel comes as a new package (apt-get(8)). */
const UPGRADE = '--with-new-pkgs upgrade';

/** Prints what would be done, and takes no lock. */
export const SIMULATE_UPGRADE = `apt-get -q -s -o Debug::NoLocking=1 ${UPGRADE}`;

/** As {@link SIMULATE_UPGRADE} prints them: name and new version, in the order of bytes. */
const PAIRS = `sed -n 's/^Inst \\([^ ]*\\) [^(]*(\\([^ ]*\\) .*/\\1 \\2/p' | LC_ALL=C sort`;

/** Reads the lists of all sources, and notes that. */
export function updatePackageLists(): Command {
  return {
    summary: 'apt-get update',
    timeoutMs: 600_000,
    script: ['set -eu', updateLists(), `mkdir -p "$(dirname ${UPDATE_STAMP})"`, `touch ${UPDATE_STAMP}`].join('\n'),
  };
}

/** Whether an installation was cut off in its middle: packages that are unpacked and no more, or what dpkg had not noted yet. */
export const IS_CUT_OFF = `{ [ -n "$(ls /var/lib/dpkg/updates 2>/dev/null)" ] || dpkg-query -W -f='\${db:Status-Abbrev}\\n' | grep -q '^.[UFHWt]'; }`;

/** Lists packages that dpkg can't configure before they are installed again, each after `H`; their third letter says so (dpkg-query(1)). */
export const LIST_HALF_INSTALLED = `dpkg-query -W -f='\${db:Status-Abbrev} \${binary:Package}\\n' | sed -n 's/^..R *\\([^ ]*\\).*/H \\1/p'`;

/** Finishes an installation that was cut off. */
export function finishInstallation(): Command {
  return {
    summary: 'dpkg --configure -a',
    timeoutMs: 2 * APT_LOCK_WAIT_S * 1000,
    script: 'set -eu\nexport DEBIAN_FRONTEND=noninteractive\ndpkg --force-confold --configure -a',
  };
}

/** Upgrades just these packages: where apt would do anything else by now, it does nothing. */
export function upgradePackages(upgrades: readonly PackageUpgrade[]): Command {
  return {
    summary: 'apt-get upgrade',
    timeoutMs: 3 * APT_LOCK_WAIT_S * 1000,
    script: [
      'set -eu',
      'export DEBIAN_FRONTEND=noninteractive',
      `found=$(${SIMULATE_UPGRADE} | ${PAIRS} | sha256sum | cut -d ' ' -f 1)`,
      `[ "$found" = ${digestOf(upgrades)} ] || { echo 'apt would upgrade something else by now: make a new plan' >&2; exit 1; }`,
      `${aptGet()} -y -o Dpkg::Options::=--force-confold ${UPGRADE}`,
    ].join('\n'),
  };
}

function digestOf(upgrades: readonly PackageUpgrade[]): string {
  const lines = upgrades.map(({ name, to }) => `${name} ${to}\n`);
  const bytes = lines.map((line) => Buffer.from(line)).sort((a, b) => Buffer.compare(a, b));
  return createHash('sha256').update(Buffer.concat(bytes)).digest('hex');
}
