import { ROOT_CONTEXT, SpanStatusCode, trace, type Span } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import type { ClusterResult, FleetVerb } from '../../fleet/fleet-schema.js';
import { attributes } from './attributes.js';
import { startSdk } from './sdk.js';
import type { TelemetrySettings } from './settings.js';

/** A fleet as a collector receives it: one span, which those of its clusters' runs belong to. */
export interface FleetTelemetry {
  /** What the processes of its clusters get. */
  readonly env: Readonly<Record<string, string>>;
  note(result: ClusterResult): void;
  /** @param outcome of the fleet @returns what was not sent, if anything */
  close(outcome: string): Promise<string | undefined>;
}

/** Which fleet, and how it is reported. */
export interface ToldFleet {
  readonly verb: FleetVerb;
  readonly clusters: number;
  readonly settings: TelemetrySettings;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Begins to tell a fleet. */
export function tellFleet({ verb, clusters, settings, env }: ToldFleet): FleetTelemetry {
  const sdk = startSdk({ settings: { ...settings, metrics: undefined }, env });
  const command = `fleet ${verb}`;
  const said = attributes({ 'provision.command': command, 'provision.clusters': clusters });
  const span = sdk.tracer?.startSpan(`provision ${command}`, { attributes: said }, sdk.parent);
  return {
    env: span === undefined ? {} : asEnvironment(span),
    note({ cluster, outcome }) {
      span?.addEvent('cluster', attributes({ 'provision.cluster': cluster, 'provision.outcome': outcome }));
    },
    async close(outcome) {
      span?.setAttributes(attributes({ 'provision.outcome': outcome }));
      if (outcome !== 'done') span?.setStatus({ code: SpanStatusCode.ERROR });
      span?.end();
      return sdk.close();
    },
  };
}

function asEnvironment(span: Span): Readonly<Record<string, string>> {
  const carrier: Record<string, string> = {};
  const set = (to: Record<string, string>, header: string, value: string): void => {
    to[header.toUpperCase()] = value;
  };
  new W3CTraceContextPropagator().inject(trace.setSpan(ROOT_CONTEXT, span), carrier, { set });
  return carrier;
}
