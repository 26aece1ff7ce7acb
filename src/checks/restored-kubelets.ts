import { KUBELET } from '../facts/kubelet-processes.js';
import { restores, RESTORES_KEY, type RestoreOnHost } from '../facts/restores.js';
import { unitState } from '../facts/unit-state.js';
import { askHosts, itemsOfHosts } from './ask-hosts.js';
import type { Check } from './check.js';

/** After a restore: whether each kubelet was started since, or may remember revisions that are not there any more. */
export const checkRestoredKubelets: Check = async ({ cluster, probe }) => {
  const planes = [...new Set(cluster.controlPlanes.map(({ host }) => host))];
  const { heard, unreachable } = await askHosts(planes, (host) => probe(host).ask(restores, RESTORES_KEY));
  const restored = lastRestore([...heard.values()], planes.length);
  if (restored === undefined) return unreachable;
  const when = new Date(restored.at * 1000).toISOString();
  const items = await itemsOfHosts(cluster.nodes, async (host) => {
    const { active, startedAt } = await probe(host).ask(unitState, KUBELET);
    if (!active || startedAt === undefined) return [];
    const item = { check: 'restored-kubelet', host, subject: KUBELET };
    if (startedAt > restored.at)
      return [{ ...item, verdict: 'ok', evidence: `was started after the restore of ${when}` }];
    const evidence = `was not started since the restore ${restored.id} (${when}): it may run pods that are not there any more`;
    return [{ ...item, verdict: 'fail', evidence, next: `ssh ${host} sudo systemctl restart ${KUBELET}` }];
  });
  return [...unreachable, ...items];
};

/**
 * The restore whose API servers were started last, as most control planes have noted it, and when most of them had: one
 * that lies makes none, and hides none.
 */
export function lastRestore(
  noted: readonly (readonly RestoreOnHost[])[],
  controlPlanes: number,
): { readonly id: string; readonly at: number } | undefined {
  const times = new Map<string, number[]>();
  for (const { id, notedAt } of noted.flat()) {
    const at = notedAt.get('apiserver-started');
    if (at !== undefined) times.set(id, [...(times.get(id) ?? []), at]);
  }
  return [...times]
    .filter(([, all]) => all.length * 2 > controlPlanes)
    .map(([id, all]) => ({ id, at: all.toSorted((a, b) => a - b)[Math.floor((all.length - 1) / 2)] ?? 0 }))
    .toSorted((a, b) => b.at - a.at)[0];
}
