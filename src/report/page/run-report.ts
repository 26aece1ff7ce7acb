import type { CheckItem } from '../../checks/check.js';
import { planOutline } from '../../engine/plan-json.js';
import type { ClusterResult } from '../../fleet/fleet-schema.js';
import type { ClusterPicture } from '../../model/cluster-picture.js';
import type { DrillMeasurement } from '../../model/drill.js';
import type { Latency } from '../../model/latency.js';
import type { PlanOutline } from '../../model/plan.js';
import type { EventJson } from '../event-schema.js';
import { fleetVerdict } from './fleet-clusters.js';
import { gateWaits, hostTimelines, type GateWait, type HostTimeline } from './host-timeline.js';
import { stepsOf, type ReportStep } from './report-steps.js';
import { verdictOf, type ReportVerdict } from './report-verdict.js';

/** What is known of a run: its events, and what was seen beside them. */
export interface RunRecord {
  /** The version of this program. */
  readonly tool: string;
  /** The verb. */
  readonly command: string;
  /** As it was typed. */
  readonly inventory: string;
  readonly by: string | undefined;
  /** ISO 8601 in UTC. */
  readonly begun: string;
  readonly ended: string;
  readonly events: readonly EventJson[];
  /** Of a health check. */
  readonly items?: readonly CheckItem[] | undefined;
  readonly latency?: Latency | undefined;
  /** Of a fleet. */
  readonly clusters?: readonly ClusterResult[] | undefined;
  /** The cluster before the run. */
  readonly before?: ClusterPicture | undefined;
  /** After it; of a plan, as the inventory describes it. */
  readonly after?: ClusterPicture | undefined;
}

/** A notice, or what was said of one host. */
export interface ReportNotice {
  readonly host: string | undefined;
  readonly message: string;
}

/** What failed on a host; without one, with the run itself. */
export interface ReportFailure extends ReportNotice {
  readonly code: string | undefined;
}

/** A plan, a run or a health check as a whole: what every report shows. Texts are as hosts gave them: renderers escape. */
export interface RunReport extends Pick<
  RunRecord,
  'tool' | 'command' | 'inventory' | 'by' | 'begun' | 'latency' | 'before' | 'after'
> {
  readonly elapsedMs: number;
  readonly verdict: ReportVerdict;
  /** Absent where the run ended before there was one, and of verbs that have none. */
  readonly plan: PlanOutline | undefined;
  /** What was planned, and what became of each; in order. */
  readonly steps: readonly ReportStep[];
  readonly rolledBack: readonly { readonly host: string; readonly play: string; readonly summary: string }[];
  readonly hosts: readonly HostTimeline[];
  readonly gates: readonly GateWait[];
  readonly drills: readonly DrillMeasurement[];
  readonly notices: readonly ReportNotice[];
  readonly failures: readonly ReportFailure[];
  readonly hint: string | undefined;
  readonly items: readonly CheckItem[];
  readonly clusters: readonly ClusterResult[];
}

type EventOf<T extends EventJson['type']> = Extract<EventJson, { readonly type: T }>;

/** The events of one kind. */
function only<T extends EventJson['type']>(events: readonly EventJson[], type: T): readonly EventOf<T>[] {
  return events.filter((event): event is EventOf<T> => event.type === type);
}

/** Puts together what a report shows. Pure: the same record gives the same report. */
export function reportOf(record: RunRecord): RunReport {
  const { events, tool, command, inventory, by, begun, ended, latency, before, after, items = [], clusters } = record;
  const planned = only(events, 'planned').at(-1)?.plan;
  const plan = planned === undefined ? undefined : planOutline(planned);
  const failed = only(events, 'run-failed').at(-1);
  const failures = (failed?.failures ?? []).map(({ host, ...each }) => ({
    host: host ?? undefined,
    code: undefined,
    ...each,
  }));
  const steps = stepsOf(plan, events, command).map((step) => withOutput(step, failures));
  const span = { begunMs: Date.parse(begun), endedMs: Date.parse(ended) };
  return {
    ...{ tool, command, inventory, by, begun, latency, plan, steps, items, clusters: clusters ?? [] },
    ...{ before, after: isSamePicture(before, after) ? undefined : after },
    // A journal may have lost its first line.
    elapsedMs: Math.max(0, span.endedMs - span.begunMs) || 0,
    verdict:
      clusters === undefined ? verdictOf({ command, plan, steps, events, items }) : fleetVerdict(command, clusters),
    rolledBack: only(events, 'rolled-back').map(({ host, play, summary }) => ({ host, play, summary })),
    hosts: hostTimelines(events, span),
    gates: gateWaits(events, span),
    drills: only(events, 'drill-measured').map(measured),
    notices: only(events, 'notice').map(({ host, message }) => ({ host: host ?? undefined, message })),
    failures,
    hint: failed?.hint ?? undefined,
  };
}

/** The failures at the end of a run have the output of what failed, and begin with what was said at once. */
function withOutput(step: ReportStep, failures: readonly ReportFailure[]): ReportStep {
  const { host, message } = step;
  if (message === undefined) return step;
  const whole = failures.find((failure) => failure.host === host && failure.message.startsWith(message));
  return whole === undefined ? step : { ...step, message: whole.message };
}

function measured(event: EventOf<'drill-measured'>): DrillMeasurement {
  const { service, host, holder, observer, address, client, recoveredMs } = event;
  return {
    ...{ service, host, holder: holder ?? undefined, observer },
    ...{ address, client, recoveredMs: recoveredMs ?? undefined },
  };
}

function isSamePicture(before: ClusterPicture | undefined, after: ClusterPicture | undefined): boolean {
  return JSON.stringify(before) === JSON.stringify(after);
}
