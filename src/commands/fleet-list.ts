import { affectedClusters } from '../fleet/affected.js';
import { findClusters, type FleetCluster } from '../fleet/find-clusters.js';
import type { FleetListJson } from '../fleet/fleet-schema.js';
import { githubMatrix } from '../fleet/matrix.js';
import { takeShard, type Shard } from '../fleet/shard.js';
import { counted } from '../model/counted.js';
import { EXIT } from '../model/errors.js';
import { printableJson } from '../report/terminal-text.js';
import type { Context } from './context.js';

/** Which clusters of a directory. */
export interface FleetChoice {
  readonly shard?: Shard;
  readonly changedSince?: string;
}

/** The options of `fleet list`. */
export interface FleetListOptions extends FleetChoice {
  readonly format: 'text' | 'json' | 'github-matrix' | 'kubernetes';
  /** Of `kubernetes`: where the plans are. */
  readonly plans: string;
  /** Of `kubernetes`: that of the plans, where it is not the usual one. */
  readonly playbook?: string;
}

/** Shows the clusters, for people and for what starts a job for each. */
export async function listFleet(directory: string, options: FleetListOptions, context: Context): Promise<void> {
  const clusters = await chosenClusters(directory, options);
  context.stdout.write(`${await render(directory, clusters, options)}\n`);
  context.exit(EXIT.done);
}

/** The clusters that a choice leaves; may be none. @throws ProvisionError */
export async function chosenClusters(
  directory: string,
  { shard, changedSince }: FleetChoice,
): Promise<readonly FleetCluster[]> {
  const all = await findClusters(directory);
  const changed = changedSince === undefined ? all : await changedClusters(all, directory, changedSince);
  return shard === undefined ? changed : takeShard(changed, shard);
}

async function changedClusters(
  all: readonly FleetCluster[],
  directory: string,
  revision: string,
): Promise<readonly FleetCluster[]> {
  const { changedSince } = await import('./fleet-changes.js');
  return affectedClusters(all, directory, await changedSince(directory, revision));
}

async function render(
  directory: string,
  clusters: readonly FleetCluster[],
  { format, plans, playbook }: FleetListOptions,
): Promise<string> {
  switch (format) {
    case 'text':
      return [...clusters.map(({ inventory }) => inventory), counted(clusters.length, 'cluster')].join('\n');
    case 'json': {
      const list: FleetListJson = {
        ...{ formatVersion: 1, directory },
        clusters: clusters.map(({ name, inventory }) => ({ cluster: name, inventory })),
      };
      return printableJson(list, 2);
    }
    case 'github-matrix':
      // One line: it is written to $GITHUB_OUTPUT as it is.
      return printableJson(githubMatrix(clusters));
    case 'kubernetes': {
      const { stringify } = await import('yaml');
      const { kubernetesJobs } = await import('../fleet/kubernetes-jobs.js');
      // No line is broken: a long path stays one word.
      return kubernetesJobs(clusters, { plans, playbook })
        .map((job) => `---\n${stringify(job, { lineWidth: 0, aliasDuplicateObjects: false }).trimEnd()}`)
        .join('\n');
    }
  }
}
