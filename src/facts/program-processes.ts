/** A far end that a process is connected to. */
export interface RemoteEnd {
  /** IP address; IPv4-mapped ones as IPv4. */
  readonly address: string;
  readonly port: number;
}

/** A running program. */
export interface ProgramProcess {
  readonly pid: number;
  /** Its command line, the program first. */
  readonly argv: readonly string[];
  /** Its established TCP connections. */
  readonly connections: readonly RemoteEnd[];
}

/**
 * A command of a loop that passes over a process which is not on the host's own network: one of a cluster in containers, such as
 * kind's. The host's /proc shows it, and no static pod of the host is one. The shell itself is on the host's network.
 * @param process its directory in /proc, a word of the shell
 */
export function onHostNetwork(process: string): string {
  return `[ ${process}/ns/net -ef /proc/self/ns/net ] || continue`;
}

/**
 * Lines that list every process of a program on a host's own network, in a container or not: pods on the host's network share
 * its connections, and the host's /proc shows their processes. The last command succeeds.
 * @param program at most 15 characters, as in /proc/PID/comm
 */
export function programProcessesScript(program: string): string {
  return [
    `for comm in $(grep -lx ${program} /proc/[0-9]*/comm 2>/dev/null); do`,
    '  pid=${comm#/proc/}; pid=${pid%/comm}',
    `  ${onHostNetwork('"/proc/$pid"')}`,
    '  argv=$(base64 -w0 "/proc/$pid/cmdline" 2>/dev/null) || continue',
    `  [ -z "$argv" ] || printf 'P %s %s\\n' "$pid" "$argv"`,
    'done',
    `ss -H -t -n -p state established 2>/dev/null | grep -F '"${program}"' || true`,
  ].join('\n');
}

/** What {@link programProcessesScript} printed. */
export function parseProgramProcesses(stdout: string): readonly ProgramProcess[] {
  const connections = parseConnections(stdout);
  return [...stdout.matchAll(/^P (\d+) (\S+)$/gm)].map(([, pid = '', argv = '']) => ({
    pid: Number(pid),
    argv: Buffer.from(argv, 'base64')
      .toString('utf8')
      .split('\0')
      .filter((word) => word !== ''),
    connections: connections.get(Number(pid)) ?? [],
  }));
}

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
