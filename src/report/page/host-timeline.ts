import type { EventJson } from '../event-schema.js';

/** When a run began and ended, in milliseconds since 1970. */
export interface RunSpan {
  readonly begunMs: number;
  readonly endedMs: number;
}

/** Something that took time on a host. `interrupted`: the run ended in its middle. */
export interface Span {
  readonly kind: 'look' | 'done' | 'failed' | 'interrupted' | 'rolled back' | 'gate';
  readonly label: string;
  /** From the beginning of the run, in milliseconds. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** What a run did on one host, and when. */
export interface HostTimeline {
  readonly host: string;
  readonly spans: readonly Span[];
}

/** One wait at a gate. */
export interface GateWait {
  readonly gate: string;
  readonly hosts: readonly string[];
  readonly fromMs: number;
  readonly toMs: number;
  /** Why it was closed, each once. */
  readonly reasons: readonly string[];
  readonly isOpen: boolean;
  readonly note: string | undefined;
}

/** The hosts of a run, in its order, with what happened on each. Hosts with nothing are left out. */
export function hostTimelines(events: readonly EventJson[], span: RunSpan): readonly HostTimeline[] {
  const spans = new Map<string, Span[]>();
  const begun = new Map<string, { readonly label: string; readonly host: string; readonly fromMs: number }>();
  const add = (host: string, each: Span): void => {
    spans.set(host, [...(spans.get(host) ?? []), each]);
  };
  for (const event of events) {
    if (event.type === 'run-started') for (const host of event.hosts) spans.set(host, spans.get(host) ?? []);
    const at = placeOf(event);
    if (at === undefined) continue;
    const now = timeOf(event, span);
    if (at.kind === 'begins') begun.set(at.key, { label: at.label, host: at.host, fromMs: now });
    else {
      const { fromMs = now } = begun.get(at.key) ?? {};
      begun.delete(at.key);
      add(at.host, { kind: at.kind, label: at.label, fromMs, toMs: now });
    }
  }
  for (const { label, host, fromMs } of begun.values())
    add(host, { kind: 'interrupted', label, fromMs, toMs: span.endedMs - span.begunMs });
  return [...spans].flatMap(([host, each]) => (each.length === 0 ? [] : [{ host, spans: each }]));
}

interface PlaceInTime {
  readonly kind: Span['kind'] | 'begins';
  readonly key: string;
  readonly host: string;
  readonly label: string;
}

function placeOf(event: EventJson): PlaceInTime | undefined {
  switch (event.type) {
    case 'host-looking':
    case 'host-looked': {
      const kind = event.type === 'host-looking' ? 'begins' : 'look';
      return { kind, key: `look ${event.host}`, host: event.host, label: 'look' };
    }
    case 'change-started':
    case 'change-done':
    case 'change-failed': {
      const kinds = { 'change-started': 'begins', 'change-done': 'done', 'change-failed': 'failed' } as const;
      const { play, host, address, summary } = event;
      return { kind: kinds[event.type], key: JSON.stringify([play, host, address]), host, label: summary };
    }
    case 'rolled-back':
      return { kind: 'rolled back', key: '', host: event.host, label: event.summary };
    default:
      return undefined;
  }
}

function timeOf({ time }: EventJson, { begunMs }: RunSpan): number {
  return Math.max(0, Date.parse(time) - begunMs);
}

/** Every gate that was asked, in the order in which the waits ended; one that never opened is last. */
export function gateWaits(events: readonly EventJson[], span: RunSpan): readonly GateWait[] {
  const ended: GateWait[] = [];
  const waiting = new Map<string, GateWait>();
  for (const event of events) {
    if (event.type !== 'gate-waiting' && event.type !== 'gate-opened') continue;
    const { gate, hosts } = event;
    const key = JSON.stringify([gate, hosts]);
    const now = timeOf(event, span);
    const last = waiting.get(key);
    if (event.type === 'gate-waiting') {
      const reasons = [...new Set([...(last?.reasons ?? []), event.reason])];
      const toMs = span.endedMs - span.begunMs;
      waiting.set(key, { gate, hosts, fromMs: last?.fromMs ?? now, toMs, reasons, isOpen: false, note: undefined });
      continue;
    }
    waiting.delete(key);
    const fromMs = Math.max(0, now - event.waitedMs);
    const note = event.note ?? undefined;
    ended.push({ gate, hosts, fromMs, toMs: now, reasons: last?.reasons ?? [], isOpen: true, note });
  }
  return [...ended, ...waiting.values()];
}
