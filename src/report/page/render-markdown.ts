import { counted } from '../../model/counted.js';
import type { DrillMeasurement } from '../../model/drill.js';
import type { LatencyFigures } from '../../model/latency.js';
import { describeGap, seconds } from '../drill-text.js';
import { overviewRows, type PlayRow } from '../plan-overview.js';
import { outputLines } from '../terminal-text.js';
import { duration, nameHosts } from '../wording.js';
import { drawCluster } from './drawing.js';
import { clusterTone, clusterWords } from './fleet-clusters.js';
import { fenced, folded, gfm, joined, own, table, type Markdown } from './markdown.js';
import { mermaidOf } from './mermaid.js';
import { REPORT_MARK } from './report-mark.js';
import type { ReportFailure, RunReport } from './run-report.js';
import type { Tone } from './report-verdict.js';
import { gateWords } from './report-words.js';
import { stepGroups, type GroupedReportStep, type StepGroup } from './step-groups.js';

/** The longest body of a comment that GitHub takes, in characters (its API: "body is too long (maximum is 65536 characters)"). */
export const MOST_CHARACTERS = 65_536;

/** For the note of what was left out. */
const RESERVE = 500;

/** A part of the comment; where it does not fit any more, it is counted under this name. */
interface Block {
  readonly text: Markdown;
  /** Less of it, where the whole does not fit. */
  readonly short?: Markdown | undefined;
  readonly name: string;
}

/**
 * A report for a comment on a pull request: the verdict first, all diffs folded, never longer than GitHub takes.
 * @returns Markdown
 */
export function renderMarkdown(report: RunReport): string {
  const head = [`<!-- ${REPORT_MARK} -->`, heading(report).markdown, about(report).markdown];
  const { text, leftOut } = fill(head.join('\n\n'), blocksOf(report));
  const counts = [...leftOut].map(([name, count]) => `${name} (${count})`).join(', ');
  return leftOut.size === 0
    ? `${text}\n`
    : `${text}\n\nLeft out, because a comment on GitHub has at most ${MOST_CHARACTERS} characters: ${counts}. All of it is in a report as HTML.\n`;
}

/** As many blocks as fit, in their order: first the least of each, then the whole of as many. */
function fill(
  head: string,
  blocks: readonly Block[],
): { readonly text: string; readonly leftOut: ReadonlyMap<string, number> } {
  let room = MOST_CHARACTERS - RESERVE - head.length;
  const take = (now: string, before: string): string => {
    const more = now.length - before.length;
    if (more > room) return before;
    room -= more;
    return now;
  };
  const wholes = blocks.map(({ text }) => `\n\n${text.markdown}`);
  const least = blocks.map(({ text, short = text }) => take(`\n\n${short.markdown}`, ''));
  const shown = wholes.map((whole, index) => take(whole, least[index] ?? ''));
  const cut = blocks.filter((_, index) => shown[index] !== wholes[index]).map(({ name }) => name);
  const leftOut = new Map(cut.map((name) => [name, cut.filter((each) => each === name).length]));
  return { text: `${head}${shown.join('')}`, leftOut };
}

const SIGNS: Readonly<Record<Tone, string>> = { good: '✅', watch: '⚠️', bad: '❌' };

function heading({ verdict }: RunReport): Markdown {
  const { tone, text, detail } = verdict;
  const first = own(`### ${SIGNS[tone]} ${text}`);
  return detail === undefined ? first : gfm`${first}\n\n${detail}`;
}

function about({ tool, command, inventory, by, begun, elapsedMs, plan }: RunReport): Markdown {
  const facts = [
    gfm`${`provision ${command} ${inventory}`}`,
    ...(by === undefined ? [] : [gfm`by ${by}`]),
    gfm`${own(begun.replace('T', ' ').replace(/\.\d+Z$/, ' UTC'))}`,
    gfm`took ${own(duration(elapsedMs))}`,
    ...(plan === undefined ? [] : [gfm`playbook ${plan.playbook}`]),
    ...(plan?.limit === undefined ? [] : [gfm`limit ${plan.limit}`]),
    gfm`provision ${own(tool)}`,
  ];
  return joined(facts, ' · ');
}

function blocksOf(report: RunReport): readonly Block[] {
  const { plan, before, after, command } = report;
  const rows = overviewRows(plan?.plays ?? []);
  const block = (name: string, text: Markdown): Block => ({ name, text });
  return [
    ...report.failures.map((failure) => block('failures', failureBlock(failure))),
    ...(report.hint === undefined ? [] : [block('the next step', gfm`Next: ${report.hint}`)]),
    ...(report.rolledBack.length === 0 ? [] : [block('what was rolled back', rolledBackBlock(report))]),
    ...(plan?.away ?? []).map(({ host, because }) => block('hosts left out', gfm`Made without ${host}: ${because}`)),
    ...(rows.length === 0 ? [] : [block('the table of plays', playTable(rows))]),
    ...clusterBlocks(report).map((text) => block('tables of clusters', text)),
    ...itemBlocks(report).map((text) => block('tables of checks', text)),
    ...report.drills.map((drill) => block('drills', drillBlock(drill))),
    ...latencyBlocks(report).map((text) => block('latencies', text)),
    ...(before === undefined
      ? []
      : [block('pictures', pictureBlock(after === undefined ? 'The cluster' : 'Before', before))]),
    ...(after === undefined
      ? []
      : [block('pictures', pictureBlock(command === 'plan' ? 'As the inventory describes it' : 'After', after))]),
    ...report.gates
      .filter(({ isOpen, toMs, fromMs }) => !isOpen || toMs - fromMs >= 1000)
      .map((gate) => block('gates', gfm`- gate ${gate.gate}: ${gateWords(gate)}`)),
    ...report.notices.map(({ host, message }) =>
      block('notices', gfm`- ${host === undefined ? undefined : gfm`${host}: `}${message}`),
    ),
    ...stepGroups(report).map((group) => ({
      name: 'hosts with their diffs',
      text: stepBlock(group, 'with diffs'),
      short: stepBlock(group, 'without diffs'),
    })),
  ];
}

function failureBlock({ host, code, message }: ReportFailure): Markdown {
  const title = gfm`**Failed${host === undefined ? undefined : gfm` on ${host}`}**${code === undefined ? undefined : gfm` (${code})`}`;
  return gfm`${title}\n\n${fenced('', outputLines(message).slice(0, 60))}`;
}

function rolledBackBlock({ rolledBack }: RunReport): Markdown {
  const lines = rolledBack.map(({ host, summary }) => `${host}: ${summary}`);
  return gfm`Rolled back:\n\n${fenced('', lines)}`;
}

function playTable(rows: readonly PlayRow[]): Markdown {
  const cells = rows.map(({ name, where, changes, disruptive, unknown, gates }) => [
    gfm`${name}`,
    gfm`${where}`,
    gfm`${changes}`,
    disruptive === 0 ? gfm`0` : gfm`⚠️ ${disruptive}`,
    gfm`${unknown}`,
    gates.length === 0 ? gfm`none` : gfm`${gates.join(', ')}`,
  ]);
  return table(['play', 'where, in this order', 'changes', 'disruptive', 'known after apply', 'gates'], cells);
}

function clusterBlocks({ clusters }: RunReport): readonly Markdown[] {
  const rowsOf = (shown: RunReport['clusters']): readonly (readonly Markdown[])[] =>
    shown.map((each) => [
      gfm`${own(SIGNS[clusterTone(each)])} ${each.cluster}`,
      gfm`${clusterWords(each)}`,
      each.hint === null ? gfm`` : gfm`${each.hint}`,
    ]);
  const titles = ['cluster', 'what', 'next'];
  const shown = clusters.filter((each) => clusterTone(each) !== 'good');
  const quiet = clusters.filter((each) => clusterTone(each) === 'good');
  return [
    ...(shown.length === 0 ? [] : [table(titles, rowsOf(shown))]),
    ...(quiet.length === 0
      ? []
      : [folded(gfm`${own(counted(quiet.length, 'cluster'))} with nothing to do`, table(titles, rowsOf(quiet)))]),
  ];
}

function itemBlocks({ items }: RunReport): readonly Markdown[] {
  const signs = { ok: '✅', warn: '⚠️', fail: '❌' } as const;
  const rowsOf = (shown: RunReport['items']): readonly (readonly Markdown[])[] =>
    shown.map(({ check, host, subject, verdict, evidence, next }) => [
      gfm`${own(signs[verdict])} ${check}`,
      gfm`${host ?? 'the cluster'}`,
      gfm`${subject === undefined ? evidence : `${subject}: ${evidence}`}`,
      next === undefined ? gfm`` : gfm`${next}`,
    ]);
  const titles = ['check', 'where', 'seen', 'next'];
  const bad = items.filter(({ verdict }) => verdict !== 'ok');
  const good = items.filter(({ verdict }) => verdict === 'ok');
  return [
    ...(bad.length === 0 ? [] : [table(titles, rowsOf(bad))]),
    ...(good.length === 0 ? [] : [folded(gfm`${own(counted(good.length, 'check'))} ok`, table(titles, rowsOf(good)))]),
  ];
}

function drillBlock({ service, host, observer, address, client, holder, recoveredMs }: DrillMeasurement): Markdown {
  return gfm`**Fail-over:** ${service} on ${host} stopped: address gone ${describeGap(address)}, clients interrupted ${describeGap(client)}, now on ${holder ?? 'no host'}, recovered in ${recoveredMs === undefined ? 'not yet' : seconds(recoveredMs)}; measured on ${observer}`;
}

function latencyBlocks({ latency }: RunReport): readonly Markdown[] {
  if (latency === undefined) return [];
  const cells = (figures: LatencyFigures | undefined): readonly Markdown[] =>
    figures === undefined
      ? [gfm`–`, gfm`–`]
      : [figures.p50Ms, figures.p99Ms].map((value) => gfm`${`${value.toFixed(2)} ms`}`);
  const rows = latency.ways.map(({ way, url, reads, connections, problem }) => [
    gfm`${`${way} ${url}`}${problem === undefined ? undefined : gfm`: ${problem}`}`,
    ...cells(reads),
    ...cells(connections),
  ]);
  const titles = ['way to etcd', 'read p50', 'p99', 'new connection p50', 'p99'];
  return [gfm`Measured on ${latency.host}:\n\n${table(titles, rows)}`];
}

function pictureBlock(title: string, picture: NonNullable<RunReport['before']>): Markdown {
  return gfm`**${own(title)}**\n\n${fenced('mermaid', mermaidOf(drawCluster(picture)))}`;
}

function stepBlock({ hosts, steps, play }: StepGroup, how: 'with diffs' | 'without diffs'): Markdown {
  const lines = steps.map((step) => {
    const line = stepLine(step);
    const diffs = how === 'with diffs' ? step.variants.filter(({ diff }) => diff.length > 0) : [];
    if (diffs.length === 0) return line;
    const shown = diffs.map(({ hosts: on, diff }) => gfm`on ${nameHosts(on)}\n\n${fenced('diff', diff)}`);
    return folded(line, joined(shown, '\n\n'));
  });
  return gfm`**${play}** on ${nameHosts(hosts)}\n\n${joined(lines, '\n\n')}`;
}

function stepLine({ step, ends }: GroupedReportStep): Markdown {
  const sign = step.end === 'unknown' ? gfm`❔` : step.disruptive ? gfm`⚠️` : gfm`▫️`;
  const words =
    step.end === 'unknown' ? gfm`${step.address}: known after apply: ${step.summary}` : gfm`${step.summary}`;
  return gfm`${sign} ${words}${ends === '' ? undefined : gfm`: ${ends}`}`;
}
