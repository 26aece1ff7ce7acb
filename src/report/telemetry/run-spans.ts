import { SpanStatusCode, trace, type Context, type Span, type Tracer } from '@opentelemetry/api';
import type { Event, RunCommand } from '../../model/events.js';
import { summarisePlan } from '../../model/plan.js';
import { attributes, type Said } from './attributes.js';
import { HostSpans, say } from './host-spans.js';

/** A run as spans. */
export interface RunSpans {
  /** @param at milliseconds since 1970 */
  note(event: Event, at: number): void;
  /** Ends what is open. */
  end(at: number): void;
}

/** Where spans go, and what they belong to. */
export interface SpanPlace {
  readonly tracer: Tracer;
  /** What the run is a part of. */
  readonly parent: Context;
}

/**
 * Run → look, and run → play → batch → host → change, from the events alone. A host's span is from its first change of a batch to the end of
 * its last; a gate's waits are events of the batch that waits.
 * @param begun milliseconds since 1970
 */
export function createRunSpans(place: SpanPlace, command: RunCommand, begun: number): RunSpans {
  return new Spans(place, command, begun);
}

class Spans implements RunSpans {
  readonly #tracer: Tracer;
  readonly #parent: Context;
  readonly #run: Span;
  #look: Span | undefined;
  #play: Span | undefined;
  #batch: Span | undefined;
  #batches = 0;
  /** Of the batch. */
  readonly #hosts: HostSpans;
  constructor({ tracer, parent }: SpanPlace, command: RunCommand, begun: number) {
    this.#tracer = tracer;
    this.#parent = parent;
    this.#hosts = new HostSpans((name, said, above, at) => this.#start(name, said, above, at));
    this.#run = tracer.startSpan(
      `provision ${command}`,
      { startTime: begun, attributes: attributes({ 'provision.command': command }) },
      parent,
    );
  }

  note(event: Event, at: number): void {
    switch (event.type) {
      case 'run-started':
        say(this.#run, { 'provision.inventory': event.inventory, 'provision.hosts': event.hosts });
        this.#look = this.#start('look', {}, this.#run, at);
        return;
      case 'host-looked':
        this.#look?.addEvent('looked', attributes({ 'provision.host': event.host }), at);
        return;
      case 'planned':
        this.#planned(event, at);
        return;
      case 'play-started':
        this.#startPlay(event, at);
        return;
      case 'batch-started':
        this.#startBatch(event, at);
        return;
      case 'gate-waiting':
        this.#tell('gate waiting', { 'provision.gate': event.gate, 'provision.hosts': event.hosts }, at);
        return;
      case 'gate-opened': {
        const waited = { 'provision.gate.waited': event.waitedMs / 1000 };
        this.#tell('gate opened', { 'provision.gate': event.gate, 'provision.hosts': event.hosts, ...waited }, at);
        return;
      }
      case 'change-started':
      case 'change-done':
      case 'change-failed':
      case 'rolled-back':
        this.#hosts.note(event, this.#batch ?? this.#play ?? this.#run, at);
        return;
      case 'drill-measured':
        this.#tell('drill measured', drillOf(event), at);
        return;
      case 'run-finished': {
        const { changed, unchanged } = event.result;
        say(this.#run, { 'provision.changes.performed': changed, 'provision.unchanged': unchanged });
        say(this.#run, { 'provision.outcome': 'done' });
        return;
      }
      case 'run-failed':
        this.#failed(event, at);
        return;
      case 'host-looking':
      case 'notice':
        return;
    }
  }

  end(at: number): void {
    this.#endLook(at);
    this.#endPlay(at);
    this.#run.end(at);
  }

  #start(name: string, said: Said, above: Span, at: number): Span {
    const context = trace.setSpan(this.#parent, above);
    return this.#tracer.startSpan(name, { startTime: at, attributes: attributes(said) }, context);
  }

  #tell(name: string, said: Said, at: number): void {
    (this.#batch ?? this.#play ?? this.#run).addEvent(name, attributes(said), at);
  }

  #startPlay({ play, hosts }: Extract<Event, { type: 'play-started' }>, at: number): void {
    this.#endLook(at);
    this.#endPlay(at);
    this.#play = this.#start(`play ${play}`, { 'provision.play': play, 'provision.hosts': hosts }, this.#run, at);
  }

  #startBatch({ play, hosts }: Extract<Event, { type: 'batch-started' }>, at: number): void {
    this.#endBatch(at);
    this.#batches += 1;
    const said = { 'provision.play': play, 'provision.batch': this.#batches, 'provision.hosts': hosts };
    this.#batch = this.#start(`batch ${this.#batches}`, said, this.#play ?? this.#run, at);
  }

  #planned({ plan }: Extract<Event, { type: 'planned' }>, at: number): void {
    this.#endLook(at);
    const { changes, unknown, disruptive } = summarisePlan(plan);
    say(this.#run, {
      'provision.playbook': plan.playbook,
      'provision.limit': plan.limit,
      'provision.changes.planned': changes,
      'provision.changes.unknown': unknown,
      'provision.changes.disruptive': disruptive,
    });
  }

  #failed({ kind, failures }: Extract<Event, { type: 'run-failed' }>, at: number): void {
    for (const { host, code } of failures)
      this.#run.addEvent('failure', attributes({ 'provision.host': host, 'error.type': code ?? '_OTHER' }), at);
    say(this.#run, { 'provision.outcome': kind, 'error.type': failures[0]?.code ?? kind });
    this.#run.setStatus({ code: SpanStatusCode.ERROR });
    // A batch that ends without an error has been followed by another one, or by the end of its play.
    for (const open of [this.#play, this.#batch]) open?.setStatus({ code: SpanStatusCode.ERROR });
  }

  #endLook(at: number): void {
    this.#look?.end(at);
    this.#look = undefined;
  }

  #endPlay(at: number): void {
    this.#endBatch(at);
    this.#play?.end(at);
    this.#play = undefined;
    this.#batches = 0;
  }

  #endBatch(at: number): void {
    this.#hosts.end(at);
    this.#batch?.end(at);
    this.#batch = undefined;
  }
}

function drillOf({ host, service, address, client, recoveredMs }: Extract<Event, { type: 'drill-measured' }>): Said {
  return {
    'provision.host': host,
    'provision.service': service,
    'provision.drill.address_gap': address.longestMs / 1000,
    'provision.drill.client_gap': client.longestMs / 1000,
    'provision.drill.recovered': recoveredMs === undefined ? undefined : recoveredMs / 1000,
  };
}
