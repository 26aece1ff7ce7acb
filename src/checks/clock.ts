import { certainSkewMs, clock, NOW, type ClockReading } from '../facts/clock.js';
import { itemsOfHosts } from './ask-hosts.js';
import type { CheckContext, CheckItem } from './check.js';

/** Skew in milliseconds at which logs and leases mislead, and at which certificates and tokens do. */
const SKEW_MS = { warn: 1000, fail: 5000 } as const;

/**
 * Each host's clock against the control machine's. Ask when the connections are open and nothing else is asked: the
 * time of the whole exchange is unknown.
 */
export async function checkClocks(
  { probe, now }: Pick<CheckContext, 'probe' | 'now'>,
  hosts: readonly string[],
): Promise<readonly CheckItem[]> {
  return itemsOfHosts(hosts, async (host) => {
    const sent = now();
    const time = await probe(host).ask(clock, NOW);
    return [judgeClock(host, { sent, host: time, received: now() })];
  });
}

/** Judged by what is surely skew. */
export function judgeClock(host: string, reading: ClockReading): CheckItem {
  const { sent, host: time, received } = reading;
  const certain = Math.abs(certainSkewMs(reading));
  const verdict = certain > SKEW_MS.fail ? 'fail' : certain > SKEW_MS.warn ? 'warn' : 'ok';
  const offset = time - (sent + received) / 2;
  const evidence = `${seconds(Math.abs(offset))} ${offset < 0 ? 'behind' : 'ahead'} (± ${seconds((received - sent) / 2)})`;
  const item = { check: 'clock', host, verdict, evidence } as const;
  return verdict === 'ok' ? item : { ...item, next: `ssh ${host} timedatectl` };
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2)} s`;
}
