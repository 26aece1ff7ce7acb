import { describedPicture, pictureOf } from '../checks/cluster-picture.js';
import type { ClusterPicture } from '../model/cluster-picture.js';
import type { Event, EventSink, RunCommand } from '../model/events.js';
import { summarisePlan } from '../model/plan.js';
import { VERSION } from '../model/version.js';
import { eventRecord } from '../report/ndjson.js';
import { whoRuns } from './lock-holder.js';
import { openReportFiles, type ReportFiles } from './report-files.js';
import type { Session } from './session.js';

/** What is gathered of a run for its reports. */
export interface RunReporting {
  note(event: Event): void;
  /** Begins to look at the cluster; the run goes on meanwhile. */
  begin(session: Session): void;
  /** Resolves when the cluster was looked at: before anything is changed. */
  isLooked(): Promise<void>;
  /** Looks again where something was changed, and writes the reports. @param fail is called where one was not written */
  end(after: { readonly emit: EventSink; readonly fail: () => void }): Promise<void>;
}

interface ReportedRun {
  readonly command: RunCommand;
  readonly inventory: string;
  readonly files: readonly string[];
}

/** @throws ProvisionError where a report could not be written */
export async function openRunReporting({ command, inventory, files }: ReportedRun): Promise<RunReporting> {
  const targets = await openReportFiles(files);
  return new Reporting(targets, { command, inventory });
}

class Reporting implements RunReporting {
  readonly #files: ReportFiles;
  readonly #run: Pick<ReportedRun, 'command' | 'inventory'>;
  readonly #begun = new Date();
  readonly #events: { readonly event: Event; readonly time: Date }[] = [];
  #session: Session | undefined;
  #before: Promise<ClusterPicture | undefined> = Promise.resolve(undefined);

  constructor(files: ReportFiles, run: Pick<ReportedRun, 'command' | 'inventory'>) {
    this.#files = files;
    this.#run = run;
  }

  note(event: Event): void {
    this.#events.push({ event, time: new Date() });
  }

  begin(session: Session): void {
    this.#session = session;
    this.#before = pictureFor(session);
  }

  async isLooked(): Promise<void> {
    await this.#before;
  }

  async end({ emit, fail }: { readonly emit: EventSink; readonly fail: () => void }): Promise<void> {
    const [before, after] = [await this.#before, await this.#after()];
    const span = { begun: this.#begun.toISOString(), ended: new Date().toISOString() };
    try {
      const events = this.#events.map(({ event, time }) => eventRecord(event, time));
      await this.#files.write({ tool: VERSION, ...this.#run, by: whoRuns(), ...span, events, before, after });
    } catch (error) {
      // Whatever it is: the run is over, and how it ended is what counts.
      emit({ type: 'notice', message: error instanceof Error ? error.message : String(error) });
      fail();
    }
  }

  async #after(): Promise<ClusterPicture | undefined> {
    if (this.#session === undefined) return undefined;
    if (this.#run.command === 'plan') return this.#isPlanned() ? described(this.#session) : undefined;
    return this.#events.some(({ event }) => event.type === 'change-started') ? pictureFor(this.#session) : undefined;
  }

  /** Whether the plan has something to do. */
  #isPlanned(): boolean {
    const plan = this.#events.map(({ event }) => event).find((event) => event.type === 'planned')?.plan;
    if (plan === undefined) return false;
    const { changes, unknown } = summarisePlan(plan);
    return changes + unknown > 0;
  }
}

function isEmpty({ members, services, apiServers }: ClusterPicture): boolean {
  return members.length + services.length + apiServers.length === 0;
}

function described({ cluster }: Session): ClusterPicture | undefined {
  const picture = describedPicture(cluster);
  return isEmpty(picture) ? undefined : picture;
}

/** The cluster as it is now; nothing where that can't be told. It never fails: a report has no part in the run. */
async function pictureFor(session: Session): Promise<ClusterPicture | undefined> {
  const look = session.quietLook();
  try {
    const { cluster, isWithinLimit } = session;
    const picture = await pictureOf({ cluster, probe: (host) => look.probe(host), isAsked: isWithinLimit });
    return isEmpty(picture) ? undefined : picture;
  } catch {
    return undefined;
  }
}
