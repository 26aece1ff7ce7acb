import type { Effect } from '../../model/change.js';
import type { PlanOutline } from '../../model/plan.js';
import type { EventJson } from '../event-schema.js';

/**
 * What became of a step. `planned`: of a plan, which performs nothing; `unknown`: of a plan, known after apply; `unchanged`:
 * it was decided during the run, and needed nothing; `interrupted`: the run ended in its middle; `done before a roll-back`: what a
 * later failure on the same host then rolled back in the same play, but for what can't be: a notice of the run says what stays.
 */
export type StepEnd =
  'planned' | 'unknown' | 'done' | 'done before a roll-back' | 'failed' | 'unchanged' | 'interrupted' | 'not performed';

/** One step on one host. */
export interface ReportStep {
  readonly play: string;
  readonly host: string;
  /** The resource. */
  readonly address: string;
  readonly task: string | undefined;
  /** What changes; of an unknown one, what must happen before it can be decided. */
  readonly summary: string;
  /** What the plan says that it does; absent where no plan was seen. */
  readonly effect: Effect | undefined;
  readonly disruptive: boolean;
  readonly diff: readonly string[];
  readonly end: StepEnd;
  /** How long it took; of what was done only. */
  readonly elapsedMs: number | undefined;
  /** What failed, with its last output; of `failed` only. */
  readonly message: string | undefined;
}

/** What a run's events say of one step. */
interface Told {
  readonly summary: string;
  readonly end: 'done' | 'done before a roll-back' | 'failed' | 'interrupted';
  readonly elapsedMs?: number;
  readonly message?: string;
}

type Place = Pick<ReportStep, 'play' | 'host' | 'address'>;

/** All steps of a plan, and those that were decided only during the run, in the order of the plan. */
export function stepsOf(
  plan: PlanOutline | undefined,
  events: readonly EventJson[],
  command: string,
): readonly ReportStep[] {
  const told = toldOf(events);
  const isPlan = command === 'plan';
  const isWhole = events.some(({ type }) => type === 'run-finished');
  const planned = plannedSteps(plan).map((step) => {
    const what = told.get(keyOf(step));
    if (what !== undefined) return { ...step, ...what };
    if (isPlan) return step;
    return { ...step, end: isWhole ? ('unchanged' as const) : ('not performed' as const) };
  });
  const known = new Set(planned.map(keyOf));
  const later = events.flatMap((event) => (event.type === 'change-started' && !known.has(keyOf(event)) ? [event] : []));
  return [
    ...planned,
    ...later.map((event) => ({ ...blank(event), ...(told.get(keyOf(event)) ?? { end: 'interrupted' as const }) })),
  ];
}

function keyOf({ play, host, address }: Place): string {
  return JSON.stringify([play, host, address]);
}

function blank({ play, host, address, summary }: Place & { readonly summary: string }): Omit<ReportStep, 'end'> {
  const nothing = {
    task: undefined,
    effect: undefined,
    disruptive: false,
    diff: [],
    elapsedMs: undefined,
    message: undefined,
  };
  return { play, host, address, summary, ...nothing };
}

function plannedSteps(plan: PlanOutline | undefined): readonly ReportStep[] {
  return (plan?.plays ?? []).flatMap(({ name: play, batches }) =>
    batches.flatMap(({ hosts }) =>
      hosts.flatMap(({ host, steps }) =>
        steps.map(({ address, task, outcome }): ReportStep => {
          const place = { play, host, address };
          if (outcome.kind === 'unknown')
            return { ...blank({ ...place, summary: outcome.because }), task, end: 'unknown' };
          const { summary, effect, disruptive, diff } = outcome.change;
          return { ...blank({ ...place, summary }), task, effect, disruptive, diff, end: 'planned' };
        }),
      ),
    ),
  );
}

/** The last thing that was told of each step. */
function toldOf(events: readonly EventJson[]): ReadonlyMap<string, Told> {
  const workOf = ({ play, host }: Omit<Place, 'address'>): string => JSON.stringify([play, host]);
  const rolledBack = new Set(events.flatMap((event) => (event.type === 'rolled-back' ? [workOf(event)] : [])));
  const doneEnd = (event: Place): Told['end'] => (rolledBack.has(workOf(event)) ? 'done before a roll-back' : 'done');
  return new Map(
    events.flatMap((event): [string, Told][] => {
      switch (event.type) {
        case 'change-started':
          return [[keyOf(event), { summary: event.summary, end: 'interrupted' }]];
        case 'change-done':
          return [[keyOf(event), { summary: event.summary, end: doneEnd(event), elapsedMs: event.elapsedMs }]];
        case 'change-failed':
          return [[keyOf(event), { summary: event.summary, end: 'failed', message: event.message }]];
        default:
          return [];
      }
    }),
  );
}
