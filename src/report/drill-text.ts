import type { DrillMeasurement, MeasuredGap } from '../model/drill.js';
import type { Style } from './style.js';
import { printable } from './terminal-text.js';

const TITLES = ['stopped', 'address gone', 'clients interrupted', 'now on', 'recovered in'] as const;

/**
 * What a drill measured, as a table; each gap with the step between attempts, below which nothing can be seen.
 * @returns lines
 */
export function renderDrill(measured: readonly DrillMeasurement[], style: Style): readonly string[] {
  const rows = measured.map(({ service, host, address, client, holder, recoveredMs }) => [
    `${service} on ${host}`,
    describeGap(address),
    describeGap(client),
    holder ?? 'no host',
    recoveredMs === undefined ? 'not yet' : seconds(recoveredMs),
  ]);
  const widths = TITLES.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => printable(cell).padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  const observers = [...new Set(measured.map(({ observer }) => observer))].join(', then ');
  return [
    style.bold(line(TITLES)),
    ...rows.map(line),
    style.dim(`Measured on ${printable(observers)}, on new connections; ± is the time between attempts.`),
  ];
}

/** `3.31 s ± 0.07 s`; `< 0.07 s` where nothing failed, `> …` where it was not over. */
export function describeGap({ longestMs, stepMs, isOver, failed }: MeasuredGap): string {
  if (failed === 0) return `< ${seconds(longestMs)}`;
  return `${isOver ? '' : '> '}${seconds(longestMs)} ± ${seconds(stepMs)}`;
}

/** `3.31 s` */
export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2)} s`;
}
