import pLimit from 'p-limit';
import type { FailureKind } from '../model/error-codes/explanation.js';
import type { ClusterResult } from './fleet-schema.js';
import type { FleetCluster } from './find-clusters.js';

/** How a fleet is worked on. */
export interface FleetRun {
  /** How many clusters at once. */
  readonly jobs: number;
  /** After so many failures no other cluster is started. */
  readonly stopAfter: number;
  /** Whether a stop was asked for. */
  readonly isStopped: () => boolean;
  /** Works on one cluster. Never throws: a cluster that fails stops no other. */
  readonly work: (cluster: FleetCluster) => Promise<ClusterResult>;
  /** Called for each cluster as it ends. */
  readonly onResult: (result: ClusterResult) => void;
}

/** Works on all clusters, and gives what came of each, in their order. */
export async function runFleet(
  clusters: readonly FleetCluster[],
  { jobs, stopAfter, isStopped, work, onResult }: FleetRun,
): Promise<readonly ClusterResult[]> {
  let failures = 0;
  const limit = pLimit(jobs);
  return Promise.all(
    clusters.map((cluster) =>
      limit(async () => {
        if (isStopped()) return notStarted(cluster, 'not started: stopped on request');
        if (failures >= stopAfter)
          return notStarted(cluster, `not started: ${failures} failed before (--stop-after ${stopAfter})`);
        const result = await work(cluster);
        if (result.outcome !== 'ok') failures += 1;
        onResult(result);
        return result;
      }),
    ),
  );
}

function notStarted({ name, inventory }: FleetCluster, summary: string): ClusterResult {
  return { cluster: name, inventory, outcome: 'not-started', changes: null, summary, hint: null, elapsedMs: 0 };
}

/** How the clusters failed that did. */
export function failureKinds(results: readonly ClusterResult[]): readonly FailureKind[] {
  return results.flatMap(({ outcome }) => (outcome === 'ok' || outcome === 'not-started' ? [] : [outcome]));
}
