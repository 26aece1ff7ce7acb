import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { failureKindOf, worstKind } from '../engine/failure-kind.js';
import type { FleetCluster } from '../fleet/find-clusters.js';
import type { ClusterResult, FleetJson, FleetVerb } from '../fleet/fleet-schema.js';
import { failureKinds, runFleet } from '../fleet/run-fleet.js';
import type { FailureKind } from '../model/error-codes/explanation.js';
import { EXIT, ProvisionError } from '../model/errors.js';
import { VERSION } from '../model/version.js';
import { wantsColour } from '../report/create-reporter.js';
import { clusterResult } from '../report/fleet-result.js';
import { renderEnded, renderFleet } from '../report/fleet-text.js';
import { printableJson } from '../report/terminal-text.js';
import { quote } from '../shell/quote.js';
import type { Context } from './context.js';
import { chosenClusters, type FleetChoice } from './fleet-list.js';
import { createProcesses, type Processes } from './fleet-process.js';
import type { ReportOptions } from './report-option.js';
import { openFleetTelemetry } from './telemetry.js';
import { exitAfterReport } from './write-report.js';

/** The options of `fleet plan`, `apply` and `verify`; what is not here is handed on to each cluster's own run. */
export interface FleetOptions extends FleetChoice, ReportOptions {
  readonly jobs: number;
  readonly stopAfter?: number;
  readonly format: 'auto' | 'text' | 'json';
  readonly detailedExitcode?: boolean;
  readonly yes?: boolean;
  readonly askPass?: boolean;
  readonly askBecomePass?: boolean;
  /** Of `plan`: where plans are saved. */
  readonly out?: string;
  /** Of `apply`: where they were. */
  readonly plans?: string;
}

/** What a fleet's own options are called; all others are those of the verb for one cluster. */
const OWN = new Set([
  'shard',
  'changedSince',
  'jobs',
  'stopAfter',
  'format',
  'out',
  'plans',
  'yes',
  'detailedExitcode',
  'report',
]);

/** Works on each cluster in a process of its own, shows what came of all, and ends with the worst that happened. */
export async function workOnFleet(
  directory: string,
  options: FleetOptions,
  { context, command }: { readonly context: Context; readonly command: Command },
): Promise<void> {
  const verb = command.name() as FleetVerb;
  refuseQuestions(directory, verb, options);
  const clusters = await chosenClusters(directory, options);
  const report = await reportInFiles(options);
  const begun = Date.now();
  const telemetry = await openFleetTelemetry({ verb, clusters: clusters.length }, context);
  const processes = createProcesses({ ...context.env, ...telemetry?.env });
  const stop = stopOnSignals(processes);
  const colour = (isTTY: boolean): { colour: boolean } => ({ colour: wantsColour({ isTTY, env: context.env }) });
  const words = handedOn(command);
  let outcome: Outcome = 'failed';
  try {
    const results = await runFleet(clusters, {
      jobs: options.jobs,
      stopAfter: options.stopAfter ?? Infinity,
      isStopped: stop.asked,
      work: async (cluster) => workOn(cluster, { verb, words, options, processes }),
      onResult: (result) => {
        telemetry?.note(result);
        context.stderr.write(renderEnded(result, colour(context.stderr.isTTY)));
      },
    });
    const fleet: FleetJson = {
      formatVersion: 1,
      verb,
      directory,
      elapsedMs: Date.now() - begun,
      clusters: [...results],
    };
    const text =
      options.format === 'json' ? `${printableJson(fleet, 2)}\n` : renderFleet(fleet, colour(context.stdout.isTTY));
    context.stdout.write(text);
    outcome = outcomeOf(results, stop.asked());
    const code = exitCode(outcome, results, options);
    context.exit(await exitAfterReport(code, report && (async () => report(fleet, begun)), context));
  } finally {
    stop.release();
    await telemetry?.close(outcome);
  }
}

/** Writes what came of a fleet, once it is known; whether it can be written was looked at before anything ran. */
async function reportInFiles({
  report,
}: ReportOptions): Promise<((fleet: FleetJson, begunMs: number) => Promise<void>) | undefined> {
  if (report === undefined) return undefined;
  const { openReportFiles } = await import('./report-files.js');
  const { fleetRecord } = await import('../report/fleet-record.js');
  const { whoRuns } = await import('./lock-holder.js');
  const files = await openReportFiles(report);
  return async (fleet, begunMs) => {
    const [begun, ended] = [begunMs, begunMs + fleet.elapsedMs].map((ms) => new Date(ms).toISOString());
    await files.write(fleetRecord(fleet, { tool: VERSION, by: whoRuns(), begun: begun ?? '', ended: ended ?? '' }));
  };
}

/** Many clusters ask no questions: what each would ask is answered before, or refused. @throws ProvisionError */
function refuseQuestions(directory: string, verb: FleetVerb, options: FleetOptions): void {
  if (options.askPass === true || options.askBecomePass === true)
    throw new ProvisionError({
      code: 'no-terminal',
      message: 'passwords are not asked for a fleet: the runs of its clusters have no terminal',
      hint: 'use keys, or ansible_become_password in a vault with --vault-password-file',
    });
  if (verb === 'apply' && options.yes !== true && options.plans === undefined)
    throw new ProvisionError({
      code: 'no-terminal',
      message: 'a fleet is applied without a question for each cluster, so the plans are to be read before',
      hint: `provision fleet plan ${quote(directory)} -o plans, then: provision fleet apply ${quote(directory)} --plans plans; or give --yes`,
    });
}

interface Work {
  readonly verb: FleetVerb;
  readonly words: readonly string[];
  readonly options: FleetOptions;
  readonly processes: Processes;
}

async function workOn(
  { name, inventory }: FleetCluster,
  { verb, words, options, processes }: Work,
): Promise<ClusterResult> {
  const begun = Date.now();
  const done = (told: Pick<ClusterResult, 'outcome' | 'changes' | 'summary' | 'hint'>): ClusterResult => ({
    ...{ cluster: name, inventory },
    ...told,
    elapsedMs: Date.now() - begun,
  });
  try {
    const more = [...(await planWords(name, verb, options)), ...(options.yes === true ? ['--yes'] : [])];
    return done(clusterResult(verb, await processes.run([verb, inventory, '--format', 'json', ...words, ...more])));
  } catch (error) {
    const { message, hint = null } = error as ProvisionError;
    return done({ outcome: failureKindOf(error), changes: null, summary: message, hint });
  }
}

/** Where the plan of a cluster is saved, and taken from. */
async function planWords(name: string, verb: FleetVerb, { out, plans }: FleetOptions): Promise<readonly string[]> {
  if (verb === 'plan' && out !== undefined) {
    const path = join(out, `${name}.plan`);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    return ['--out', path];
  }
  if (verb !== 'apply' || plans === undefined) return [];
  const path = join(plans, `${name}.plan`);
  if (existsSync(path)) return ['--plan', path];
  throw new ProvisionError({
    code: 'plan-unreadable',
    message: `no saved plan for it: ${path} is not there`,
    hint: `make and read them first: provision fleet plan DIRECTORY -o ${quote(plans)}`,
  });
}

/** What was typed and is not the fleet's own, as words for the run of one cluster. */
function handedOn(command: Command): readonly string[] {
  return command.options.flatMap((option) => {
    const key = option.attributeName();
    if (OWN.has(key) || command.getOptionValueSource(key) !== 'cli') return [];
    const value: unknown = command.getOptionValue(key);
    const name = option.long ?? '';
    return value === true ? [name] : [`${name}=${String(value)}`];
  });
}

/** Ctrl-C starts no other cluster, and is handed on to those that run: each ends in order, the second at once. */
function stopOnSignals(processes: Processes): { readonly asked: () => boolean; readonly release: () => void } {
  let isAsked = false;
  function onSignal(signal: NodeJS.Signals): void {
    isAsked = true;
    processes.signal(signal);
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  return {
    asked: () => isAsked,
    release() {
      for (const signal of signals) process.off(signal, onSignal);
    },
  };
}

type Outcome = FailureKind | 'done';

function outcomeOf(results: readonly ClusterResult[], isStopped: boolean): Outcome {
  if (isStopped) return 'stopped';
  const failed = failureKinds(results);
  return failed.length > 0 ? worstKind(failed) : 'done';
}

function exitCode(outcome: Outcome, results: readonly ClusterResult[], options: FleetOptions): number {
  const changes = results.some((result) => (result.changes ?? 0) > 0);
  return outcome === 'done' && options.detailedExitcode === true && changes ? EXIT.changesPending : EXIT[outcome];
}
