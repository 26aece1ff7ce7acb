import type { CheckItem } from '../../checks/check.js';
import { counted } from '../../model/counted.js';
import { summarisePlan, type PlanOutline } from '../../model/plan.js';
import type { EventJson } from '../event-schema.js';
import type { ReportStep } from './report-steps.js';

/** How a thing is meant: fine, to be looked at, wrong. */
export type Tone = 'good' | 'watch' | 'bad';

/** What a report comes to, in one sentence. */
export interface ReportVerdict {
  readonly tone: Tone;
  /** Made of words and figures of this program alone. */
  readonly text: string;
  /** What the run itself said, which may hold names of others. */
  readonly detail?: string;
}

interface Judged {
  readonly command: string;
  readonly plan: PlanOutline | undefined;
  readonly steps: readonly ReportStep[];
  readonly events: readonly EventJson[];
  readonly items: readonly CheckItem[];
}

/** What a run, a plan or a health check comes to. What was made without a host is not simply good. */
export function verdictOf(judged: Judged): ReportVerdict {
  const verdict = wholeVerdict(judged);
  const away = judged.plan?.away.length ?? 0;
  if (away === 0 || verdict.tone === 'bad') return verdict;
  return { ...verdict, tone: 'watch', text: `${verdict.text}; made without ${counted(away, 'host')}` };
}

function wholeVerdict({ command, plan, steps, events, items }: Judged): ReportVerdict {
  const failed = events.find((event) => event.type === 'run-failed');
  if (failed !== undefined) return { tone: 'bad', text: `${command} did not succeed`, detail: failed.message };
  if (command === 'verify') return healthOf(items);
  if (!events.some(({ type }) => type === 'run-finished'))
    return { tone: 'bad', text: `${command}: the run has not come to its end` };
  if (plan !== undefined && command === 'plan') return planVerdict(plan);
  const done = steps.filter(({ end }) => end === 'done').length;
  const measured = events.filter(({ type }) => type === 'drill-measured').length;
  if (measured > 0)
    return { tone: 'good', text: `${command}: ${counted(measured, 'fail-over')} measured, all restored` };
  if (done === 0) return { tone: 'good', text: `${command}: no changes were needed` };
  return { tone: 'good', text: `${command}: ${counted(done, 'change')} performed` };
}

function healthOf(items: readonly CheckItem[]): ReportVerdict {
  const count = (verdict: CheckItem['verdict']): number => items.filter((item) => item.verdict === verdict).length;
  if (items.length === 0) return { tone: 'watch', text: 'verify: nothing was checked' };
  const [ok, warn, fail] = [count('ok'), count('warn'), count('fail')];
  const figures = `${counted(items.length, 'check')}: ${ok} ok, ${counted(warn, 'warning')}, ${fail} failed`;
  if (fail > 0) return { tone: 'bad', text: `verify: not healthy; ${figures}` };
  return warn > 0
    ? { tone: 'watch', text: `verify: healthy, with warnings; ${figures}` }
    : { tone: 'good', text: `verify: healthy; ${figures}` };
}

function planVerdict(plan: PlanOutline): ReportVerdict {
  const { hosts, changedHosts, changes, disruptive, unknown, unchanged } = summarisePlan(plan);
  if (changes + unknown === 0)
    return { tone: 'good', text: `plan: no changes; ${counted(hosts, 'host')} looked at, ${unchanged} unchanged` };
  const figures = [
    `${counted(changes, 'change')} on ${counted(changedHosts, 'host')}`,
    ...(disruptive > 0 ? [`${disruptive} disruptive`] : []),
    ...(unknown > 0 ? [`${unknown} known after apply`] : []),
    `${unchanged} unchanged`,
  ];
  return { tone: disruptive > 0 ? 'watch' : 'good', text: `plan: ${figures.join(', ')}` };
}
