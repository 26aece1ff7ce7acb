import type { Fact } from '../model/remote.js';

/** A unit that turns swap on. */
export interface SwapUnit {
  /** With `.swap`. */
  readonly unit: string;
  /** Its file; empty for one that systemd made of what someone turned on by hand. */
  readonly file: string;
  /** What its file was generated from: `/etc/fstab`. */
  readonly source: string;
  /** `enabled`, `generated`, `masked`, … */
  readonly state: string;
}

/** Where a host swaps to. */
export interface Swaps {
  /** Devices and files that are in use, as the kernel names them. */
  readonly active: readonly string[];
  /** What may turn more on. */
  readonly units: readonly SwapUnit[];
}

/** The one key of {@link swaps}. */
export const ALL_SWAPS = 'all';

/** Key: {@link ALL_SWAPS}. */
export const swaps: Fact<Swaps> = {
  name: 'swaps',
  script: () => String.raw`[ ! -r /proc/swaps ] || sed -n '2,$s/^\(\S*\).*/A \1/p' /proc/swaps
echo U
systemctl show --all -p Id,FragmentPath,SourcePath,UnitFileState -- '*.swap'`,
  parse(stdout, keys) {
    const [active, units] = stdout.split(/^U$/m);
    if (active === undefined || units === undefined) throw new Error('the list of swap units is missing');
    const found: Swaps = {
      // Blanks are in octal there (swap_show of the kernel's mm/swapfile.c).
      active: [...active.matchAll(/^A (\S+)$/gm)].map(([, name = '']) => unescape(name)),
      units: units
        .trim()
        .split(/\n\n+/)
        .filter((block) => block !== '')
        .map(readUnit),
    };
    return new Map(keys.map((key) => [key, found]));
  },
  evidence: (value) => value,
};

function unescape(name: string): string {
  return name.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

function readUnit(block: string): SwapUnit {
  const value = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(block)?.[1] ?? '';
  const unit = value('Id');
  if (!unit.endsWith('.swap')) throw new Error(`${unit} is no swap unit`);
  return { unit, file: value('FragmentPath'), source: value('SourcePath'), state: value('UnitFileState') };
}
