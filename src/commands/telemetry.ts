import type { FleetVerb } from '../fleet/fleet-schema.js';
import type { Event, RunCommand } from '../model/events.js';
import type { FleetTelemetry } from '../report/telemetry/fleet-telemetry.js';
import type { RunTelemetry } from '../report/telemetry/run-telemetry.js';
import type { TelemetrySettings } from '../report/telemetry/settings.js';
import type { Context } from './context.js';

/** A run as a collector of OpenTelemetry is told of it: nothing that happens to it reaches the run, or how that ends. */
export interface Telemetry {
  note(event: Event): void;
  /** Sends what is left, for a few seconds at most, and says on stderr what was not sent; once. */
  close(): Promise<void>;
}

type Edges = Pick<Context, 'env' | 'stderr'>;

/** OTEL_EXPORTER_OTLP_ENDPOINT, or that of one signal. */
const ENDPOINT = /^OTEL_EXPORTER_OTLP_(?:(?:TRACES|METRICS)_)?ENDPOINT$/;

function isAsked({ env }: Edges): boolean {
  return Object.entries(env).some(([name, value]) => ENDPOINT.test(name) && (value ?? '') !== '');
}

/** Begins to tell a run, where the environment names a collector. Nothing is loaded where it does not. */
export function openTelemetry(command: RunCommand, begun: number, edges: Edges): Telemetry | undefined {
  return isAsked(edges) ? new RunTeller(command, begun, edges) : undefined;
}

class RunTeller implements Telemetry {
  readonly #edges: Edges;
  readonly #loaded: Promise<void>;
  /** What happened while the packages were loaded. */
  readonly #early: { readonly event: Event; readonly at: number }[] = [];
  #run: RunTelemetry | undefined;
  #closed: Promise<void> | undefined;

  constructor(command: RunCommand, begun: number, edges: Edges) {
    this.#edges = edges;
    this.#loaded = this.#guard(async () => {
      const { tellRun } = await import('../report/telemetry/run-telemetry.js');
      const run = tellRun({ command, begun, settings: await settingsOf(edges), env: edges.env });
      for (const { event, at } of this.#early) run.note(event, at);
      this.#run = run;
    });
  }

  note(event: Event): void {
    if (this.#closed !== undefined) return;
    const at = Date.now();
    if (this.#run === undefined) this.#early.push({ event, at });
    else void this.#guard(() => this.#run?.note(event, at));
  }

  close(): Promise<void> {
    this.#closed ??= this.#close(Date.now());
    return this.#closed;
  }

  async #close(at: number): Promise<void> {
    await this.#loaded;
    await this.#guard(async () => {
      warn(this.#edges, await this.#run?.close(at));
    });
  }

  /** The run goes on without telemetry where that fails, whatever it is. */
  async #guard(work: () => Promise<void> | void): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#run = undefined;
      warn(this.#edges, notTold(error));
    }
  }
}

/** Which fleet is reported. */
interface Fleet {
  readonly verb: FleetVerb;
  readonly clusters: number;
}

/** The same for a fleet: each cluster's own run belongs to what its process is given. */
export async function openFleetTelemetry(fleet: Fleet, edges: Edges): Promise<FleetTelemetry | undefined> {
  if (!isAsked(edges)) return undefined;
  try {
    const { tellFleet } = await import('../report/telemetry/fleet-telemetry.js');
    const told = tellFleet({ ...fleet, settings: await settingsOf(edges), env: edges.env });
    return {
      ...told,
      close: async (outcome) => {
        const problem = await told.close(outcome).catch(notTold);
        warn(edges, problem);
        return problem;
      },
    };
  } catch (error) {
    warn(edges, notTold(error));
    return undefined;
  }
}

async function settingsOf({ env }: Edges): Promise<TelemetrySettings> {
  const { telemetrySettings } = await import('../report/telemetry/settings.js');
  return telemetrySettings(env);
}

/** Of a library's error only what it is called: its message may have what it was given. */
function notTold(error: unknown): string {
  return `no telemetry is sent: ${error instanceof Error ? error.name : 'it failed'}`;
}

function warn({ stderr }: Edges, problem: string | undefined): void {
  if (problem !== undefined) stderr.write(`warning: ${problem}\n`);
}
