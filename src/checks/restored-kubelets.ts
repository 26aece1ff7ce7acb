import { clock, NOW } from '../facts/clock.js';
import { KUBELET } from '../facts/kubelet-processes.js';
import { restores, RESTORES_KEY, type RestoreOnHost } from '../facts/restores.js';
import { unitState } from '../facts/unit-state.js';
import type { Probe } from '../model/remote.js';
import { askHosts, itemsOfHosts } from './ask-hosts.js';
import type { Check, CheckItem } from './check.js';

/** After a restore: whether each kubelet was started since, or may remember revisions that are not there any more. */
export const checkRestoredKubelets: Check = async ({ cluster, probe, now }) => {
  const planes = [...new Set(cluster.controlPlanes.map(({ host }) => host))];
  const begun = now();
  const { heard, unreachable } = await askHosts(planes, (host) => probe(host).ask(restores, RESTORES_KEY));
  const restored = lastRestore([...heard.values()], planes.length);
  if (restored === undefined) return unreachable;
  const items = await itemsOfHosts(cluster.nodes, async (host) => {
    const found = await lookAtKubelet(probe(host), restored.id);
    // Since the first answers the restore has become older, too.
    const unsureS = (now() - begun) / 1000 + ROUNDING_S;
    return found === undefined ? [] : [judge({ host, restored, unsureS }, found)];
  });
  return [...unreachable, ...items];
};

/** Notes have whole seconds, on both sides. */
const ROUNDING_S = 2;

/** A kubelet that runs. */
interface KubeletSeen {
  /** For how long, by the host's own clock, in seconds. */
  readonly runs: number;
  /** The host has noted that it was restarted by this restore. */
  readonly isNoted: boolean;
}

async function lookAtKubelet(probe: Probe, id: string): Promise<KubeletSeen | undefined> {
  const [{ active, startedAt }, time, noted] = await Promise.all([
    probe.ask(unitState, KUBELET),
    probe.ask(clock, NOW),
    probe.ask(restores, RESTORES_KEY),
  ]);
  if (!active || startedAt === undefined) return undefined;
  const isNoted = noted.some((each) => each.id === id && each.stages.has('restarted'));
  return { runs: time / 1000 - startedAt, isNoted };
}

/** What a kubelet is judged by. */
interface Judged {
  readonly host: string;
  readonly restored: Restored;
  /** What two ages may differ by though the times are the same. */
  readonly unsureS: number;
}

function judge({ host, restored: { id, ago }, unsureS }: Judged, { runs, isNoted }: KubeletSeen): CheckItem {
  const item = { check: 'restored-kubelet', host, subject: KUBELET };
  if (isNoted || runs < ago - unsureS)
    return { ...item, verdict: 'ok', evidence: `was started after the restore ${id}` };
  const next = `ssh ${host} sudo systemctl restart ${KUBELET}`;
  if (runs <= ago + unsureS)
    return {
      ...item,
      verdict: 'warn',
      evidence: `was started at about the time of the restore ${id}, before it or after`,
      next,
    };
  const evidence = `was not started since the restore ${id}: it may run pods that are not there any more`;
  return { ...item, verdict: 'fail', evidence, next };
}

/** A restore whose API servers were started again. */
interface Restored {
  readonly id: string;
  /** How long ago, in seconds. */
  readonly ago: number;
}

/**
 * The restore whose API servers were started last, as most control planes have noted it, and since when most of them have: one
 * that lies makes none, and hides none.
 */
export function lastRestore(noted: readonly (readonly RestoreOnHost[])[], controlPlanes: number): Restored | undefined {
  const ages = new Map<string, number[]>();
  for (const { id, notedAgo } of noted.flat()) {
    const ago = notedAgo.get('apiserver-started');
    if (ago !== undefined) ages.set(id, [...(ages.get(id) ?? []), ago]);
  }
  return [...ages]
    .filter(([, all]) => all.length * 2 > controlPlanes)
    .map(([id, all]) => ({ id, ago: all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0 }))
    .toSorted((a, b) => a.ago - b.ago)[0];
}
