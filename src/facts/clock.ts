import type { Fact } from '../model/remote.js';

/** The one key of {@link clock}. */
export const NOW = 'now';

/** Key: {@link NOW}. The host's time in milliseconds since 1970. */
export const clock: Fact<number> = {
  name: 'clock',
  script: () => 'date +%s.%N',
  parse(stdout, keys) {
    const [, seconds] = /^(\d+\.\d+)$/m.exec(stdout) ?? [];
    if (seconds === undefined) throw new Error(`unexpected time ${stdout.slice(0, 40)}`);
    return new Map(keys.map((key) => [key, Number(seconds) * 1000]));
  },
};

/** When a question left, what the host's clock said, and when the answer was back. Milliseconds since 1970. */
export interface ClockReading {
  readonly sent: number;
  readonly host: number;
  readonly received: number;
}

/**
 * By how much a host's clock surely differs: it was read at some time between sending and receiving, and only what is
 * beyond both is no travel time. Milliseconds; negative: behind.
 */
export function certainSkewMs({ sent, host, received }: ClockReading): number {
  if (host > received) return host - received;
  return host < sent ? host - sent : 0;
}
