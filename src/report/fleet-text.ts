import type { ClusterResult, FleetJson } from '../fleet/fleet-schema.js';
import { counted } from '../model/counted.js';
import { createStyle, type Style } from './style.js';
import { printable } from './terminal-text.js';

/** A cluster that has ended, on one line, while others go on. */
export function renderEnded(result: ClusterResult, options: { readonly colour: boolean }): string {
  const style = createStyle(options);
  return `${colour(result, style)(lineOf(result, 0))}\n`;
}

/**
 * A fleet for people: a line for each cluster, what to do next where it failed, and how many ended how.
 * @param options `colour`: whether to colour it
 * @returns lines, with a newline at the end
 */
export function renderFleet({ clusters, elapsedMs }: FleetJson, options: { readonly colour: boolean }): string {
  const style = createStyle(options);
  const width = Math.max(...clusters.map(({ cluster }) => printable(cluster).length));
  const lines = clusters.flatMap((result) => [
    colour(result, style)(lineOf(result, width)),
    ...(result.hint ?? '')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => `    → ${printable(line)}`),
  ]);
  return `${[...lines, '', `${totals(clusters)}, in ${seconds(elapsedMs)}`].join('\n')}\n`;
}

function lineOf({ cluster, outcome, summary, elapsedMs }: ClusterResult, width: number): string {
  const sign = outcome === 'ok' ? '✔' : outcome === 'not-started' ? '·' : '✖';
  const how = outcome === 'ok' || outcome === 'not-started' ? '' : `${outcome}: `;
  const time = outcome === 'not-started' ? '' : `  ${seconds(elapsedMs)}`;
  return `${sign} ${printable(cluster).padEnd(width)}  ${printable(`${how}${summary}`)}${time}`;
}

function colour({ outcome, changes }: ClusterResult, style: Style): (text: string) => string {
  if (outcome === 'not-started') return (text) => style.dim(text);
  if (outcome !== 'ok') return (text) => style.bad(text);
  return (text) => ((changes ?? 0) > 0 ? style.watch(text) : style.good(text));
}

/** `12 clusters: 9 ok (2 with changes), 1 locked, 2 not started`. */
function totals(clusters: readonly ClusterResult[]): string {
  if (clusters.length === 0) return 'no cluster to work on';
  const numbers = new Map<string, number>();
  for (const { outcome } of clusters) numbers.set(outcome, (numbers.get(outcome) ?? 0) + 1);
  const changing = clusters.filter(({ changes }) => (changes ?? 0) > 0).length;
  const parts = [...numbers].map(([outcome, number]) =>
    outcome === 'ok' && changing > 0
      ? `${number} ok (${changing} with changes)`
      : `${number} ${outcome.replace('-', ' ')}`,
  );
  return `${counted(clusters.length, 'cluster')}: ${parts.join(', ')}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
