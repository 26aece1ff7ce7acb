/** Takes what an asynchronous call came to, as Node's callbacks give it. */
export type Done<T> = (error: Error | undefined | null, value: T) => void;

/** What happens when nothing has come in time. */
export interface Deadline<T> {
  readonly ms: number;
  readonly error: () => Error;
  /** Puts away what came too late. */
  readonly late?: (value: T) => void;
}

/** A call with a callback as a promise that settles in time, whatever the far side does. */
export function inTime<T>(deadline: Deadline<T>, start: (done: Done<T>) => void): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      reject(deadline.error());
    }, deadline.ms);
    try {
      start((error, value) => {
        clearTimeout(timer);
        if (error) reject(error);
        else if (isLate) deadline.late?.(value);
        else resolve(value);
      });
    } catch (error) {
      clearTimeout(timer);
      reject(error instanceof Error ? error : new Error(String(error)));
    }
  });
}
