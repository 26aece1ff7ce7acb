import { planToJson } from '../engine/plan-json.js';
import type { Event } from '../model/events.js';
import { eventSchema, type EventJson } from './event-schema.js';
import { clip, printableJson } from './terminal-text.js';
import type { Reporter } from './reporter.js';

function eventToJson(event: Event, time: string): EventJson {
  const envelope = { formatVersion: 1, time } as const;
  switch (event.type) {
    case 'run-started':
    case 'play-started':
    case 'batch-started':
    case 'gate-waiting':
      return { ...envelope, ...event, hosts: [...event.hosts] };
    case 'gate-opened':
      return { ...envelope, ...event, hosts: [...event.hosts], note: event.note ?? null };
    case 'planned':
      return { ...envelope, type: event.type, plan: planToJson(event.plan) };
    case 'run-failed': {
      const failures = event.failures.map(({ host, code, message }) => ({ host: host ?? null, code, message }));
      const { type, kind, message, hint } = event;
      return { ...envelope, type, kind, message, failures, hint: hint ?? null };
    }
    case 'drill-measured':
      return { ...envelope, ...event, holder: event.holder ?? null, recoveredMs: event.recoveredMs ?? null };
    case 'notice':
      return { ...envelope, type: event.type, host: event.host ?? null, message: event.message };
    case 'host-looking':
    case 'host-looked':
    case 'change-started':
    case 'change-done':
    case 'change-failed':
    case 'rolled-back':
    case 'run-finished':
      return { ...envelope, ...event };
  }
}

/** No message of ours is longer; what a host sends must not fill the control machine's disk. In characters. */
const LONGEST_STRING = 16 * 1024;

function clipStrings(value: unknown): unknown {
  if (typeof value === 'string') return clip(value, LONGEST_STRING);
  if (Array.isArray(value)) return value.map(clipStrings);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, clipStrings(each)]));
}

/** An event as a journal keeps it, with no string longer than a message of ours. */
export function eventRecord(event: Event, time: Date): EventJson {
  return eventSchema.parse(clipStrings(eventToJson(event, time.toISOString())));
}

/**
 * For programs: each event as one line of JSON (docs/reference/events.md).
 * @param write takes the text of one line, with its newline
 */
export function createNdjsonReporter(write: (text: string) => void, now: () => Date): Reporter {
  return {
    sink(event) {
      write(`${printableJson(clipStrings(eventToJson(event, now().toISOString())))}\n`);
    },
    settled: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}
