import type { Fact } from '../model/remote.js';

/** A far end that a process is connected to. */
interface RemoteEnd {
  /** IP address; IPv4-mapped ones as IPv4. */
  readonly address: string;
  readonly port: number;
}

/** A running kube-apiserver. */
export interface ApiserverProcess {
  readonly pid: number;
  /** Its command line, the program first. */
  readonly argv: readonly string[];
  /** Its established TCP connections. */
  readonly connections: readonly RemoteEnd[];
}

/** The one key of {@link apiserverProcesses}. */
export const APISERVER = 'kube-apiserver';

/**
 * Key: {@link APISERVER}. Every kube-apiserver of the host, in a container or not: static pods share the host's network,
 * and the host's /proc shows their processes.
 */
export const apiserverProcesses: Fact<readonly ApiserverProcess[]> = {
  name: 'apiserver-processes',
  isConfidential: true,
  script: () =>
    [
      `for comm in $(grep -lx ${APISERVER} /proc/[0-9]*/comm 2>/dev/null); do`,
      '  pid=${comm#/proc/}; pid=${pid%/comm}',
      '  argv=$(base64 -w0 "/proc/$pid/cmdline" 2>/dev/null) || continue',
      `  [ -z "$argv" ] || printf 'P %s %s\\n' "$pid" "$argv"`,
      'done',
      `ss -H -t -n -p state established 2>/dev/null | grep -F '"${APISERVER}"' || true`,
    ].join('\n'),
  parse(stdout, keys) {
    const connections = parseConnections(stdout);
    const processes = [...stdout.matchAll(/^P (\d+) (\S+)$/gm)].map(([, pid = '', argv = '']): ApiserverProcess => ({
      pid: Number(pid),
      argv: Buffer.from(argv, 'base64')
        .toString('utf8')
        .split('\0')
        .filter((word) => word !== ''),
      connections: connections.get(Number(pid)) ?? [],
    }));
    return new Map(keys.map((key) => [key, processes]));
  },
};

/** `0 0 203.0.113.21:41234 203.0.113.100:2379 users:(("kube-apiserver",pid=301,fd=9))` */
function parseConnections(stdout: string): ReadonlyMap<number, readonly RemoteEnd[]> {
  const found = new Map<number, RemoteEnd[]>();
  for (const [, address = '', port = '', pid = ''] of stdout.matchAll(
    /^\d+\s+\d+\s+\S+\s+(\S+):(\d+)\s+users:.*?pid=(\d+)/gm,
  )) {
    const ends = found.get(Number(pid)) ?? [];
    found.set(Number(pid), ends);
    ends.push({ address: address.replace(/^\[|\]$/g, '').replace(/^::ffff:/, ''), port: Number(port) });
  }
  return found;
}
