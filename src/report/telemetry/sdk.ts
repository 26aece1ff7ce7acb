import { ROOT_CONTEXT, type Context, type Meter, type TextMapGetter, type Tracer } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
  type Resource,
} from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { VERSION } from '../../model/version.js';
import { EXPORT_MS, letGoOfCollectors, metricExporter, spanExporter } from './exporters.js';
import type { TelemetrySettings } from './settings.js';

/** OpenTelemetry, set up as the environment says. */
export interface TelemetrySdk {
  readonly tracer: Tracer | undefined;
  readonly meter: Meter | undefined;
  /** What this process is a part of: TRACEPARENT and TRACESTATE. */
  readonly parent: Context;
  /** Sends what is left, for {@link EXPORT_MS} at most. @returns what was not sent, if anything */
  close(): Promise<string | undefined>;
}

interface Surroundings {
  readonly settings: TelemetrySettings;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Sets up what is asked for. It sets nothing global. */
export function startSdk({ settings: { traces, metrics, problems }, env }: Surroundings): TelemetrySdk {
  const failures = new Set(problems.map((problem) => `no telemetry is sent: ${problem}`));
  const resource = describeProcess();
  letGoOfCollectors();
  const spans = traces === undefined ? undefined : tracerTo(traces, resource, failures);
  const figures = metrics === undefined ? undefined : meterTo(metrics, resource, failures);
  return {
    tracer: spans?.getTracer('provision', VERSION),
    meter: figures?.getMeter('provision', VERSION),
    parent: new W3CTraceContextPropagator().extract(ROOT_CONTEXT, env, fromEnvironment),
    async close() {
      const sent = Promise.allSettled([spans?.shutdown(), figures?.shutdown()]);
      if (!(await isWithin(EXPORT_MS, sent)) && failures.size === 0)
        failures.add(notSent(traces ?? metrics ?? '', `it did not take it within ${EXPORT_MS / 1000} s`));
      return failures.size === 0 ? undefined : [...failures].join('; ');
    },
  };
}

function tracerTo(collector: string, resource: Resource, failures: Set<string>): BasicTracerProvider {
  const exporter = spanExporter((reason) => failures.add(notSent(collector, reason)));
  return new BasicTracerProvider({
    resource,
    spanProcessors: [new BatchSpanProcessor(exporter, { exportTimeoutMillis: EXPORT_MS })],
  });
}

function meterTo(collector: string, resource: Resource, failures: Set<string>): MeterProvider {
  const exporter = metricExporter((reason) => failures.add(notSent(collector, reason)));
  return new MeterProvider({
    resource,
    readers: [new PeriodicExportingMetricReader({ exporter, exportTimeoutMillis: EXPORT_MS })],
  });
}

function notSent(collector: string, reason: string): string {
  return `telemetry was not sent to ${collector}: ${reason}`;
}

/** The name of the service, and what OTEL_RESOURCE_ATTRIBUTES adds; not the command line, the user or the machine. */
function describeProcess(): Resource {
  return defaultResource()
    .merge(resourceFromAttributes({ 'service.name': 'provision', 'service.version': VERSION }))
    .merge(detectResources({ detectors: [envDetector] }));
}

/** Variables are named as the headers are, in capitals (OpenTelemetry, "Environment Variables as Context Propagation Carriers"). */
const fromEnvironment: TextMapGetter<Readonly<Record<string, string | undefined>>> = {
  keys: Object.keys,
  get: (env, header) => env[header.toUpperCase()],
};

async function isWithin(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => {
      resolve(false);
    }, ms);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
