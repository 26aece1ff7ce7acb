import type { Attributes, Meter, MetricOptions } from '@opentelemetry/api';
import type { Event, RunCommand } from '../../model/events.js';
import { summarisePlan } from '../../model/plan.js';
import { attributes, kindOfResource, type Said } from './attributes.js';

type Instrument = 'counter' | 'gauge' | 'histogram';

/** A figure of runs. */
interface Metric extends MetricOptions {
  readonly instrument: Instrument;
  readonly unit: string;
  readonly description: string;
}

/** From a plan that finds nothing to do to a cluster that is built: the defaults are meant for milliseconds. In seconds. */
const SECONDS = { advice: { explicitBucketBoundaries: [0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600] } };

/** All figures, by name. Each has `provision.command` and, once it is known, `provision.inventory`. */
export const METRICS = {
  'provision.run.duration': {
    ...{ instrument: 'histogram', unit: 's', description: 'How long runs took, by how they ended.' },
    ...SECONDS,
  },
  'provision.run.hosts': { instrument: 'gauge', unit: '{host}', description: 'Hosts of the run.' },
  'provision.plan.changes': {
    instrument: 'gauge',
    unit: '{change}',
    description: 'Changes that the plan has, with those known after apply: 0 where the hosts are as they should be.',
  },
  'provision.changes': {
    instrument: 'counter',
    unit: '{change}',
    description: 'Changes performed, by kind of resource and how they ended.',
  },
  'provision.failures': { instrument: 'counter', unit: '{failure}', description: 'Failures of runs, by error code.' },
  'provision.gate.waits': {
    ...{ instrument: 'histogram', unit: 's', description: 'How long gates were waited for until they opened.' },
    ...SECONDS,
  },
} as const satisfies Readonly<Record<string, Metric>>;

/** A run that is counted. */
export interface RunMetrics {
  /** @param at milliseconds since 1970 */
  note(event: Event, at: number): void;
}

/** Counts a run by its events. @param begun milliseconds since 1970 */
export function createRunMetrics(meter: Meter, command: RunCommand, begun: number): RunMetrics {
  const [duration, waits] = [histogram(meter, 'provision.run.duration'), histogram(meter, 'provision.gate.waits')];
  const [hosts, planned] = [gauge(meter, 'provision.run.hosts'), gauge(meter, 'provision.plan.changes')];
  const [changes, failures] = [counter(meter, 'provision.changes'), counter(meter, 'provision.failures')];
  let inventory: string | undefined;
  const of = (said: Said = {}): Attributes =>
    attributes({ 'provision.command': command, 'provision.inventory': inventory, ...said });
  function ended(outcome: string, at: number): void {
    duration.record((at - begun) / 1000, of({ 'provision.outcome': outcome }));
  }
  return {
    note(event, at) {
      switch (event.type) {
        case 'run-started':
          inventory = event.inventory;
          hosts.record(event.hosts.length, of());
          return;
        case 'planned': {
          const { changes: known, unknown } = summarisePlan(event.plan);
          planned.record(known + unknown, of());
          return;
        }
        case 'gate-opened':
          waits.record(event.waitedMs / 1000, of({ 'provision.gate': event.gate }));
          return;
        case 'change-done':
        case 'change-failed': {
          const result = event.type === 'change-done' ? 'done' : 'failed';
          const kind = kindOfResource(event.address);
          changes.add(1, of({ 'provision.resource.kind': kind, 'provision.change.result': result }));
          return;
        }
        case 'run-finished':
          ended('done', at);
          return;
        case 'run-failed':
          for (const { code } of event.failures) failures.add(1, of({ 'error.type': code ?? '_OTHER' }));
          ended(event.kind, at);
          return;
        default:
      }
    },
  };
}

type Named<I extends Instrument> = {
  [N in keyof typeof METRICS]: (typeof METRICS)[N]['instrument'] extends I ? N : never;
}[keyof typeof METRICS];

function counter(meter: Meter, name: Named<'counter'>): ReturnType<Meter['createCounter']> {
  return meter.createCounter(name, METRICS[name]);
}

function gauge(meter: Meter, name: Named<'gauge'>): ReturnType<Meter['createGauge']> {
  return meter.createGauge(name, METRICS[name]);
}

function histogram(meter: Meter, name: Named<'histogram'>): ReturnType<Meter['createHistogram']> {
  return meter.createHistogram(name, {
    ...METRICS[name],
    advice: { explicitBucketBoundaries: [...METRICS[name].advice.explicitBucketBoundaries] },
  });
}
