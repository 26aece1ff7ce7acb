import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import protobuf from 'protobufjs';

type Value = string | number | boolean | readonly Value[];
type Said = Readonly<Record<string, Value>>;

/** A span, as a collector got it. */
export interface ReceivedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  /** Milliseconds since 1970. */
  readonly start: number;
  readonly end: number;
  readonly attributes: Said;
  readonly events: readonly { readonly name: string; readonly attributes: Said }[];
  readonly isError: boolean;
  readonly resource: Said;
}

/** A figure, as a collector got it. */
export interface ReceivedPoint {
  readonly name: string;
  readonly unit: string;
  readonly attributes: Said;
  /** Of a histogram: the sum. */
  readonly value: number;
  /** Of a histogram: how many. */
  readonly count: number | undefined;
}

/** What a collector does with what it gets. */
export type Behaviour =
  | 'takes-it'
  /** Status 500, with all that it was sent. */
  | 'refuses'
  /** Never answers. */
  | 'hangs'
  /** Answers a byte at a time, for ever. */
  | 'drips';

/** A receiver of OTLP over HTTP. */
export interface Collector {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly url: string;
  readonly port: number;
  behave(how: Behaviour): void;
  spans(): readonly ReceivedSpan[];
  points(): readonly ReceivedPoint[];
  /** All that came: paths, headers and bodies, as bytes in Latin-1. */
  raw(): string;
  forget(): void;
  close(): Promise<void>;
}

interface Received {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** Starts one on this machine; it decodes with OpenTelemetry's own definition of the format. */
export async function startCollector(): Promise<Collector> {
  const types = otlpTypes();
  let received: Received[] = [];
  let behaviour: Behaviour = 'takes-it';
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      received.push({ path: request.url ?? '', headers: request.headers, body });
      answer(response, behaviour, body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const decoded = (path: string, type: protobuf.Type): readonly Record<string, unknown>[] =>
    received.filter((each) => each.path === path).map(({ body }) => decode(type, body));
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    behave(how) {
      behaviour = how;
    },
    spans: () => decoded('/v1/traces', types.traces).flatMap(spansOf),
    points: () => decoded('/v1/metrics', types.metrics).flatMap(pointsOf),
    raw: () =>
      received
        .map(({ path, headers, body }) => `${path}\n${JSON.stringify(headers)}\n${body.toString('latin1')}`)
        .join('\n'),
    forget() {
      received = [];
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

function answer(response: ServerResponse, behaviour: Behaviour, body: Buffer): void {
  if (behaviour === 'hangs') return;
  if (behaviour === 'refuses') {
    response.writeHead(500).end(body);
    return;
  }
  response.writeHead(200, { 'content-type': 'application/x-protobuf' });
  if (behaviour === 'takes-it') {
    response.end();
    return;
  }
  const timer = setInterval(() => response.write('x'), 50);
  response.on('close', () => {
    clearInterval(timer);
  });
}

function otlpTypes(): { readonly traces: protobuf.Type; readonly metrics: protobuf.Type } {
  protobuf.Reader.discardUnknown = false;
  const root = new protobuf.Root();
  root.resolvePath = (_, target) => join('fixtures/otlp', target);
  const service = (signal: string): string => `opentelemetry/proto/collector/${signal}/v1/${signal}_service.proto`;
  root.loadSync([service('trace'), service('metrics')]);
  return {
    traces: root.lookupType('opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest'),
    metrics: root.lookupType('opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest'),
  };
}

/** @throws Error where bytes are no such message: what the definition does not know would be passed over in silence */
function decode(type: protobuf.Type, body: Buffer): Record<string, unknown> {
  const message = type.decode(body);
  const unknown = unknownFields(message);
  if (unknown > 0) throw new Error(`${type.name} does not know ${unknown} of the fields that came`);
  return type.toObject(message, { longs: Number, enums: String, bytes: Array, defaults: true, arrays: true });
}

function unknownFields(value: unknown): number {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return 0;
  const { $unknowns = [], ...fields } = value as Readonly<Record<string, unknown>> & {
    readonly $unknowns?: readonly unknown[];
  };
  return Object.values(fields).reduce<number>((sum, field) => sum + unknownFields(field), $unknowns.length);
}

// What protobufjs gives, as far as it is read here.
interface WireAttribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>> & {
    readonly arrayValue?: { readonly values: readonly WireAttribute['value'][] };
  };
}
interface WireSpan {
  readonly [name: string]: unknown;
  readonly name: string;
  readonly traceId: readonly number[];
  readonly spanId: readonly number[];
  readonly parentSpanId: readonly number[];
  readonly startTimeUnixNano: number;
  readonly endTimeUnixNano: number;
  readonly attributes: readonly WireAttribute[];
  readonly events: readonly { readonly name: string; readonly attributes: readonly WireAttribute[] }[];
  readonly status: { readonly code: string } | null;
}
interface WirePoint {
  readonly attributes: readonly WireAttribute[];
  readonly asDouble?: number;
  readonly asInt?: number;
  readonly sum?: number;
  readonly count?: number;
}
interface WireMetric {
  readonly name: string;
  readonly unit: string;
  readonly gauge?: { readonly dataPoints: readonly WirePoint[] };
  readonly sum?: { readonly dataPoints: readonly WirePoint[] };
  readonly histogram?: { readonly dataPoints: readonly WirePoint[] };
}

function spansOf(message: Record<string, unknown>): readonly ReceivedSpan[] {
  const { resourceSpans } = message as {
    readonly resourceSpans: readonly {
      readonly resource: { readonly attributes: readonly WireAttribute[] };
      readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[];
    }[];
  };
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        name: span.name,
        ...{ traceId: hex(span.traceId), spanId: hex(span.spanId), parentSpanId: hex(span.parentSpanId) },
        ...{ start: span.startTimeUnixNano / 1e6, end: span.endTimeUnixNano / 1e6 },
        attributes: said(span.attributes),
        events: span.events.map((event) => ({ name: event.name, attributes: said(event.attributes) })),
        isError: span.status?.code === 'STATUS_CODE_ERROR',
        resource: said(resource.attributes),
      })),
    ),
  );
}

function pointsOf(message: Record<string, unknown>): readonly ReceivedPoint[] {
  const { resourceMetrics } = message as {
    readonly resourceMetrics: readonly {
      readonly scopeMetrics: readonly { readonly metrics: readonly WireMetric[] }[];
    }[];
  };
  return resourceMetrics.flatMap(({ scopeMetrics }) =>
    scopeMetrics.flatMap(({ metrics }) =>
      metrics.flatMap(
        ({ name, unit, gauge, sum, histogram }) =>
          (gauge ?? sum ?? histogram)?.dataPoints.map((point) => ({
            ...{ name, unit, attributes: said(point.attributes) },
            value: histogram === undefined ? (point.asDouble ?? point.asInt ?? NaN) : (point.sum ?? NaN),
            count: histogram === undefined ? undefined : point.count,
          })) ?? [],
      ),
    ),
  );
}

function said(list: readonly WireAttribute[]): Said {
  return Object.fromEntries(list.map(({ key, value }) => [key, valueOf(value)]));
}

function valueOf(value: WireAttribute['value']): Value {
  if (value.arrayValue !== undefined) return value.arrayValue.values.map(valueOf);
  return (value['stringValue'] ?? value['intValue'] ?? value['doubleValue'] ?? value['boolValue'] ?? '') as Value;
}

function hex(bytes: readonly number[]): string {
  return Buffer.from(bytes).toString('hex');
}
