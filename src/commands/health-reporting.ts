import { VERSION } from '../model/version.js';
import type { RunRecord } from '../report/page/run-report.js';
import { whoRuns } from './lock-holder.js';
import { openReportFiles } from './report-files.js';

/** What is gathered of a health check for its reports. */
export interface HealthReporting {
  /** @throws ProvisionError `file-not-written` */
  write(found: Pick<RunRecord, 'items' | 'latency' | 'before'>): Promise<void>;
  /** A health check that an error ended: a report of an earlier one would pass for it. It never fails. */
  fail(error: unknown): Promise<void>;
}

/** @throws ProvisionError where a report could not be written */
export async function openHealthReporting(inventory: string, files: readonly string[]): Promise<HealthReporting> {
  const begun = new Date().toISOString();
  const targets = await openReportFiles(files);
  const record = (): Omit<RunRecord, 'events'> => {
    const ended = new Date().toISOString();
    return { tool: VERSION, command: 'verify', inventory, by: whoRuns(), begun, ended };
  };
  return {
    write: (found) => targets.write({ ...record(), events: [], ...found }),
    async fail(error) {
      const { runFailed } = await import('../report/run-failed.js');
      const { eventRecord } = await import('../report/ndjson.js');
      // What ended the check is what counts.
      await targets.write({ ...record(), events: [eventRecord(runFailed(error), new Date())] }).catch(() => undefined);
    },
  };
}
