import { setTimeout as pause } from 'node:timers/promises';
import type { Event, EventSink } from '../model/events.js';
import { guardStream, type GuardedStream } from './guard-stream.js';
import { createPlainReporter } from './plain.js';
import type { Reporter } from './reporter.js';

/** Where a run is reported, and what takes over when that fails. */
export interface ReportPlaces {
  readonly stdout: NodeJS.WriteStream;
  /** Where the rest of the run is reported, in plain lines, once stdout is gone. */
  readonly stderr: NodeJS.WriteStream;
  /** Makes the reporter that a person asked for. @param stdout never throws */
  readonly create: (stdout: NodeJS.WriteStream) => Promise<Reporter>;
  /** Which events are worth standard error: of a run that changes nothing, its failure. */
  readonly isNeeded: (event: Event) => boolean;
  readonly now: () => Date;
}

/** A reporter that the run may call at any point: nothing that happens to it reaches the run. */
export interface ResilientReporter extends Reporter {
  /** From now on events are kept as well. @param open may fail, as its sink may at each event */
  keep(open: () => EventSink): void;
}

/** How long the end of a run waits until its last lines have arrived: a reader may stand still. */
const ARRIVAL_MS = 2_000;

/** What the last lines of a run are made of. */
const FOR_THE_END: ReadonlySet<Event['type']> = new Set([
  'run-started',
  'drill-measured',
  'run-finished',
  'run-failed',
]);

/** An event, and how many writes to stdout there were when it had been shown. */
interface Shown {
  readonly event: Event;
  readonly writes: number;
}

/**
 * Reports a run in every place that works. A place that fails (a full disk, a reader or a terminal that is gone, a bug
 * in a renderer) is named in the others, once; what it may have swallowed is repeated on stderr. No call throws, and
 * none rejects: the engine may report in the middle of a roll-back.
 */
export async function createResilientReporter(places: ReportPlaces): Promise<ResilientReporter> {
  const report = new Report(places);
  await report.begin(places.create);
  return {
    sink: (event) => {
      report.tell(event);
    },
    keep: (open) => {
      report.keep(open);
    },
    settled: () => report.ask((main) => main.settled()),
    close: () => report.close(),
  };
}

class Report {
  readonly #places: ReportPlaces;
  readonly #stdout: GuardedStream;
  #main: Reporter | undefined;
  #spare: Reporter | undefined;
  #journal: EventSink | undefined;
  #isJournalTold = false;
  /** Told, and perhaps not arrived; in the order of their writes. */
  readonly #unsure: Shown[] = [];
  readonly #forTheEnd: Event[] = [];

  constructor(places: ReportPlaces) {
    this.#places = places;
    this.#stdout = guardStream(places.stdout, (error) => {
      this.#replaceMain(`standard output can't be written (${error.message})`);
    });
  }

  async begin(create: ReportPlaces['create']): Promise<void> {
    try {
      this.#main = await create(this.#stdout.stream);
    } catch (error) {
      this.#replaceMain(cannotDraw(error));
    }
  }

  keep(open: () => EventSink): void {
    try {
      this.#journal = open();
    } catch (error) {
      this.#tellOfJournal(error);
    }
  }

  tell(event: Event): void {
    // The last event of a journal is how the run ended; what closing finds out comes after it.
    if (!this.#forTheEnd.some(isLast)) this.#tellJournal(event);
    if (FOR_THE_END.has(event.type)) this.#forTheEnd.push(event);
    if (this.#main === undefined) this.#tellSpare(event);
    else this.#tellMain(this.#main, event);
  }

  async ask(what: (reporter: Reporter) => Promise<void>): Promise<void> {
    try {
      if (this.#main !== undefined) await what(this.#main);
    } catch (error) {
      this.#replaceMain(cannotDraw(error));
    }
  }

  async close(): Promise<void> {
    await this.ask((main) => main.close());
    const patience = AbortSignal.timeout(ARRIVAL_MS);
    while (this.#main !== undefined && this.#stdout.arrived() < this.#stdout.writes() && !patience.aborted)
      await pause(1);
    await this.#spare?.close();
  }

  #tellMain(main: Reporter, event: Event): void {
    while ((this.#unsure[0]?.writes ?? Infinity) <= this.#stdout.arrived()) this.#unsure.shift();
    try {
      main.sink(event);
      this.#unsure.push({ event, writes: this.#stdout.writes() });
    } catch (error) {
      this.#unsure.push({ event, writes: Infinity });
      this.#replaceMain(cannotDraw(error));
    }
  }

  #tellJournal(event: Event): void {
    try {
      this.#journal?.(event);
    } catch (error) {
      this.#tellOfJournal(error);
    }
  }

  #tellOfJournal(error: unknown): void {
    if (this.#isJournalTold) return;
    this.#isJournalTold = true;
    this.tell({
      type: 'notice',
      message: `the journal of this run can't be written, and will have gaps: ${words(error)}`,
    });
  }

  #replaceMain(reason: string): void {
    if (this.#spare !== undefined) return;
    this.#main = undefined;
    const { stream } = guardStream(this.#places.stderr, () => undefined);
    this.#spare = createPlainReporter((text) => stream.write(text), this.#places.now);
    const lost = this.#unsure.map(({ event }) => event);
    for (const event of this.#forTheEnd.filter((each) => !lost.includes(each))) this.#tellSpare(event);
    this.tell({ type: 'notice', message: `${reason}; the run continues, and is reported on standard error` });
    for (const event of lost) this.#tellSpare(event);
  }

  #tellSpare(event: Event): void {
    if (this.#places.isNeeded(event)) this.#spare?.sink(event);
  }
}

function isLast({ type }: Event): boolean {
  return type === 'run-finished' || type === 'run-failed';
}

function cannotDraw(error: unknown): string {
  return `the report can't be drawn (${words(error)})`;
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
