import { EXIT, ProvisionError } from '../model/errors.js';
import type { Event, EventSink, HostFailureReport } from '../model/events.js';

/** What a stop needs to know and to do. */
export interface StopEdges {
  readonly emit: EventSink;
  /** The changes that were begun and have not ended. */
  readonly inHand: () => readonly HostFailureReport[];
  /** What to do next when the run is stopped at once, where that is not to run it again. */
  readonly left: string | undefined;
  /** Puts everything on the screen. */
  readonly close: () => Promise<void>;
}

/** Ctrl-C, SIGTERM and SIGHUP, as a run understands them. */
export interface StopRequests {
  readonly asked: () => boolean;
  /** From now on the first request waits for the change in progress. @throws ProvisionError `interrupted` where one came before */
  readonly startActing: () => void;
  /** The last event was shown: what the run still says, while all is put on the screen, is nobody's. */
  readonly hasEnded: () => boolean;
  readonly release: () => void;
}

/**
 * While nothing is changed, a request ends the process. Later the first one only asks: what is in progress is finished or
 * rolled back. The second ends at once, and says what it leaves. A terminal that is closed is no request: who changes
 * hosts goes on, and the journal tells the rest.
 */
export function stopOnRequest({ emit, inHand, left, close }: StopEdges): StopRequests {
  let requests = 0;
  let isActing = false;
  let hasEnded = false;
  function endAtOnce(event: Event): void {
    if (hasEnded) return;
    emit(event);
    hasEnded = true;
    void close().finally(() => process.exit(EXIT.stopped));
  }
  function onSignal(): void {
    requests += 1;
    if (!isActing)
      endAtOnce({
        type: 'run-failed',
        kind: 'stopped',
        message: NOTHING_CHANGED,
        failures: [],
      });
    else if (requests === 1)
      emit({
        type: 'notice',
        message: 'finishing the change in progress, then stopping; press Ctrl-C again to stop immediately',
      });
    else if (requests === 2) endAtOnce(stoppedAtOnce(inHand(), left ?? RUN_AGAIN));
  }
  function onHangUp(): void {
    if (isActing) emit({ type: 'notice', message: 'the terminal was closed (SIGHUP): the run continues to its end' });
    else onSignal();
  }
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  process.on('SIGHUP', onHangUp);
  return {
    asked: () => requests > 0,
    hasEnded: () => hasEnded,
    startActing() {
      // To put all on the screen takes a moment, and the run has gone on meanwhile: the person has read that nothing was changed.
      if (hasEnded) throw new ProvisionError({ code: 'interrupted', message: NOTHING_CHANGED });
      isActing = true;
    },
    release() {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
      process.off('SIGHUP', onHangUp);
    },
  };
}

const NOTHING_CHANGED = 'stopped on request: nothing was changed';

const RUN_AGAIN =
  'run the same command again from this machine: it takes over the lock and completes the unfinished changes';

function stoppedAtOnce(failures: readonly HostFailureReport[], hint: string): Event {
  return {
    type: 'run-failed',
    kind: 'stopped',
    message: 'stopped immediately, in the middle of the run; the lock remains on the hosts',
    failures: failures.length === 0 ? [{ message: 'no change was in progress' }] : failures,
    hint,
  };
}

/** Follows a run's events: which changes were begun and have not ended. */
export function changesInHand(): { note: EventSink; list: () => readonly HostFailureReport[] } {
  const open = new Map<string, HostFailureReport>();
  return {
    note(event) {
      if (event.type === 'change-started')
        open.set(event.host, { host: event.host, message: `was in progress, may be incomplete: ${event.summary}` });
      if (event.type === 'change-failed')
        open.set(event.host, { host: event.host, message: `failed, may be only partly rolled back: ${event.summary}` });
      if (event.type === 'change-done') open.delete(event.host);
    },
    list: () => [...open.values()],
  };
}
