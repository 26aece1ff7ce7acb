import type { FleetJson } from '../fleet/fleet-schema.js';
import type { RunRecord } from './page/run-report.js';

/** What a report of a fleet shows. */
export function fleetRecord(
  { verb, directory, clusters }: FleetJson,
  run: Pick<RunRecord, 'tool' | 'by' | 'begun' | 'ended'>,
): RunRecord {
  return { ...run, command: `fleet ${verb}`, inventory: directory, events: [], clusters };
}
