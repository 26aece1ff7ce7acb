import { counted } from '../model/counted.js';
import { plannedSteps, type HostOutline, type PlanOutline, type PlayOutline } from '../model/plan.js';
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

/** What clients feel of a disruptive change, by its resource, and for how long: the figures of docs/what-clients-feel.md. */
const FELT: readonly (readonly [resource: RegExp, felt: string])[] = [
  [
    /^(?:etcd-member|member-[a-z]+):/,
    'a member that restarts ends its own connections; where it led, an election takes about a second, and of one or two members all of etcd waits for it',
  ],
  [/^static-pod/, 'a static pod that restarts answers nobody for some seconds to a minute; those of other hosts go on'],
  [/^kubelet-server$/, 'a kubelet restarts in seconds; its pods go on'],
  [
    /^(?:service|retired|freed-balancer):/,
    'connections through a service that restarts or stops end; new ones work within seconds',
  ],
  [
    /^(?:kubernetes|node-upgrade):drained/,
    'pods of a drained node end there and start elsewhere, as their disruption budgets let them',
  ],
  [
    /^node-upgrade:(?:finished|packages)/,
    'services of a node may restart with their packages, one node at a time; its pods are elsewhere by then',
  ],
  [
    /^node-upgrade:reboot/,
    'a node that reboots serves nobody for minutes: its member of etcd, its API server and its proxy neither',
  ],
  [
    /^certificate:/,
    'connections are refused where the other end trusts only the authority of before, or knows a server by a name that its certificate loses',
  ],
  [
    /^trust:/,
    'connections are refused where the other end shows a certificate of an authority that is no longer trusted',
  ],
  [/^firewall:/, 'clients that no rule lets in are refused'],
  [/^restore:/, 'etcd is down from the stop to the last start, and the API with it'],
  [/^etcd-defrag:/, 'a member that is rewritten answers nobody, some seconds a gigabyte; the others serve'],
];

const FELT_OTHERWISE = 'some connections may end: docs/what-clients-feel.md';

/** What clients feel of a disruptive change. @param address of the resource that is changed */
export function feltOf(address: string): string {
  return FELT.find(([resource]) => resource.test(address))?.[1] ?? FELT_OTHERWISE;
}

/** What clients feel of a plan, a line each; none where nothing is disruptive. */
export function renderFelt({ plays }: PlanOutline, style: Style): string[] {
  const felt = plannedSteps({ plays }).flatMap(({ step: { address, outcome } }) =>
    outcome.kind === 'change' && outcome.change.disruptive ? [feltOf(address)] : [],
  );
  if (felt.length === 0) return [];
  return [style.bold('Clients feel:'), ...[...new Set(felt)].map((each) => `  ${style.watch('!')} ${each}`), ''];
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
