import { counted } from '../model/counted.js';
import type { HostOutline, PlanOutline, PlayOutline } from '../model/plan.js';
import type { Style } from './style.js';
import { printable } from './terminal-text.js';
import { nameHosts } from './wording.js';

/** More hosts than these are not drawn as a chain. */
const CHAIN = 4;

/** One play at a glance. */
export interface PlayRow {
  readonly name: string;
  /** Its hosts that change, in their order. */
  readonly where: string;
  readonly changes: number;
  readonly disruptive: number;
  readonly unknown: number;
  /** Names of its gates, each once. */
  readonly gates: readonly string[];
}

/**
 * What a person sees of a long plan without scrolling back: each play that changes something, where, in which order, and
 * what clients may notice.
 * @returns lines; none where the plan has one play, which is such a list itself
 */
export function renderOverview({ plays }: PlanOutline, style: Style): string[] {
  const rows = overviewRows(plays);
  if (rows.length < 2) return [];
  const widths = { name: widest(rows.map(({ name }) => name)), where: widest(rows.map(({ where }) => where)) };
  const numbers = String(rows.length).length;
  const lines = rows.map((row, index) => {
    const number = String(index + 1).padStart(numbers);
    const place = printable(`${row.name.padEnd(widths.name)}  ${row.where.padEnd(widths.where)}`);
    return `  ${number} ${place}  ${figuresOf(row, style)}`;
  });
  return [style.bold('In this order:'), ...lines, ''];
}

/** The plays that change something, or may once it is known. */
export function overviewRows(plays: PlanOutline['plays']): readonly PlayRow[] {
  return plays.flatMap(rowOf);
}

function widest(texts: readonly string[]): number {
  return Math.max(...texts.map((text) => text.length));
}

function rowOf({ name, batches, gatesBefore, gatesAfter }: PlayOutline): readonly PlayRow[] {
  const busy = batches
    .map(({ hosts }) => hosts.filter(({ steps }) => steps.length > 0))
    .filter((hosts) => hosts.length > 0);
  if (busy.length === 0) return [];
  const outcomes = busy.flat().flatMap(({ steps }) => steps.map(({ outcome }) => outcome));
  const changes = outcomes.flatMap((outcome) => (outcome.kind === 'change' ? [outcome.change] : []));
  const disruptive = changes.filter((change) => change.disruptive).length;
  return [
    {
      ...{ name, where: whereOf(busy), changes: changes.length, disruptive, unknown: outcomes.length - changes.length },
      gates: [...new Set([...gatesBefore, ...gatesAfter])],
    },
  ];
}

function whereOf(busy: readonly (readonly HostOutline[])[]): string {
  const [first = []] = busy;
  const names = (hosts: readonly HostOutline[]): string => nameHosts(hosts.map(({ host }) => host));
  if (busy.length === 1) return names(first);
  if (busy.length <= CHAIN) return busy.map(names).join(' → ');
  return `${names(busy.flat())}, in ${counted(busy.length, 'batch', 'batches')}`;
}

function figuresOf({ changes, disruptive, unknown }: PlayRow, style: Style): string {
  return [
    ...(changes > 0 ? [counted(changes, 'change')] : []),
    ...(disruptive > 0 ? [style.watch(`! ${disruptive} disruptive`)] : []),
    ...(unknown > 0 ? [style.watch(`? ${unknown} known after apply`)] : []),
  ].join(', ');
}
