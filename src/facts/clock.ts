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
