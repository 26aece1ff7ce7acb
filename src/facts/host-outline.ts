import type { Fact } from '../model/remote.js';

/** What kind of machine a host is. */
export interface HostOutline {
  /** As /etc/os-release calls it: `Debian GNU/Linux 12 (bookworm)`; empty when it does not say. */
  readonly system: string;
  readonly hasApt: boolean;
  readonly hasSystemd: boolean;
  /** Memory that programs can have, in MiB. */
  readonly memoryMib: number;
  /** Room below /var/lib, in MiB. */
  readonly diskMib: number;
}

/** The one key of {@link hostOutline}. */
export const OUTLINE = 'outline';

/** Key: {@link OUTLINE}. */
export const hostOutline: Fact<HostOutline> = {
  name: 'host-outline',
  script: () => String.raw`sed -n 's/^PRETTY_NAME=/S /p' /etc/os-release 2>/dev/null
command -v apt-get >/dev/null && echo apt
[ -d /run/systemd/system ] && echo systemd
sed -n 's/^MemAvailable: *\([0-9]*\) kB$/M \1/p' /proc/meminfo
df -Pk /var/lib | awk 'NR == 2 { print "D", $4 }'`,
  parse(stdout, keys) {
    const kib = (letter: string): number => Number(new RegExp(`^${letter} (\\d+)$`, 'm').exec(stdout)?.[1]);
    const [memory, disk] = [kib('M'), kib('D')];
    if (Number.isNaN(memory) || Number.isNaN(disk)) throw new Error('neither memory nor disk came back');
    const outline: HostOutline = {
      system: (/^S (.*)$/m.exec(stdout)?.[1] ?? '').replace(/^(["'])(.*)\1$/, '$2'),
      hasApt: /^apt$/m.test(stdout),
      hasSystemd: /^systemd$/m.test(stdout),
      memoryMib: Math.floor(memory / 1024),
      diskMib: Math.floor(disk / 1024),
    };
    return new Map(keys.map((key) => [key, outline]));
  },
};
