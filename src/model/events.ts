import type { DrillMeasurement } from './drill.js';
import type { FailureKind } from './error-codes/explanation.js';
import type { ErrorCode } from './error-codes.js';
import type { Plan } from './plan.js';

/** The verbs that are runs: they have events. */
export type RunCommand =
  | 'plan'
  | 'apply'
  | 'bypass'
  | 'drill'
  | 'certs renew'
  | 'ca rotate'
  | 'snapshot save'
  | 'snapshot restore'
  | 'member replace'
  | 'defrag'
  | 'recover';

/** Figures of a finished run. */
export interface RunResult {
  readonly changed: number;
  readonly unchanged: number;
  readonly failed: number;
  readonly elapsedMs: number;
}

/** What failed on one host; without a host, with the run itself. */
export interface HostFailureReport {
  readonly host?: string | undefined;
  /** Absent where it is a bug of this program, or no error: a change that was in progress. */
  readonly code?: ErrorCode | undefined;
  /** Lines: what failed, at which command, and its last output. */
  readonly message: string;
}

/**
 * What happens during a run, in order. The engine emits these and nothing else; report/ draws them as a live display,
 * plain lines or NDJSON (docs/reference/events.md). None holds a secret.
 */
export type Event =
  | {
      readonly type: 'run-started';
      readonly command: RunCommand;
      readonly inventory: string;
      /** Who runs it, and where: `user@machine`. */
      readonly by?: string | undefined;
      /** The mark of the process: who reads the journal while it runs can tell. */
      readonly process?: string | undefined;
      readonly hosts: readonly string[];
    }
  | { readonly type: 'host-looking'; readonly host: string }
  | { readonly type: 'host-looked'; readonly host: string }
  | { readonly type: 'planned'; readonly plan: Plan }
  | { readonly type: 'play-started'; readonly play: string; readonly hosts: readonly string[] }
  | { readonly type: 'batch-started'; readonly play: string; readonly hosts: readonly string[] }
  | { readonly type: 'gate-waiting'; readonly gate: string; readonly hosts: readonly string[]; readonly reason: string }
  | {
      readonly type: 'gate-opened';
      readonly gate: string;
      readonly hosts: readonly string[];
      readonly waitedMs: number;
      readonly note?: string | undefined;
    }
  | {
      readonly type: 'change-started';
      readonly play: string;
      readonly host: string;
      readonly address: string;
      readonly summary: string;
    }
  | {
      readonly type: 'change-done';
      readonly play: string;
      readonly host: string;
      readonly address: string;
      readonly summary: string;
      readonly elapsedMs: number;
    }
  | {
      readonly type: 'change-failed';
      readonly play: string;
      readonly host: string;
      readonly address: string;
      readonly summary: string;
      readonly message: string;
    }
  | {
      readonly type: 'rolled-back';
      readonly play: string;
      readonly host: string;
      readonly address: string;
      readonly summary: string;
    }
  | ({ readonly type: 'drill-measured' } & DrillMeasurement)
  | { readonly type: 'notice'; readonly host?: string | undefined; readonly message: string }
  | { readonly type: 'run-finished'; readonly result: RunResult }
  | {
      readonly type: 'run-failed';
      readonly kind: FailureKind;
      readonly message: string;
      readonly failures: readonly HostFailureReport[];
      readonly hint?: string | undefined;
    };

/** Where events go. */
export type EventSink = (event: Event) => void;
