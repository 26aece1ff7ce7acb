/** A stream whose failures reach nobody who writes to it. */
export interface GuardedStream {
  /** Writing to it never throws, and its errors end nothing; what is written after the first error is dropped. */
  readonly stream: NodeJS.WriteStream;
  /** How many writes there were, arrived or not. */
  writes(): number;
  /** How many of them have arrived. */
  arrived(): number;
}

/**
 * Guards a stream: an `error` that nobody listens to would end the process (Node.js, "Error events").
 * @param onBroken it takes no more: its disk is full, its reader or its terminal is gone. Called once
 */
export function guardStream(stream: NodeJS.WriteStream, onBroken: (error: Error) => void): GuardedStream {
  let writes = 0;
  let arrived = 0;
  let isBroken = false;
  function broke(error: Error): void {
    if (isBroken) return;
    isBroken = true;
    onBroken(error);
  }
  function write(text: string): boolean {
    if (isBroken) return true;
    writes += 1;
    const nth = writes;
    try {
      return stream.write(text, (error) => {
        if (error) broke(error);
        else arrived = Math.max(arrived, nth);
      });
    } catch (error) {
      broke(error instanceof Error ? error : new Error(String(error)));
      return true;
    }
  }
  // It stays for good: a terminal that is gone may say so at any time.
  stream.on('error', broke);
  const guarded = Object.create(stream, { write: { value: write } }) as NodeJS.WriteStream;
  return { stream: guarded, writes: () => writes, arrived: () => arrived };
}
