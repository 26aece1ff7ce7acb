import { lastingOf } from '../model/action.js';
import type { Effect } from '../model/change.js';
import { counted } from '../model/counted.js';
import {
  summarisePlan,
  type BatchOutline,
  type PlanOutline,
  type PlayOutline,
  type StepOutline,
} from '../model/plan.js';
import { renderFelt, renderOverview } from './plan-overview.js';
import { groupHosts, type GroupedStep, type HostGroup } from './plan-groups.js';
import { createStyle, type Style } from './style.js';
import { printable } from './terminal-text.js';
import { nameHosts } from './wording.js';

function colourDiffLine(line: string, style: Style): string {
  const text = printable(line);
  if (/^(?:---|\+\+\+) /.test(line)) return style.bold(text);
  if (line.startsWith('@@')) return style.place(text);
  if (line.startsWith('+')) return style.good(text);
  if (line.startsWith('-')) return style.bad(text);
  return text;
}

/** What the playbook calls it, where its own words do not say so. */
function taskOf({ task, outcome }: StepOutline, style: Style): string {
  const told = outcome.kind === 'change' ? outcome.change.summary : outcome.because;
  return task === undefined || told.includes(task) ? '' : ` ${style.dim(printable(`(task: ${task})`))}`;
}

function markOf(effect: Effect, style: Style): string {
  if (effect === 'create') return style.good('+');
  return effect === 'delete' ? style.bad('-') : style.good('~');
}

function renderHeadline(step: StepOutline, style: Style): string {
  const { address, outcome } = step;
  const task = taskOf(step, style);
  if (outcome.kind === 'unknown')
    return `    ${style.watch('?')} ${printable(`${address}: known after apply: ${outcome.because}`)}${task}`;
  const { summary, disruptive, effect } = outcome.change;
  return disruptive
    ? `    ${style.watch('!')} ${printable(summary)} ${style.watch('(disruptive)')}${task}`
    : `    ${markOf(effect, style)} ${printable(summary)}${task}`;
}

function renderStep({ step, variants }: GroupedStep, style: Style): string[] {
  const diffs = variants.flatMap(({ hosts, diff }) => [
    ...(variants.length > 1 ? [`      ${style.dim(`on ${nameHosts(hosts)}:`)}`] : []),
    ...diff.map((line) => `        ${colourDiffLine(line, style)}`.trimEnd()),
  ]);
  return [renderHeadline(step, style), ...diffs, ...renderLasting(step, style)];
}

/** What a run that fails does not roll back. */
function renderLasting({ outcome }: StepOutline, style: Style): string[] {
  if (outcome.kind !== 'change') return [];
  const lasting = new Set(outcome.change.actions.flatMap((action) => lastingOf(action) ?? []));
  return [...lasting].map((what) => `        ${style.dim(printable(`if the run fails: ${what}`))}`);
}

function renderGroup(group: HostGroup, style: Style): string[] {
  return ['', `  ${style.bold(nameHosts(group.hosts))}`, ...group.steps.flatMap((step) => renderStep(step, style))];
}

function isBusy(batch: BatchOutline): boolean {
  return batch.hosts.some((host) => host.steps.length > 0);
}

function busyHosts(batch: BatchOutline): string[] {
  return batch.hosts.filter((host) => host.steps.length > 0).map(({ host }) => host);
}

function renderOrder(batches: readonly BatchOutline[]): string[] {
  const groups = batches.filter(isBusy).map(busyHosts);
  if (groups.length < 2) return [];
  if (groups.every((hosts) => hosts.length === 1)) return [`  One host after another: ${nameHosts(groups.flat())}.`];
  return [`  In ${counted(groups.length, 'batch', 'batches')}: ${groups.map(nameHosts).join('; then ')}.`];
}

function renderGates({ gatesBefore, gatesAfter, batches }: PlayOutline): string[] {
  const each = batches.filter(isBusy).length > 1 ? ' each batch' : '';
  return [
    ...(gatesBefore.length > 0 ? [`  Gates before${each}: ${gatesBefore.join(', ')}.`] : []),
    ...(gatesAfter.length > 0 ? [`  Gates after${each}: ${gatesAfter.join(', ')}.`] : []),
  ];
}

function renderLeftOut({ leftOut }: PlayOutline, style: Style): string[] {
  return leftOut.length === 0 ? [] : [`  ${style.watch(printable(leftOutOf(leftOut)))}`];
}

function leftOutOf(hosts: readonly string[]): string {
  return `Left out, can't be reached: ${hosts.join(', ')}.`;
}

function renderAway({ away }: PlanOutline, style: Style): string[] {
  return away.map(({ host, because }) => style.watch(printable(`Made without ${host}: ${because}`)));
}

function renderPlay(play: PlayOutline, style: Style): string[] {
  const hosts = play.batches.flatMap((batch) => batch.hosts);
  const groups = groupHosts(hosts);
  const idle = hosts.filter((host) => host.steps.length === 0).map(({ host }) => host);
  return [
    style.bold(`Play ${play.name}`),
    ...renderOrder(play.batches),
    ...renderGates(play),
    ...renderLeftOut(play, style),
    ...groups.flatMap((group) => renderGroup(group, style)),
    ...(idle.length > 0 ? ['', `  ${style.dim(`Nothing to change on ${nameHosts(idle)}.`)}`] : []),
    '',
  ];
}

/** Plays that change nothing, in few lines: they are most of those of a cluster that is there. */
function renderIdle(plays: readonly PlayOutline[], style: Style): string[] {
  // A play may come twice.
  const byLeftOut = new Map<string, Set<string>>();
  for (const { name, leftOut } of plays) {
    const hosts = leftOut.join(', ');
    byLeftOut.set(hosts, new Set([...(byLeftOut.get(hosts) ?? []), name]));
  }
  const lines = [...byLeftOut].map(([hosts, names]) => {
    const seen = hosts === '' ? 'Nothing to change' : `Nothing to change without ${hosts}, which can't be reached`;
    return style.dim(printable(`${seen}: ${[...names].join(', ')}.`));
  });
  return lines.length === 0 ? [] : [...lines, ''];
}

function isIdle({ batches }: PlayOutline): boolean {
  return !batches.some(isBusy);
}

function renderSummary(plan: PlanOutline, style: Style): string {
  const { hosts, changedHosts, changes, disruptive, unknown, unchanged } = summarisePlan(plan);
  if (changes + unknown === 0)
    return `${style.bold('No changes.')} ${counted(hosts, 'host')} looked at, ${unchanged} unchanged.`;
  // What needs no look at a host (a new authority) is planned where no host answers, too.
  const where = changedHosts >= hosts ? counted(changedHosts, 'host') : `${changedHosts} of ${counted(hosts, 'host')}`;
  const figures = [
    changes === 0 ? '0 changes' : `${counted(changes, 'change')} on ${where}`,
    ...(disruptive > 0 ? [style.watch(`${disruptive} disruptive`)] : []),
    ...(unknown > 0 ? [style.watch(`${unknown} known after apply`)] : []),
    `${unchanged} unchanged`,
  ];
  return `${style.bold('Plan:')} ${figures.join(', ')}`;
}

/**
 * A plan for people: what will happen on which hosts, in which order, and why; the diffs; what is disruptive and what
 * is known only after apply. It shows the same `Change`s that apply performs.
 * @param options `colour`: whether to colour it
 * @returns lines, with a newline at the end
 */
export function renderPlan(plan: PlanOutline, options: { readonly colour: boolean }): string {
  const style = createStyle(options);
  const { changes, unknown } = summarisePlan(plan);
  const busy = plan.plays.filter((play) => !isIdle(play)).flatMap((play) => renderPlay(play, style));
  const plays = changes + unknown === 0 ? [] : [...busy, ...renderIdle(plan.plays.filter(isIdle), style)];
  const overview = renderOverview(plan, style);
  return `${[...plays, ...overview, ...renderFelt(plan, style), ...renderAway(plan, style), renderSummary(plan, style)].join('\n')}\n`;
}
