import { PassThrough, Writable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import type { Event, EventSink } from '../../../src/model/events.js';
import { createPlainReporter } from '../../../src/report/plain.js';
import type { Reporter } from '../../../src/report/reporter.js';
import { createResilientReporter } from '../../../src/report/resilient-reporter.js';
import { tickingClock } from '../../support/clock.js';
import { DRILL_RUN, FAILING_RUN, ROLLING_RUN } from '../../support/sample-runs.js';

function fail(): never {
  throw new Error('a bug in drawing');
}

/** Takes this many writes, then none. */
function breakingStream(writes: number): NodeJS.WriteStream {
  let left = writes;
  return new Writable({
    write(_chunk, _encoding, done) {
      left -= 1;
      done(left < 0 ? new Error('write EPIPE') : null);
    },
  }) as unknown as NodeJS.WriteStream;
}

interface Told {
  readonly reporter: Awaited<ReturnType<typeof createResilientReporter>>;
  stderr(): string;
}

async function open(
  create: (stdout: NodeJS.WriteStream) => Promise<Reporter>,
  stdout: NodeJS.WriteStream = breakingStream(Infinity),
): Promise<Told> {
  const stderr = new PassThrough();
  let text = '';
  stderr.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
  const reporter = await createResilientReporter({
    stdout,
    stderr: stderr as unknown as NodeJS.WriteStream,
    create,
    isNeeded: () => true,
    now: tickingClock(0),
  });
  return { reporter, stderr: () => text };
}

const plain = (stdout: NodeJS.WriteStream): Promise<Reporter> =>
  Promise.resolve(createPlainReporter((text) => stdout.write(text), tickingClock(0)));
const silent: Reporter = { sink: () => undefined, settled: () => Promise.resolve(), close: () => Promise.resolve() };

async function tell({ reporter }: Told, events: readonly Event[]): Promise<void> {
  for (const event of events) {
    reporter.sink(event);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await reporter.settled();
  await reporter.close();
}

describe('a resilient reporter', () => {
  const lines = linesOf(FAILING_RUN);

  // The write after all lines is the ending.
  test.each(Array.from({ length: lines.length + 1 }, (_, at) => at))(
    'whose stdout breaks at write %i tells the failure on stderr, every line at least once',
    async (at) => {
      const told = await open(plain, breakingStream(at));
      await tell(told, FAILING_RUN);
      expect(told.stderr()).toContain("standard output can't be written (write EPIPE)");
      for (const line of lines.slice(at)) expect(told.stderr()).toContain(line);
      expect(told.stderr()).toContain('bind: address already in use');
    },
  );

  test('that breaks while it closes still tells what a drill measured', async () => {
    const told = await open(plain, breakingStream(linesOf(DRILL_RUN).length));
    await tell(told, DRILL_RUN);
    expect(told.stderr()).toMatch(/clients interrupted[\s\S]*haproxy on etcd-1[\s\S]*before keepalived was stopped/);
  });

  test.each<[string, (stdout: NodeJS.WriteStream) => Promise<Reporter>]>([
    ['to begin', () => Promise.reject(new Error('a bug in drawing'))],
    ['to draw an event', () => Promise.resolve({ ...silent, sink: fail })],
    ['to settle', () => Promise.resolve({ ...silent, settled: () => Promise.reject(new Error('a bug in drawing')) })],
    ['to close', () => Promise.resolve({ ...silent, close: () => Promise.reject(new Error('a bug in drawing')) })],
  ])('whose renderer fails %s ends the run on stderr', async (_, create) => {
    const told = await open(create);
    await tell(told, FAILING_RUN);
    expect(told.stderr()).toContain("the report can't be drawn (a bug in drawing)");
    expect(told.stderr()).toContain('play etcd stopped; no later host was touched');
  });

  test('says once that the journal can not be written, and goes on trying', async () => {
    const kept: Event[] = [];
    let tries = 0;
    const journal: EventSink = (event) => {
      tries += 1;
      if (tries > 2 && tries < 6) throw new Error('ENOSPC: no space left on device');
      kept.push(event);
    };
    const shown: Event[] = [];
    const watched = await open(() => Promise.resolve({ ...silent, sink: (event) => void shown.push(event) }));
    watched.reporter.keep(() => journal);
    await tell(watched, ROLLING_RUN);
    expect(shown.filter((event) => event.type === 'notice' && event.message.includes('ENOSPC'))).toHaveLength(1);
    expect(kept.at(-1)?.type).toBe('run-finished');
  });

  test('that works tells nothing twice', async () => {
    const told = await open(plain);
    await tell(told, ROLLING_RUN);
    expect(told.stderr()).toBe('');
  });
});

function linesOf(events: readonly Event[]): readonly string[] {
  const lines: string[] = [];
  const reporter = createPlainReporter(
    (text) => lines.push(text.replace(/^\d\d:\d\d:\d\d /, '').trimEnd()),
    tickingClock(0),
  );
  for (const event of events) reporter.sink(event);
  return lines;
}
