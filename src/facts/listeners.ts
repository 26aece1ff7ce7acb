import type { Fact } from '../model/remote.js';

/** A process that listens on a TCP port. */
export interface Listener {
  /** As `ss` shows it, without brackets: `0.0.0.0`, `*`, `::`, `203.0.113.11`. */
  readonly address: string;
  readonly port: number;
  /** Name of the process; empty when the kernel does not tell. */
  readonly process: string;
}

/** Key: a port, as text. */
export const listeners: Fact<readonly Listener[]> = {
  name: 'listeners',
  script: (ports) => {
    const asked = ports.map((port) => `*:${port}`).join(' | ');
    return [
      // Between two of its processes a socket has none for a moment: of a proxy that is reloaded.
      'for _ in 1 2 3 4 5; do',
      '  found=$(ss -H -l -t -n -p); nameless=',
      '  while read -r _ _ _ at _ users; do',
      `    case $at in ${asked}) [ -n "$users" ] || nameless=yes ;; esac`,
      '  done <<LISTENERS',
      '$found',
      'LISTENERS',
      '  [ -n "$nameless" ] || break',
      '  sleep 0.1',
      'done',
      `printf '%s\\n' "$found"`,
    ].join('\n');
  },
  parse(stdout, ports) {
    // `LISTEN 0 4096 203.0.113.11:2379 0.0.0.0:* users:(("etcd",pid=812,fd=8))`
    const found = [...stdout.matchAll(/^LISTEN\s+\d+\s+\d+\s+(\S+):(\d+)\s+\S+(?:\s+users:\(\("([^"]*)")?/gm)].map(
      ([, address = '', port = '', process = '']): Listener => ({
        address: address.replace(/^\[|\]$/g, '').replace(/%.*$/, ''),
        port: Number(port),
        process,
      }),
    );
    return new Map(ports.map((port) => [port, found.filter((listener) => String(listener.port) === port)]));
  },
};
