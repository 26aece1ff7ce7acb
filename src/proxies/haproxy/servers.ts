import type { Fact } from '../../model/remote.js';

/** One server of a backend of HAProxy, as its own statistics show it. */
export interface HaproxyServer {
  readonly name: string;
  /** `UP`, `DOWN`, `UP 1/3` on its way down, `MAINT`, … */
  readonly status: string;
  /** Last check: `L7OK`, `L6RSP`, `L4CON`, …; empty before the first, when a server counts as up untried. */
  readonly check: string;
}

/** @param port where HAProxy answers for itself @param backend the name of the backend whose servers are wanted */
export function serversKey(port: number, backend: string): string {
  return `${port} ${backend}`;
}

/** Key: {@link serversKey}. `undefined` when HAProxy is silent. */
export const haproxyServers: Fact<readonly HaproxyServer[] | undefined> = {
  name: 'haproxy-servers',
  // bash's /dev/tcp needs no program that a minimal Debian does not have.
  script: (keys) =>
    keys
      .map(
        (key) =>
          `echo N; timeout 5 bash -c 'exec 3<>/dev/tcp/127.0.0.1/${readKey(key).port} && printf "GET /stats;csv HTTP/1.0\\r\\n\\r\\n" >&3 && cat <&3' 2>/dev/null; echo`,
      )
      .join('\n'),
  parse(stdout, keys) {
    const blocks = stdout.split(/^N$/m).slice(1);
    return new Map(keys.map((key, index) => [key, parseCsv(blocks[index] ?? '', readKey(key).backend)]));
  },
};

function readKey(key: string): { readonly port: number; readonly backend: string } {
  const [port, backend = ''] = key.split(' ');
  return { port: Number(port), backend };
}

/** Columns by their names: HAProxy adds some with every release. */
function parseCsv(text: string, backend: string): readonly HaproxyServer[] | undefined {
  const lines = text.slice(Math.max(0, text.indexOf('# pxname'))).split('\n');
  const columns = lines[0]?.replace('# ', '').split(',') ?? [];
  if (columns[0] !== 'pxname') return undefined;
  const rows = lines.slice(1).map((line) => {
    const cells = line.split(',');
    return new Map(columns.map((column, index) => [column, cells[index] ?? '']));
  });
  return rows
    .filter((row) => row.get('pxname') === backend && !['FRONTEND', 'BACKEND', ''].includes(row.get('svname') ?? ''))
    .map((row) => ({
      name: row.get('svname') ?? '',
      status: row.get('status') ?? '',
      check: (row.get('check_status') ?? '').replace(/^\* /, ''),
    }));
}
