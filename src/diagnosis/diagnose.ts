import { viewOf, type ClusterView } from './cluster-view.js';
import { findCorrupt, findNoData, findNospace, findRemoved, findWrongCluster } from './data-causes.js';
import type { Evidence } from './evidence.js';
import type { FindCause, Finding } from './finding.js';
import { findClock, findDisk, findSlowDisk } from './host-causes.js';
import { findCertificates, findCrash, findNoLeader, findStopped, findUnexplained } from './process-causes.js';
import { findNetwork, findUnreachable } from './reach-causes.js';

/** How etcd is: all members serve; some do; none is known to. */
export type EtcdState = 'healthy' | 'degraded' | 'down';

/** What the evidence comes to. */
export interface Diagnosis {
  readonly state: EtcdState;
  /** Members that commit proposals and can be used by clients. */
  readonly healthy: number;
  readonly members: number;
  readonly quorum: number;
  /** The root cause first; none where nothing is wrong. */
  readonly findings: readonly Finding[];
}

/** One row of the table of causes. */
interface Cause {
  readonly find: FindCause;
  /** Whether it explains why its members do not serve, so that nothing further is looked for there. */
  readonly explains: 'members' | 'nothing';
  /** It is named only where nothing stops the whole cluster. */
  readonly isRest?: true;
}

/** Every cause, in the order in which one explains the other. */
const CAUSES: readonly Cause[] = [
  { find: findClock, explains: 'nothing' },
  { find: findDisk, explains: 'members' },
  { find: findCertificates, explains: 'members' },
  { find: findNospace, explains: 'nothing' },
  { find: findCorrupt, explains: 'members' },
  { find: findWrongCluster, explains: 'members' },
  { find: findRemoved, explains: 'members' },
  { find: findNoData, explains: 'members' },
  { find: findUnreachable, explains: 'members' },
  { find: findNetwork, explains: 'members' },
  { find: findStopped, explains: 'members' },
  { find: findCrash, explains: 'members' },
  { find: findSlowDisk, explains: 'nothing' },
  { find: findNoLeader, explains: 'members', isRest: true },
  { find: findUnexplained, explains: 'members', isRest: true },
];

/**
 * Names the causes of what is wrong with an etcd cluster, the root first. Pure. What one host says of others decides
 * nothing against what those say; a cause that rests on one host's word names it.
 */
export function diagnose(evidence: Evidence): Diagnosis {
  const view = viewOf(evidence);
  const explained = new Set<string>();
  const found: Finding[] = [];
  for (const { find, explains, isRest } of CAUSES) {
    if (isRest === true && found.some(({ stopsAll }) => stopsAll === true)) continue;
    const findings = find(view, explained);
    found.push(...findings);
    if (explains === 'nothing') continue;
    for (const host of findings.flatMap((finding) => finding.explains ?? finding.hosts)) explained.add(host);
  }
  const members = view.members.length;
  const isHealthy = view.healthy.size === members && found.every(({ verdict }) => verdict === 'warn');
  return {
    state: isHealthy ? 'healthy' : view.healthy.size > 0 && !found.some(stopsAll) ? 'degraded' : 'down',
    ...{ healthy: view.healthy.size, members, quorum: view.quorum },
    // The sort is stable: within a rank the order of the table stays.
    findings: found.toSorted((a, b) => rankOf(a, view) - rankOf(b, view)),
  };
}

function stopsAll(finding: Finding): boolean {
  return finding.stopsAll === true;
}

/** 0: alone it is why nothing is served; 1: anything else. */
function rankOf(finding: Finding, { healthy, members, quorum }: ClusterView): 0 | 1 {
  if (stopsAll(finding)) return 0;
  return healthy.size === 0 && members.length - finding.hosts.length < quorum ? 0 : 1;
}
