import type { TestLab } from './lab.js';
import { endOf } from './main-job.js';

/** The hosts that have saved a snapshot on their schedule, by `verify`. The text says of hosts at once what is the same of each. */
export async function hostsWithSnapshots(lab: TestLab, inventory: string): Promise<readonly string[]> {
  const verified = await lab.provision('verify', inventory, '--format', 'json');
  if (verified.status !== 0) throw new Error(endOf(verified));
  const { items } = JSON.parse(verified.stdout) as {
    readonly items: readonly { readonly check: string; readonly host: string; readonly evidence: string }[];
  };
  return items.flatMap(({ check, host, evidence }) =>
    check === 'snapshots-scheduled' && evidence.startsWith('the last good one is of') ? [host] : [],
  );
}
