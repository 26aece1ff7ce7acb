import { ProvisionError } from '../model/errors.js';
import type { FleetCluster } from './find-clusters.js';
import { shortName } from './short-name.js';

/** GitHub starts no more jobs from one matrix (docs.github.com, "Running variations of jobs in a workflow"). */
const MOST_JOBS = 256;

/** One job of {@link Matrix}. */
interface Job {
  readonly cluster: string;
  readonly inventory: string;
  /** A name for files that belong to it: letters, digits, `.`, `_` and `-`; every cluster has another. */
  readonly id: string;
}

/** What `strategy.matrix` of a GitHub workflow takes. */
export interface Matrix {
  readonly include: readonly Job[];
}

/** A job for each cluster. @throws ProvisionError `fleet-too-large` */
export function githubMatrix(clusters: readonly FleetCluster[]): Matrix {
  if (clusters.length > MOST_JOBS)
    throw new ProvisionError({
      code: 'fleet-too-large',
      message: `${clusters.length} clusters, and a matrix of GitHub has ${MOST_JOBS} jobs at most`,
      hint: `take parts: --shard 1/${Math.ceil(clusters.length / MOST_JOBS)}, and so on, or --changed-since REVISION`,
    });
  return {
    include: clusters.map(({ name, inventory }) => ({
      cluster: name,
      inventory,
      id: shortName(name, name.replaceAll(/[^\w.-]+/g, '-')),
    })),
  };
}
