import { subscribe } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';
import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { SpanExporter } from '@opentelemetry/sdk-trace-base';

/** How long a collector may take for one message, with all that is tried again. The exporters' own time is 10 s. */
export const EXPORT_MS = 3_000;

/** Called with why something was not sent: a code of the system, or a status of HTTP. */
export type NotSent = (reason: string) => void;

/** Sends spans where OTEL_EXPORTER_OTLP_* says. */
export function spanExporter(notSent: NotSent): SpanExporter {
  const exporter = new OTLPTraceExporter({ timeoutMillis: EXPORT_MS });
  const send = exporter.export.bind(exporter);
  exporter.export = (spans, done) => {
    send(spans, noting(notSent, done));
  };
  return exporter;
}

/** Sends figures where OTEL_EXPORTER_OTLP_* says. */
export function metricExporter(notSent: NotSent): PushMetricExporter {
  const exporter = new OTLPMetricExporter({ timeoutMillis: EXPORT_MS });
  const send = exporter.export.bind(exporter);
  exporter.export = (figures, done) => {
    send(figures, noting(notSent, done));
  };
  return exporter;
}

function noting(notSent: NotSent, done: (result: ExportResult) => void): (result: ExportResult) => void {
  return (result) => {
    if (result.code !== ExportResultCode.SUCCESS) notSent(reasonOf(result.error));
    done(result);
  };
}

/** What a collector says is not shown, only its status: it may repeat what it was sent, with the headers. */
function reasonOf(error: (Error & { readonly code?: unknown }) | undefined): string {
  if (typeof error?.code === 'number') return `it answered with status ${error.code}`;
  if (typeof error?.code === 'string') return error.code;
  return `it did not take it within ${EXPORT_MS / 1000} s`;
}

/** A connection to a collector keeps no process alive: what is waited for has a time of its own. */
export function letGoOfCollectors(): void {
  subscribe('http.client.request.start', (message) => {
    const { request } = message as { readonly request: ClientRequest };
    if (request.getHeader('content-type') !== 'application/x-protobuf') return;
    if (request.socket === null) request.once('socket', (socket) => socket.unref());
    else request.socket.unref();
  });
}
