import type { ClusterResult } from '../../fleet/fleet-schema.js';
import { counted } from '../../model/counted.js';
import type { ReportVerdict, Tone } from './report-verdict.js';

/** How what came of a cluster is meant: changes are looked at, and what was not started is not done. */
export function clusterTone({ outcome, changes }: ClusterResult): Tone {
  if (outcome === 'not-started') return 'watch';
  if (outcome !== 'ok') return 'bad';
  return (changes ?? 0) > 0 ? 'watch' : 'good';
}

/** What came of a cluster, in one line. */
export function clusterWords({ outcome, summary }: ClusterResult): string {
  return outcome === 'ok' || outcome === 'not-started' ? summary : `${outcome}: ${summary}`;
}

/** What a fleet comes to. @param command `fleet plan` */
export function fleetVerdict(command: string, clusters: readonly ClusterResult[]): ReportVerdict {
  if (clusters.length === 0) return { tone: 'good', text: `${command}: no cluster to work on` };
  const count = (is: (cluster: ClusterResult) => boolean): number => clusters.filter(is).length;
  const ok = count(({ outcome }) => outcome === 'ok');
  const changing = count(({ outcome, changes }) => outcome === 'ok' && (changes ?? 0) > 0);
  const notStarted = count(({ outcome }) => outcome === 'not-started');
  const failed = clusters.length - ok - notStarted;
  const figures = [
    changing > 0 ? `${ok} ok (${changing} with changes)` : `${ok} ok`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(notStarted > 0 ? [`${notStarted} not started`] : []),
  ];
  const tone = failed > 0 ? 'bad' : notStarted + changing > 0 ? 'watch' : 'good';
  return { tone, text: `${command}: ${counted(clusters.length, 'cluster')}: ${figures.join(', ')}` };
}
