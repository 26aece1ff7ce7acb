import { EXIT, ProvisionError } from '../model/errors.js';
import { processMark } from '../model/process-mark.js';
import type { EventSink, RunCommand } from '../model/events.js';
import { createReporter } from '../report/create-reporter.js';
import { createJournal, directoryOf, journalDirectory } from '../report/journal.js';
import { createResilientReporter, type ResilientReporter } from '../report/resilient-reporter.js';
import { terminalSize } from '../report/terminal-size.js';
import type { Context } from './context.js';
import { changesInHand, stopOnRequest } from './stop-on-request.js';
import type { RunOptions } from './run-options.js';
import { openSession, type Session } from './session.js';
import type { RunReporting } from './run-reporting.js';
import { openTelemetry } from './telemetry.js';
import { tellRotation } from './tell-rotation.js';

/** What a verb's work gets. */
export interface Run {
  readonly session: Session;
  readonly emit: EventSink;
  /** Everything so far is on the screen: a question may be asked. */
  readonly settled: () => Promise<void>;
  /** From now on hosts are changed: a first Ctrl-C waits for the change in progress. */
  readonly startActing: () => void;
  /** Milliseconds since 1970. */
  readonly begun: number;
}

/** A run that a person asked for. */
export interface RunRequest {
  readonly command: RunCommand;
  readonly inventory: string;
  readonly options: RunOptions;
  /** What to do next when it is stopped in the middle, where that is not to run it again. */
  readonly left?: string;
  /** `own`: it has plays of its own, or none. */
  readonly plays?: 'own' | 'of-playbook' | undefined;
  /** `none`: it writes nothing anywhere. */
  readonly journal?: 'kept' | 'none';
}

/** The others are for a cluster in need, or sign nothing. */
const SIGNING: readonly RunCommand[] = ['plan', 'apply', 'certs renew', 'ca rotate', 'member replace'];

/**
 * The frame of `plan`, `apply`, `bypass` and `drill`: opens a session, reports it, closes all. Ctrl-C lets the change in
 * progress be finished and no other begun; a second one ends at once, as does the first while nothing is changed yet.
 * @param work gives the exit code
 */
export async function withRun(
  { command, inventory, options, left, plays, journal = command === 'plan' ? 'none' : 'kept' }: RunRequest,
  context: Context,
  work: (run: Run) => Promise<number>,
): Promise<void> {
  const begun = Date.now();
  const report = await reportInFiles(command, inventory, options);
  const telemetry = openTelemetry(command, begun, context);
  const reporter = await openReport(command, options, context);
  const inHand = changesInHand();
  const emit: EventSink = (event) => {
    if (stop.hasEnded()) return;
    inHand.note(event);
    report?.note(event);
    telemetry?.note(event);
    // Not before the inventory was found: its directory is where the journal goes.
    if (journal === 'kept' && event.type === 'run-started') reporter.keep(() => journalOf(inventory, begun));
    reporter.sink(event);
  };
  const close = async (): Promise<void> => {
    await Promise.all([reporter.close(), telemetry?.close()]);
  };
  const stop = stopOnRequest({ emit, inHand: inHand.list, left, close });
  const settled = async (): Promise<void> => {
    await report?.isLooked();
    await reporter.settled();
  };
  let session: Session | undefined;
  try {
    const edges = { context, emit, interrupted: stop.asked, plays, signs: SIGNING.includes(command) };
    session = await openSession(inventory, options, edges);
    const { whoRuns } = await import('./lock-holder.js');
    const thisRun = { command, inventory, by: whoRuns(), process: processMark(process.pid) };
    emit({ type: 'run-started', ...thisRun, hosts: session.world.hosts });
    report?.begin(session);
    if (command !== 'ca rotate') tellRotation(session.pki.authority, inventory, emit);
    context.exit(await work({ session, emit, settled, startActing: stop.startActing, begun }));
  } catch (error) {
    const { runFailed } = await import('../report/run-failed.js');
    emit(runFailed(error));
    if (!(error instanceof ProvisionError)) throw error;
    const { failureKindOf } = await import('../engine/failure-kind.js');
    context.exit(stop.asked() ? EXIT.stopped : EXIT[failureKindOf(error)]);
  } finally {
    stop.release();
    await report?.end({
      emit,
      fail: () => {
        context.exit(EXIT.failed);
      },
    });
    await session?.close();
    // A person sees how it ended before a collector is waited for.
    await reporter.close();
    await telemetry?.close();
  }
}

async function reportInFiles(
  command: RunCommand,
  inventory: string,
  { report }: RunOptions,
): Promise<RunReporting | undefined> {
  if (report === undefined) return undefined;
  const { openRunReporting } = await import('./run-reporting.js');
  return openRunReporting({ command, inventory, files: report });
}

function openReport(command: RunCommand, { format }: RunOptions, context: Context): Promise<ResilientReporter> {
  const { streams, env } = context;
  const { stdout, stderr } = streams;
  const now = (): Date => new Date();
  return createResilientReporter({
    stdout,
    stderr,
    now,
    isNeeded: ({ type }) => command !== 'plan' || type === 'run-failed',
    create: (guarded) =>
      createReporter({
        format,
        stdout: guarded,
        isTTY: stdout.isTTY,
        size: () => terminalSize(stdout),
        env,
        now,
      }),
  });
}

function journalOf(inventory: string, begun: number): EventSink {
  return createJournal(journalDirectory(directoryOf(inventory)), new Date(begun), () => new Date());
}
