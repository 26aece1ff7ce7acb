import type { CheckItem, Verdict } from '../checks/check.js';
import type { ClusterResult, FleetJson } from '../fleet/fleet-schema.js';
import type { RunRecord } from './page/run-report.js';

/** What a report of a fleet shows: each cluster as an item, with what to do next where it failed. */
export function fleetRecord(
  { verb, directory, clusters }: FleetJson,
  run: Pick<RunRecord, 'tool' | 'by' | 'begun' | 'ended'>,
): RunRecord {
  return { ...run, command: `fleet ${verb}`, inventory: directory, events: [], items: clusters.map(itemOf) };
}

function itemOf({ cluster, outcome, summary, hint }: ClusterResult): CheckItem {
  const evidence = outcome === 'ok' || outcome === 'not-started' ? summary : `${outcome}: ${summary}`;
  return { check: 'cluster', host: cluster, verdict: verdictOf(outcome), evidence, next: hint ?? undefined };
}

/** A cluster that was not started is not done, and nothing is known to be wrong with it. */
function verdictOf(outcome: ClusterResult['outcome']): Verdict {
  if (outcome === 'ok') return 'ok';
  return outcome === 'not-started' ? 'warn' : 'fail';
}
