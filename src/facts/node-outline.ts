import type { Fact } from '../model/remote.js';

/** What a host is like, for who makes it a node of Kubernetes. */
export interface NodeOutline {
  /** What it calls itself (uname -n): the kubelet registers its node by that name, in lower case. */
  readonly name: string;
  /** Processors that a process may use. */
  readonly cpus: number;
  /** All of its memory, in MiB. */
  readonly memoryMib: number;
  /** It shares the kernel of another machine, whose clock and limits it has. */
  readonly isContainer: boolean;
  /** Units that keep its clock right, and run. */
  readonly timeServices: readonly string[];
}

/** The one key of {@link nodeOutline}. */
export const NODE = 'node';

/** What sets clocks on Linux; a distribution has one or two of them. */
const TIME_SERVICES = ['systemd-timesyncd', 'chrony', 'chronyd', 'ntp', 'ntpd', 'ntpsec', 'openntpd'] as const;

/** Key: {@link NODE}. */
export const nodeOutline: Fact<NodeOutline> = {
  name: 'node-outline',
  script: () => String.raw`printf 'H %s\nC %s\n' "$(uname -n)" "$(nproc)"
sed -n 's/^MemTotal: *\([0-9]*\) kB$/M \1/p' /proc/meminfo
systemd-detect-virt --quiet --container && echo container
systemctl show -p Id,ActiveState -- ${TIME_SERVICES.map((unit) => `${unit}.service`).join(' ')}`,
  parse(stdout, keys) {
    const [name, cpus, memory] = ['H', 'C', 'M'].map(
      (letter) => new RegExp(`^${letter} (\\S+)$`, 'm').exec(stdout)?.[1],
    );
    if (name === undefined || Number.isNaN(Number(cpus)) || Number.isNaN(Number(memory)))
      throw new Error('neither its name, processors nor memory came back');
    const active = stdout
      .split(/\n\n+/)
      .filter((block) => /^ActiveState=active$/m.test(block))
      .flatMap((block) => /^Id=(\S+)\.service$/m.exec(block)?.[1] ?? []);
    const outline: NodeOutline = {
      name,
      cpus: Number(cpus),
      memoryMib: Math.floor(Number(memory) / 1024),
      isContainer: /^container$/m.test(stdout),
      timeServices: [...new Set(active)],
    };
    return new Map(keys.map((key) => [key, outline]));
  },
};
