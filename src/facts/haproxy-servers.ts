import type { Fact } from '../model/remote.js';

/**
 * Where HAProxy answers for itself, on 127.0.0.1 only: `/health` for keepalived, `/stats` for the gates. Registered for
 * nothing (IANA), and below Linux's ephemeral ports (32768).
 */
export const HAPROXY_HEALTH_PORT = 23790;

/** One server of HAProxy's backend `etcd`, as its own statistics show it. */
export interface HaproxyServer {
  readonly name: string;
  /** `UP`, `DOWN`, `UP 1/3` on its way down, `MAINT`, … */
  readonly status: string;
  /** Last check: `L7OK`, `L6RSP`, `L4CON`, …; empty before the first, when a server counts as up untried. */
  readonly check: string;
}

/** Key: {@link HAPROXY_HEALTH_PORT} as text. `undefined` when HAProxy is silent. */
export const haproxyServers: Fact<readonly HaproxyServer[] | undefined> = {
  name: 'haproxy-servers',
  // bash's /dev/tcp needs no program that a minimal Debian lacks.
  script: (ports) =>
    ports
      .map(
        (port) =>
          `echo N; timeout 5 bash -c 'exec 3<>/dev/tcp/127.0.0.1/${Number(port)} && printf "GET /stats;csv HTTP/1.0\\r\\n\\r\\n" >&3 && cat <&3' 2>/dev/null; echo`,
      )
      .join('\n'),
  parse(stdout, ports) {
    const blocks = stdout.split(/^N$/m).slice(1);
    return new Map(ports.map((port, index) => [port, parseCsv(blocks[index] ?? '')]));
  },
};

/** Columns by their names: HAProxy adds some with every release. */
function parseCsv(text: string): readonly HaproxyServer[] | undefined {
  const lines = text.slice(Math.max(0, text.indexOf('# pxname'))).split('\n');
  const columns = lines[0]?.replace('# ', '').split(',') ?? [];
  if (columns[0] !== 'pxname') return undefined;
  const rows = lines.slice(1).map((line) => {
    const cells = line.split(',');
    return new Map(columns.map((column, index) => [column, cells[index] ?? '']));
  });
  return rows
    .filter((row) => row.get('pxname') === 'etcd' && !['FRONTEND', 'BACKEND', ''].includes(row.get('svname') ?? ''))
    .map((row) => ({
      name: row.get('svname') ?? '',
      status: row.get('status') ?? '',
      check: (row.get('check_status') ?? '').replace(/^\* /, ''),
    }));
}
