import type { Command } from 'commander';
import type { CheckItem } from '../checks/check.js';
import type { Resource } from '../model/change.js';
import type { Cluster } from '../model/cluster.js';
import type { ClusterPicture } from '../model/cluster-picture.js';
import type { Latency } from '../model/latency.js';
import { EXIT } from '../model/errors.js';
import { balancerHosts } from '../model/virtual-service.js';
import type { Session } from './session.js';
import type { Play } from '../playbook/play.js';
import { printableJson } from '../report/terminal-text.js';
import type { HealthReporting } from './health-reporting.js';
import { addConnectionOptions, type ConnectionOptions } from './connection-options.js';
import type { Context } from './context.js';
import { formatOption } from './format-option.js';
import { unlockCommand } from './lock-cluster.js';
import { addInventoryOptions, INVENTORY, type InventoryOptions } from './inventory-options.js';
import { reportOption, type ReportOptions } from './report-option.js';

/** The options of `verify`, besides the inventory. */
interface VerifyOptions extends ConnectionOptions, InventoryOptions, ReportOptions {
  readonly playbook?: string;
  readonly format: 'auto' | 'text' | 'json';
  readonly latency?: true;
  readonly smokeTest?: true;
}

/** `provision verify INVENTORY`: a health check of a running cluster. It changes nothing on any machine; only `--smoke-test` starts pods, and removes them. */
export function defineVerifyCommand(verb: Command, context: Context): void {
  const command = verb
    .argument('<inventory>', INVENTORY)
    .option('-p, --playbook <name>', 'what drift is judged by, as for plan')
    .option('--latency', 'measure how fast etcd answers, through the virtual IP and by way of each member')
    .option('--smoke-test', 'start two pods and a service, ask them from every node, and remove them')
    .addOption(formatOption('one object'))
    .addOption(reportOption());
  addConnectionOptions(addInventoryOptions(command)).action(async (inventory: string, options: VerifyOptions) => {
    await verify(inventory, options, context);
  });
}

async function verify(inventory: string, options: VerifyOptions, context: Context): Promise<void> {
  const report = await reportInFiles(inventory, options);
  try {
    await checkUp(inventory, { options, context, report });
  } catch (error) {
    await report?.fail(error);
    throw error;
  }
}

/** What a health check is made with. */
interface CheckUp {
  readonly options: VerifyOptions;
  readonly context: Context;
  readonly report: HealthReporting | undefined;
}

async function checkUp(inventory: string, { options, context, report }: CheckUp): Promise<void> {
  const { openSession } = await import('./session.js');
  const { writeNotices } = await import('./write-notices.js');
  const { describeLocks, locksSeen } = await import('../engine/left-lock.js');
  const { isGoneHolder } = await import('./lock-holder.js');
  const { runChecks } = await import('../checks/run-checks.js');
  const { pictureOf } = await import('../checks/cluster-picture.js');
  const emit = writeNotices(context.stderr);
  const session = await openSession(inventory, options, { context, emit, interrupted: () => false });
  try {
    const { cluster, certificates, world, plays } = session;
    const [look, again] = [world.newLook(), world.newLook()];
    const checked = runChecks({
      cluster,
      certificates,
      inventory,
      probe: (host) => look.probe(host),
      probeAgain: (host) => again.probe(host),
      resources: resourcesOf(plays),
      now: () => world.now(),
    });
    // In the same turn as the checks' first questions: one exec a host.
    const [items, locks, picture] = await Promise.all([
      checked,
      locksSeen(hostsOf(cluster), look),
      // A health check without it is one, too.
      pictureOf({ cluster, probe: (host) => look.probe(host), isAsked: () => true }).catch(() => undefined),
    ]);
    const left = describeLocks(locks, { isGone: isGoneHolder, unlockCommand: unlockCommand(inventory) });
    // What a run is changing may be incomplete: that comes first.
    const all = [...left.map((lock): CheckItem => ({ check: 'lock', verdict: 'warn', ...lock })), ...items];
    // Last, when no check is in the way.
    const measured = options.latency === true ? await latencyOf(session) : undefined;
    const { found: smoked, isStopped } =
      options.smokeTest === true ? await smokeTestOf(session) : { found: [], isStopped: false };
    const shown = [...all, ...smoked, ...(measured?.items ?? [])];
    await show(shown, { inventory, options, context, picture, latency: measured?.latency });
    const found = { items: shown, latency: measured?.latency ?? undefined, before: picture };
    const hasFailed = [...items, ...smoked].some(({ verdict }) => verdict === 'fail');
    const code = isStopped ? EXIT.stopped : hasFailed ? EXIT.failed : EXIT.done;
    const { exitAfterReport } = await import('./write-report.js');
    context.exit(await exitAfterReport(code, report && (async () => report.write(found)), context));
  } finally {
    await session.close();
  }
}

async function reportInFiles(inventory: string, { report }: ReportOptions): Promise<HealthReporting | undefined> {
  if (report === undefined) return undefined;
  const { openHealthReporting } = await import('./health-reporting.js');
  return openHealthReporting(inventory, report);
}

/** What was measured, or an item that says why nothing was. */
async function latencyOf({ cluster, world }: Pick<Session, 'cluster' | 'world'>): Promise<{
  readonly latency: Latency | null;
  readonly items: readonly CheckItem[];
}> {
  const { etcdLatency } = await import('../drill/latency.js');
  const found = await etcdLatency(cluster, world);
  if (!('problem' in found)) return { latency: found, items: [] };
  const { problem, next } = found;
  return { latency: null, items: [{ check: 'latency', verdict: 'warn', evidence: `not measured: ${problem}`, next }] };
}

/** The first request to stop ends the test, which removes what it has made; another one ends the process. */
async function smokeTestOf({ cluster, world }: Pick<Session, 'cluster' | 'world'>): Promise<{
  readonly found: readonly CheckItem[];
  readonly isStopped: boolean;
}> {
  const { smokeTest } = await import('../drill/smoke-test.js');
  const stop = new AbortController();
  const onSignal = (): void => {
    for (const signal of STOPS) process.off(signal, onSignal);
    world.emit({ type: 'notice', message: 'stopping: what the smoke test has started is removed first' });
    stop.abort();
  };
  for (const signal of STOPS) process.on(signal, onSignal);
  try {
    const found = await smokeTest(cluster, world, stop.signal);
    return { found: found.map((each) => ({ check: 'smoke-test', ...each })), isStopped: stop.signal.aborted };
  } finally {
    for (const signal of STOPS) process.off(signal, onSignal);
  }
}

const STOPS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The hosts that the checks ask. */
function hostsOf(cluster: Cluster): readonly string[] {
  const parts = [...cluster.members, ...cluster.controlPlanes].map(({ host }) => host);
  return [...new Set([...parts, ...balancerHosts(cluster)])];
}

/** What all plays want of each host; what several plays want is wanted once. */
function resourcesOf(plays: readonly Play[]): ReadonlyMap<string, readonly Resource[]> {
  const hosts = new Set(plays.flatMap((play) => play.hosts));
  return new Map(
    [...hosts].map((host) => {
      const all = plays.flatMap((play) => play.resources.get(host) ?? []).toReversed();
      return [host, [...new Map(all.map((resource) => [resource.address, resource])).values()].toReversed()];
    }),
  );
}

/** What a health check is shown with. */
interface Showing {
  readonly inventory: string;
  readonly options: VerifyOptions;
  readonly context: Context;
  /** Absent: nothing could be drawn. */
  readonly picture: ClusterPicture | undefined;
  /** Absent: not asked for; null: not measured. */
  readonly latency: Latency | null | undefined;
}

async function show(items: readonly CheckItem[], showing: Showing): Promise<void> {
  const { inventory, options, context, picture, latency } = showing;
  if (options.format === 'json') {
    context.stdout.write(`${printableJson({ formatVersion: 1, inventory, items, latency }, 2)}\n`);
    return;
  }
  const { renderCheckUp } = await import('../report/verify-text.js');
  const { wantsColour } = await import('../report/create-reporter.js');
  const colour = wantsColour({ isTTY: context.stdout.isTTY, env: context.env });
  const { renderPicture } = await import('../report/picture-text.js');
  if (picture !== undefined) context.stdout.write(renderPicture(picture, { colour }));
  context.stdout.write(renderCheckUp(items, { colour }));
  if (latency === undefined || latency === null) return;
  const { renderLatency } = await import('../report/latency-text.js');
  context.stdout.write(`\n${renderLatency(latency, { colour })}`);
}
