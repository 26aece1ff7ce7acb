import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { changesInHand, stopOnRequest, type StopRequests } from '../../../src/commands/stop-on-request.js';
import type { Event, HostFailureReport } from '../../../src/model/events.js';

const HALF_DONE: HostFailureReport = { host: 'etcd-1', message: 'was in progress, may be incomplete: restart etcd' };

let events: Event[];
let closed: number;
let exits: number[];
let stop: StopRequests;
let inHand: readonly HostFailureReport[];

function listen(left?: string): StopRequests {
  return stopOnRequest({
    emit: (event) => events.push(event),
    inHand: () => inHand,
    left,
    close() {
      closed += 1;
      return Promise.resolve();
    },
  });
}

beforeEach(() => {
  [events, closed, exits, inHand] = [[], 0, [], []];
  jest.spyOn(process, 'exit').mockImplementation((code) => {
    exits.push(Number(code));
    return undefined as never;
  });
  stop = listen();
});
afterEach(() => {
  stop.release();
  jest.restoreAllMocks();
});

/** Sends a signal to this process's listeners, and lets what ends the process happen. */
async function send(...signals: readonly NodeJS.Signals[]): Promise<void> {
  for (const signal of signals) process.emit(signal);
  await new Promise(setImmediate);
}

const told = (): readonly string[] => events.map((event) => ('message' in event ? event.message : event.type));

describe('while nothing is changed', () => {
  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s ends the run at once, with all on the screen',
    async (signal) => {
      expect(stop.asked()).toBe(false);
      await send(signal);
      expect([stop.asked(), told(), closed, exits]).toEqual([
        true,
        ['stopped on request: nothing was changed'],
        1,
        [130],
      ]);
      expect(events[0]).toMatchObject({ type: 'run-failed', failures: [] });
    },
  );

  test('a run that has gone on meanwhile changes nothing: what was said holds', async () => {
    expect(stop.hasEnded()).toBe(false);
    await send('SIGINT');
    expect(stop.hasEnded()).toBe(true);
    expect(() => {
      stop.startActing();
    }).toThrow('stopped on request: nothing was changed');
    await send('SIGINT', 'SIGINT');
    expect([told(), closed]).toEqual([['stopped on request: nothing was changed'], 1]);
  });
});

describe('while hosts are changed', () => {
  beforeEach(() => {
    stop.startActing();
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('the first %s waits for the change in progress', async (signal) => {
    expect(stop.asked()).toBe(false);
    await send(signal);
    expect([stop.asked(), told(), closed, exits]).toEqual([
      true,
      ['finishing the change in progress, then stopping; press Ctrl-C again to stop immediately'],
      0,
      [],
    ]);
  });

  test('the second ends at once, and names what it leaves; a third is not heard', async () => {
    inHand = [HALF_DONE];
    await send('SIGINT', 'SIGTERM', 'SIGINT');
    expect([closed, exits]).toEqual([1, [130]]);
    expect(events.slice(1)).toEqual([
      {
        type: 'run-failed',
        kind: 'stopped',
        message: 'stopped immediately, in the middle of the run; the lock remains on the hosts',
        failures: [HALF_DONE],
        hint: 'run the same command again from this machine: it takes over the lock and completes the unfinished changes',
      },
    ]);
  });

  test('the second says so where no change was in progress, and what to do where that is not to run it again', async () => {
    stop.release();
    stop = listen('provision drill --put-back');
    stop.startActing();
    await send('SIGINT', 'SIGINT');
    expect(events[1]).toMatchObject({
      failures: [{ message: 'no change was in progress' }],
      hint: 'provision drill --put-back',
    });
  });

  test('a terminal that is closed asks for nothing, however often', async () => {
    await send('SIGHUP', 'SIGHUP', 'SIGHUP');
    expect([stop.asked(), closed, exits]).toEqual([false, 0, []]);
    expect(told()[0]).toBe('the terminal was closed (SIGHUP): the run continues to its end');
    await send('SIGINT');
    expect(told().at(-1)).toBe(
      'finishing the change in progress, then stopping; press Ctrl-C again to stop immediately',
    );
  });
});

test('after the run nothing is heard any more', () => {
  const count = (): readonly number[] =>
    (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((signal) => process.listenerCount(signal));
  const during = count();
  stop.release();
  expect(count()).toEqual(during.map((number) => number - 1));
});

describe('changes in progress', () => {
  const at = (host: string, summary: string) => ({ play: 'etcd', host, address: `file:/${summary}`, summary });

  test('are those that were begun, or failed, and have not ended: the last of each host', () => {
    const { note, list } = changesInHand();
    expect(list()).toEqual([]);
    note({ type: 'change-started', ...at('a', 'one') });
    note({ type: 'change-started', ...at('b', 'two') });
    note({ type: 'notice', message: 'nothing of it' });
    expect(list()).toEqual([
      { host: 'a', message: 'was in progress, may be incomplete: one' },
      { host: 'b', message: 'was in progress, may be incomplete: two' },
    ]);
    note({ type: 'change-done', ...at('a', 'one'), elapsedMs: 1 });
    note({ type: 'change-failed', ...at('b', 'two'), message: 'no space' });
    expect(list()).toEqual([{ host: 'b', message: 'failed, may be only partly rolled back: two' }]);
    note({ type: 'change-started', ...at('b', 'three') });
    expect(list()).toEqual([{ host: 'b', message: 'was in progress, may be incomplete: three' }]);
  });
});
