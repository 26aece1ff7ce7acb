import type { CheckItem } from '../../checks/check.js';
import type { ClusterResult } from '../../fleet/fleet-schema.js';
import { firstLine } from '../../model/first-line.js';
import type { PlanOutline } from '../../model/plan.js';
import { groupBy } from '../plan-groups.js';
import { outputLines } from '../terminal-text.js';
import { clusterWords } from './fleet-clusters.js';
import { markup, type Markup } from './markup.js';
import { REPORT_MARK } from './report-mark.js';
import type { ReportStep } from './report-steps.js';
import type { RunReport } from './run-report.js';

/** One step, or one check, as a test case. */
interface Case {
  /** What groups it: a play, or a check. */
  readonly classname: string;
  readonly name: string;
  readonly elapsedMs: number;
  readonly result: 'passed' | 'failed' | 'skipped';
  /** Of what failed or was skipped: why, in one line. */
  readonly reason: string;
  /** All that is known of it. */
  readonly text: string;
}

/** A host, or the run itself. */
interface Suite {
  readonly name: string;
  readonly cases: readonly Case[];
}

/** What belongs to no host. */
const RUN_SUITE = 'the run';

/**
 * A report as JUnit's XML, for CI systems: hosts are suites, steps and checks are cases. What is known only after apply, and
 * what was not performed, is skipped, with its reason. Warnings of a health check pass: they are in the case's output.
 * @returns XML 1.0; valid for any text of a host
 */
export function renderJunit(report: RunReport): string {
  const { begun, elapsedMs, command, inventory } = report;
  const suites = suitesOf(report);
  const total = figuresOf(suites.flatMap(({ cases }) => cases));
  const all = suites.map((suite, index) => renderSuite(suite, index, begun));
  const name = `provision ${command} ${inventory}`;
  return markup`<?xml version="1.0" encoding="UTF-8"?>
<!-- ${{ markup: REPORT_MARK }} -->
<testsuites name="${name}" tests="${total.tests}" failures="${total.failures}" errors="0" time="${secondsOf(elapsedMs)}">
${all}</testsuites>
`.markup;
}

function suitesOf(report: RunReport): readonly Suite[] {
  const away = (report.plan?.away ?? []).map((host) => awayCase(host, report));
  const cases = [...report.steps.map(stepCase), ...away, ...report.items.map(checkCase)];
  const all = [...cases, ...report.clusters.map((each) => clusterCase(each, report)), ...runCases(report)];
  return groupBy(all, ({ host }) => host).map((own) => ({
    name: own[0]?.host ?? RUN_SUITE,
    cases: own.map(({ of }) => of),
  }));
}

/** A host that is not in the plan, for it can't be reached: nothing is known of it. */
function awayCase({ host, because }: PlanOutline['away'][number], { command }: RunReport): HostCase {
  const reason = `made without it: ${because}`;
  return { host, of: { classname: command, name: 'the host', elapsedMs: 0, result: 'skipped', reason, text: '' } };
}

interface HostCase {
  readonly host: string;
  readonly of: Case;
}

const SKIPPED: Readonly<Partial<Record<ReportStep['end'], string>>> = {
  unknown: 'known after apply',
  'done before a roll-back': 'was done, and then rolled back after a failure on its host',
  'not performed': 'not performed: the run ended before',
  interrupted: 'was in progress when the run ended, may be incomplete',
};

function stepCase({ play, host, address, summary, diff, end, elapsedMs, message = '' }: ReportStep): HostCase {
  const name = `${address}: ${summary}`;
  const of = { classname: play, name, elapsedMs: elapsedMs ?? 0 };
  const skipped = SKIPPED[end];
  if (end === 'failed')
    return { host, of: { ...of, result: 'failed', reason: firstLine(message), text: outputOf(message) } };
  if (skipped !== undefined) {
    const reason = end === 'unknown' ? `${skipped}: ${summary}` : skipped;
    return { host, of: { ...of, result: 'skipped', reason, text: '' } };
  }
  return { host, of: { ...of, result: 'passed', reason: '', text: [`${end}: ${summary}`, ...diff].join('\n') } };
}

function checkCase({ check, host, subject, verdict, evidence, next }: CheckItem): HostCase {
  const name = subject === undefined ? check : `${check}: ${subject}`;
  const of = { classname: check, name, elapsedMs: 0 };
  const text = next === undefined ? evidence : `${evidence}\nnext: ${next}`;
  const place = { host: host ?? RUN_SUITE };
  if (verdict === 'fail') return { ...place, of: { ...of, result: 'failed', reason: evidence, text } };
  return {
    ...place,
    of: { ...of, result: 'passed', reason: '', text: verdict === 'warn' ? `warning: ${text}` : text },
  };
}

/** A cluster of a fleet: one that was not started is skipped. */
function clusterCase(each: ClusterResult, { command }: RunReport): HostCase {
  const { cluster, outcome, summary, hint, elapsedMs } = each;
  const reason = clusterWords(each);
  const text = hint === null ? reason : `${reason}\nnext: ${hint}`;
  const result = outcome === 'ok' ? 'passed' : outcome === 'not-started' ? 'skipped' : 'failed';
  return { host: cluster, of: { classname: command, name: summary, elapsedMs, result, reason, text } };
}

/** The run as a whole, and what failed without being a step: a host that does not answer, a gate that did not open. */
function runCases({
  command,
  verdict,
  failures,
  steps,
  elapsedMs,
  hint,
  items,
  clusters,
  notices,
}: RunReport): readonly HostCase[] {
  const ownFailures = failures.filter(
    ({ host, message }) =>
      !steps.some((step) => step.end === 'failed' && step.host === host && step.message === message),
  );
  const cases = ownFailures.map(({ host, code, message }): HostCase => {
    const of = { classname: command, name: code ?? 'failed', elapsedMs: 0, reason: firstLine(message) };
    return { host: host ?? RUN_SUITE, of: { ...of, result: 'failed', text: outputOf(message) } };
  });
  const isBad = verdict.tone === 'bad' && items.length + clusters.length === 0;
  const told = notices.map(({ host, message }) => (host === undefined ? message : `${host}: ${message}`));
  const words = [verdict.text, verdict.detail, hint, ...told].filter((each) => each !== undefined).join('\n');
  const whole = { classname: command, name: command, elapsedMs, reason: verdict.detail ?? verdict.text, text: words };
  return [...cases, { host: RUN_SUITE, of: { ...whole, result: isBad ? 'failed' : 'passed' } }];
}

/** What a command printed, without its colours. */
function outputOf(message: string): string {
  return outputLines(message).join('\n');
}

function figuresOf(cases: readonly Case[]): {
  readonly tests: number;
  readonly failures: number;
  readonly skipped: number;
} {
  const count = (result: Case['result']): number => cases.filter((each) => each.result === result).length;
  return { tests: cases.length, failures: count('failed'), skipped: count('skipped') };
}

/** As CI systems read it: seconds, with a dot. */
function secondsOf(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}

function renderSuite({ name, cases }: Suite, index: number, begun: string): Markup {
  const { tests, failures, skipped } = figuresOf(cases);
  const time = secondsOf(cases.reduce((sum, { elapsedMs }) => sum + elapsedMs, 0));
  // JUnit's time has no zone: it is in UTC.
  const timestamp = begun.replace(/\.\d+Z$/, '');
  return markup`  <testsuite id="${index}" name="${name}" hostname="${name}" timestamp="${timestamp}" tests="${tests}" failures="${failures}" errors="0" skipped="${skipped}" time="${time}">
${cases.map(renderCase)}  </testsuite>
`;
}

function renderCase({ classname, name, elapsedMs, result, reason, text }: Case): Markup {
  return markup`    <testcase classname="${classname}" name="${oneLine(name)}" time="${secondsOf(elapsedMs)}">${inside(result, oneLine(reason), text)}</testcase>
`;
}

function inside(result: Case['result'], reason: string, text: string): Markup {
  switch (result) {
    case 'failed':
      return markup`<failure type="failed" message="${reason}">${text}</failure>`;
    case 'skipped':
      return markup`<skipped message="${reason}"/>`;
    case 'passed':
      return text === '' ? markup`` : markup`<system-out>${text}</system-out>`;
  }
}

/** An attribute has no lines: a reader makes spaces of them. */
function oneLine(text: string): string {
  return text.replaceAll('\n', ' ');
}
