import { overviewRows } from '../plan-overview.js';
import { outputLines } from '../terminal-text.js';
import { gateOpened, duration, nameHosts } from '../wording.js';
import { clusterTone } from './fleet-clusters.js';
import { markup, type Markup, type Part } from './markup.js';
import type { StepEnd } from './report-steps.js';
import type { Tone } from './report-verdict.js';
import type { RunReport } from './run-report.js';
import { stepGroups, type GroupedReportStep, type StepGroup } from './step-groups.js';

const NOTHING = markup``;

/** What failed, with its output, what was rolled back, and what to do next. */
export function failuresSection({ failures, rolledBack, hint }: RunReport): Markup {
  if (failures.length === 0 && rolledBack.length === 0) return NOTHING;
  const each = failures.map(
    ({ host, code, message }) =>
      markup`<h3 class="bad">${host ?? 'The run'}${code === undefined ? undefined : ` (${code})`}</h3><pre tabindex="0">${outputLines(message).join('\n')}</pre>`,
  );
  const undone = rolledBack.map(({ host, summary }) => markup`<li>${host}: ${summary}</li>`);
  return section('Failures', [
    each,
    undone.length === 0 ? undefined : markup`<h3>Rolled back</h3><ul>${undone}</ul>`,
    hint === undefined ? undefined : markup`<p>Next: <code>${hint}</code></p>`,
  ]);
}

/** Each play at a glance. */
export function playsSection({ plan }: RunReport): Markup {
  const rows = overviewRows(plan?.plays ?? []);
  if (plan === undefined || (rows.length === 0 && plan.away.length === 0)) return NOTHING;
  const cells = rows.map(
    ({ name, where, changes, disruptive, unknown, gates }) =>
      markup`<tr><td>${name}</td><td>${where}</td><td class="number">${changes}</td><td class="number${disruptive > 0 ? ' watch' : ''}">${disruptive}</td><td class="number">${unknown}</td><td>${gates.join(', ') || 'none'}</td></tr>`,
  );
  const away = plan.away.map(({ host, because }) => markup`<p class="watch">Made without ${host}: ${because}</p>`);
  return section('Plays, in this order', [
    wideTable('plays', ['play', 'where', '#changes', '#disruptive', '#known after apply', 'gates'], cells),
    away,
  ]);
}

const VERDICTS: Readonly<
  Record<RunReport['items'][number]['verdict'], { readonly sign: string; readonly tone: Tone }>
> = {
  ok: { sign: '✔ ok', tone: 'good' },
  warn: { sign: '! warning', tone: 'watch' },
  fail: { sign: '✖ failed', tone: 'bad' },
};

/** Every check of a health check, what is wrong first. */
export function checksSection({ items }: RunReport): Markup {
  if (items.length === 0) return NOTHING;
  const order = (['fail', 'warn', 'ok'] as const).flatMap((verdict) =>
    items.filter((item) => item.verdict === verdict),
  );
  const rows = order.map(({ check, host, subject, verdict, evidence, next }) => {
    const { sign, tone } = VERDICTS[verdict];
    const what = subject === undefined ? evidence : `${subject}: ${evidence}`;
    const way = next === undefined ? undefined : markup`<br>next: <code>${next}</code>`;
    return markup`<tr><td class="${tone}">${sign}</td><td>${check}</td><td>${host ?? 'the cluster'}</td><td>${what}${way}</td></tr>`;
  });
  return section('Checks', [wideTable('checks', ['verdict', 'check', 'where', 'seen'], rows)]);
}

/** What came of each cluster of a fleet, what is wrong first. */
export function clustersSection({ clusters }: RunReport): Markup {
  if (clusters.length === 0) return NOTHING;
  const order = (['bad', 'watch', 'good'] as const).flatMap((tone) =>
    clusters.filter((each) => clusterTone(each) === tone),
  );
  const rows = order.map((each) => {
    const way = each.hint === null ? undefined : markup`<br>next: <code>${each.hint}</code>`;
    return markup`<tr><td class="${clusterTone(each)}">${each.outcome}</td><td>${each.cluster}</td><td>${each.summary}${way}</td></tr>`;
  });
  return section('Clusters', [wideTable('clusters', ['outcome', 'cluster', 'what'], rows)]);
}

/** All steps, by play and host; diffs are folded. */
export function changesSection(report: RunReport): Markup {
  const groups = stepGroups(report);
  if (groups.length === 0) return NOTHING;
  const filter = markup`<form id="filter" hidden><label for="word">Only with</label><input id="word" type="search" placeholder="a host, a file, a word of a diff" autocomplete="off"><output></output><button type="button">Open all</button><button type="button">Close all</button></form>
`;
  return section('Changes', [filter, groups.map(groupOf)]);
}

function groupOf({ play, hosts, steps }: StepGroup): Markup {
  return markup`<div class="group" data-words="${[play, ...hosts].join(' ')} "><h3>${play}: ${nameHosts(hosts)}</h3>
${steps.map(stepOf)}</div>
`;
}

function stepOf({ step, variants, ends }: GroupedReportStep): Markup {
  const line = markup`${signOf(step)} ${step.end === 'unknown' ? `${step.address}: known after apply: ${step.summary}` : step.summary}${step.disruptive ? markup` <span class="watch">(disruptive)</span>` : undefined}${ends === '' ? undefined : markup` <span class="${toneOf(step.end)}">${ends}</span>`}${step.elapsedMs === undefined ? undefined : markup` <span class="dim">${duration(step.elapsedMs)}</span>`}`;
  const diffs = variants.filter(({ diff }) => diff.length > 0);
  if (diffs.length === 0)
    return markup`<div class="step">${line}</div>
`;
  const shown = diffs.map(
    ({ hosts, diff }) =>
      markup`${diffs.length > 1 ? markup`<p class="dim">on ${nameHosts(hosts)}</p>` : undefined}<pre class="diff" tabindex="0">${diff.map(diffLine)}</pre>`,
  );
  return markup`<details class="step"><summary>${line}</summary>${shown}</details>
`;
}

function signOf({ end, disruptive, effect }: GroupedReportStep['step']): Markup {
  if (end === 'unknown') return markup`<span class="watch">?</span>`;
  if (disruptive) return markup`<span class="watch">!</span>`;
  if (effect === 'delete') return markup`<span class="bad">-</span>`;
  return markup`<span class="good">${effect === 'create' ? '+' : '~'}</span>`;
}

function toneOf(end: StepEnd): Tone | 'dim' {
  if (end === 'done') return 'good';
  if (end === 'done before a roll-back') return 'watch';
  return end === 'failed' || end === 'interrupted' ? 'bad' : 'dim';
}

function diffLine(line: string): Markup {
  const kinds = [
    [/^(?:---|\+\+\+) /, 'dim'],
    [/^@@/, 'at'],
    [/^\+/, 'add'],
    [/^-/, 'del'],
  ] as const;
  const kind = kinds.find(([pattern]) => pattern.test(line))?.[1] ?? 'same';
  return markup`<span class="${kind}">${line === '' ? ' ' : line}</span>`;
}

/** Every gate that was asked, what it waited for, and how long. */
export function gatesSection({ gates }: RunReport): Markup {
  if (gates.length === 0) return NOTHING;
  const rows = gates.map(({ gate, hosts, fromMs, toMs, isOpen, note, reasons }) => {
    const waited = toMs - fromMs;
    const end = isOpen
      ? gateOpened(waited, note)
      : markup`<span class="bad">did not open within ${duration(waited)}</span>`;
    return markup`<tr><td class="name">${gate}</td><td${hosts.length < 3 ? markup` class="name"` : undefined}>${nameHosts(hosts)}</td><td>${duration(fromMs)}</td><td>${end}</td><td>${reasons.join('; then ')}</td></tr>`;
  });
  return section('Gates', [wideTable('gates', ['gate', 'hosts', 'asked after', 'end', 'waited for'], rows)]);
}

/** What a person should know, as the run said it. */
export function noticesSection({ notices }: RunReport): Markup {
  if (notices.length === 0) return NOTHING;
  const lines = notices.map(
    ({ host, message }) => markup`<li>${host === undefined ? undefined : `${host}: `}${message}</li>`,
  );
  return section('Notices', [markup`<ul>${lines}</ul>`]);
}

function section(title: string, inside: readonly Part[]): Markup {
  return markup`<section><h2>${title}</h2>
${inside}</section>
`;
}

/** @param titles one that begins with `#` is of numbers */
function wideTable(name: string, titles: readonly string[], rows: readonly Markup[]): Markup {
  const heads = titles.map((title) =>
    title.startsWith('#') ? markup`<th class="number">${title.slice(1)}</th>` : markup`<th>${title}</th>`,
  );
  return markup`<div class="wide" tabindex="0" role="region" aria-label="${name}"><table><thead><tr>${heads}</tr></thead><tbody>${rows}</tbody></table></div>
`;
}
