import type { Latency, LatencyFigures, WayLatency } from '../model/latency.js';
import { createStyle } from './style.js';
import { printable } from './terminal-text.js';

const TITLES = ['way to etcd', 'read p50', 'read p99', 'new connection p50', 'p99'] as const;

/** How fast etcd answers by each way, as a table. @returns lines, with a newline at the end */
export function renderLatency({ host, ways }: Latency, options: { readonly colour: boolean }): string {
  const style = createStyle(options);
  const rows = ways.map((each) => [describeWay(each), ...cells(each.reads), ...cells(each.connections)]);
  const widths = TITLES.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ');
  const problems = ways.flatMap(({ way, problem }) =>
    problem === undefined ? [] : [style.watch(`! ${printable(`${way}: ${problem}`)}`)],
  );
  return `${[
    style.bold(line(TITLES)),
    ...rows.map(line),
    ...problems,
    style.dim(
      `Measured on ${printable(host)}: ${countOf(ways, 'reads')} linearised reads on one connection, then ${countOf(ways, 'connections')} new TLS connections, each way.`,
    ),
  ].join('\n')}\n`;
}

function describeWay({ way, url }: WayLatency): string {
  return printable(`${way} ${url.replace('https://', '')}`);
}

function cells(figures: LatencyFigures | undefined): readonly string[] {
  return figures === undefined ? ['-', '-'] : [figures.p50Ms, figures.p99Ms].map((value) => `${value.toFixed(2)} ms`);
}

/** `299`, or `120 to 299` where some ways have fewer. */
function countOf(ways: readonly WayLatency[], kind: 'reads' | 'connections'): string {
  const counts = ways.map((each) => each[kind]?.count ?? 0);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return least === most ? String(most) : `${least} to ${most}`;
}
