/** Takes what an asynchronous call came to, as Node's callbacks give it. */
export type Done<T> = (error: Error | undefined | null, value: T) => void;

/** What happens when nothing has come in time. */
export interface Deadline<T> {
  readonly ms: number;
  readonly error: () => Error;
  /** Puts away what came too late. */
  readonly late?: (value: T) => void;
}

/**
 * Acts after so many milliseconds, and not before what has arrived by then was read: where this machine was busy for
 * longer than the deadline, an answer that waits in the socket is not late.
 * @returns takes it back
 */
export function afterDeadline(ms: number, act: () => void): () => void {
  let pending: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    // Node runs timers, then reads its sockets, then runs these.
    pending = setImmediate(act);
  }, ms);
  return () => {
    clearTimeout(timer);
    clearImmediate(pending);
  };
}

/** A call with a callback as a promise that settles in time, whatever the far side does. */
export function inTime<T>(deadline: Deadline<T>, start: (done: Done<T>) => void): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let isLate = false;
    const takeBack = afterDeadline(deadline.ms, () => {
      isLate = true;
      reject(deadline.error());
    });
    try {
      start((error, value) => {
        takeBack();
        if (error) reject(error);
        else if (isLate) deadline.late?.(value);
        else resolve(value);
      });
    } catch (error) {
      takeBack();
      reject(error instanceof Error ? error : new Error(String(error)));
    }
  });
}
