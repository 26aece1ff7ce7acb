import { EXIT } from '../model/errors.js';
import { VERSION } from '../model/version.js';
import type { FleetCluster } from './find-clusters.js';
import { shortName } from './short-name.js';

/** Where the pod finds the checked-out repository, with inventories, stores and plans. */
const DIRECTORY = '/fleet';
/** The image's user (deploy/Containerfile): its home has `.ssh`. */
const USER = 10001;
/** Letters of a cluster's name in that of its Job, which is a label of its pods: 63 at most, with all that is added. */
const MOST_LETTERS = 40;
/** Seconds that a run has to finish, or roll back, the change in progress: as long as most gates wait. */
const GRACE_S = 300;
/** How often a Job is tried again where another run has the lock, or a host is away. */
const RETRIES = 6;
/** A day: long enough to read what failed. */
const KEPT_S = 86_400;

/** How `fleet plan` was called. */
export interface Planned {
  /** The directory of `-o`; below that of the fleet. */
  readonly plans: string;
  /** Absent: the usual one. */
  readonly playbook?: string | undefined;
}

/** A Job of Kubernetes, batch/v1; only what is set here. */
export interface Job {
  readonly apiVersion: 'batch/v1';
  readonly kind: 'Job';
  readonly metadata: { readonly name: string } & Readonly<Record<string, unknown>>;
  readonly spec: Readonly<Record<string, unknown>>;
}

/**
 * A Job for each cluster, which applies exactly the plan that was saved for it. Its name is the cluster's, so that a second one
 * is refused while the first is there. It is tried again only after what may be tried again.
 */
export function kubernetesJobs(clusters: readonly FleetCluster[], planned: Planned): readonly Job[] {
  return clusters.map((cluster) => jobOf(cluster, planned));
}

function jobOf({ name, inventory }: FleetCluster, { plans, playbook }: Planned): Job {
  const named = playbook === undefined ? [] : ['--playbook', playbook];
  const args = ['apply', '--plan', `${plans}/${name}.plan`, ...named, '--format', 'json', '--', inventory];
  const labels = { 'app.kubernetes.io/name': 'provision', 'app.kubernetes.io/instance': labelOf(name) };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: `provision-${labelOf(name)}`, labels, annotations: { 'provision/cluster': name } },
    spec: {
      backoffLimit: RETRIES,
      ttlSecondsAfterFinished: KEPT_S,
      podFailurePolicy: { rules: [{ action: 'FailJob', onExitCodes: finalCodes() }] },
      template: { metadata: { labels }, spec: podOf(args) },
    },
  };
}

/** After these a person has to look: the same command would do no better. */
function finalCodes(): Readonly<Record<string, unknown>> {
  return { containerName: 'provision', operator: 'In', values: [EXIT.failed, EXIT.stale, EXIT.unsafe] };
}

function podOf(args: readonly string[]): Readonly<Record<string, unknown>> {
  return {
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: GRACE_S,
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, runAsUser: USER, fsGroup: USER, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        ...{ name: 'provision', image: `provision:${VERSION}`, args: args.map(asIs), workingDir: DIRECTORY },
        env: [
          {
            name: 'PROVISION_CA_PASSPHRASE',
            valueFrom: { secretKeyRef: { name: 'provision', key: 'ca-passphrase', optional: true } },
          },
        ],
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        volumeMounts: [
          { name: 'fleet', mountPath: DIRECTORY },
          { name: 'ssh', mountPath: '/home/provision/.ssh', readOnly: true },
        ],
      },
    ],
    volumes: [
      { name: 'fleet', persistentVolumeClaim: { claimName: 'provision-fleet' } },
      { name: 'ssh', secret: { secretName: 'provision-ssh', defaultMode: 0o440 } },
    ],
  };
}

/** A word of which Kubernetes replaces nothing: it would take `$(NAME)` for a variable, and takes `$$` for `$`. */
function asIs(word: string): string {
  return word.replaceAll('$', () => '$$');
}

/** RFC 1123: lower-case letters, digits and hyphens, and none of these at an end. */
function labelOf(name: string): string {
  const letters = name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  return shortName(name, letters.slice(0, MOST_LETTERS).replace(/^-+|-+$/g, '') || 'cluster');
}
