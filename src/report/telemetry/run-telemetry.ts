import type { Event, RunCommand } from '../../model/events.js';
import { createRunMetrics } from './run-metrics.js';
import { createRunSpans } from './run-spans.js';
import { startSdk } from './sdk.js';
import type { TelemetrySettings } from './settings.js';

/** A run as a collector receives it. */
export interface RunTelemetry {
  /** @param at milliseconds since 1970 */
  note(event: Event, at: number): void;
  /** Ends the run's spans and sends what is left. @returns what was not sent, if anything */
  close(at: number): Promise<string | undefined>;
}

/** Which run, and how it is reported. */
export interface ToldRun {
  readonly command: RunCommand;
  /** Milliseconds since 1970. */
  readonly begun: number;
  readonly settings: TelemetrySettings;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Begins to tell a run. */
export function tellRun({ command, begun, settings, env }: ToldRun): RunTelemetry {
  const sdk = startSdk({ settings, env });
  const { tracer, meter, parent } = sdk;
  const spans = tracer && createRunSpans({ tracer, parent }, command, begun);
  const metrics = meter && createRunMetrics(meter, command, begun);
  return {
    note(event, at) {
      spans?.note(event, at);
      metrics?.note(event, at);
    },
    async close(at) {
      spans?.end(at);
      return sdk.close();
    },
  };
}
