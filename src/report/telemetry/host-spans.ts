import { SpanStatusCode, type Span } from '@opentelemetry/api';
import type { Event } from '../../model/events.js';
import { attributes, kindOfResource, resourceName, type Said } from './attributes.js';

/** What happens to one resource of a host. */
export type ChangeEvent = Extract<Event, { readonly address: string }>;

/** Begins a span. @param at milliseconds since 1970 */
export type StartSpan = (name: string, said: Said, above: Span, at: number) => Span;

interface HostSpan {
  readonly span: Span;
  /** When something was last done on it. */
  last: number;
}

/** The hosts of a batch as spans, each with its changes. */
export class HostSpans {
  readonly #start: StartSpan;
  readonly #hosts = new Map<string, HostSpan>();
  /** Begun and not ended. */
  readonly #changes = new Map<string, { readonly span: Span; readonly host: HostSpan }>();

  constructor(start: StartSpan) {
    this.#start = start;
  }

  /** @param above what a host is a part of */
  note(event: ChangeEvent, above: Span, at: number): void {
    const { type, host, address } = event;
    const of = this.#hosts.get(host) ?? this.#startHost(host, above, at);
    of.last = at;
    const key = `${host}\0${address}`;
    if (type === 'rolled-back') {
      of.span.addEvent('rolled back', {}, at);
    } else if (type === 'change-started') {
      const kind = kindOfResource(address);
      const said = {
        'provision.host': host,
        'provision.resource': resourceName(address),
        'provision.resource.kind': kind,
      };
      this.#changes.set(key, { span: this.#start(`change ${kind}`, said, of.span, at), host: of });
    } else {
      const change = this.#changes.get(key);
      this.#changes.delete(key);
      if (change !== undefined) endChange(change.span, type === 'change-done' ? 'done' : 'failed', at);
      if (type === 'change-failed') of.span.setStatus({ code: SpanStatusCode.ERROR });
    }
  }

  /** Ends what is open: the batch is over. */
  end(at: number): void {
    for (const { span, host } of this.#changes.values()) {
      endChange(span, 'not-ended', at);
      host.last = at;
    }
    this.#changes.clear();
    for (const { span, last } of this.#hosts.values()) span.end(last);
    this.#hosts.clear();
  }

  #startHost(host: string, above: Span, at: number): HostSpan {
    const of = { span: this.#start(`host ${host}`, { 'provision.host': host }, above, at), last: at };
    this.#hosts.set(host, of);
    return of;
  }
}

/** Says more of a span. */
export function say(span: Span, said: Said): void {
  span.setAttributes(attributes(said));
}

function endChange(span: Span, result: 'done' | 'failed' | 'not-ended', at: number): void {
  say(span, { 'provision.change.result': result });
  if (result !== 'done') span.setStatus({ code: SpanStatusCode.ERROR });
  span.end(at);
}
