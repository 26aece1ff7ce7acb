import type { HostOutline, StepOutline } from '../model/plan.js';

/** A diff, and the hosts on which it is this one. */
interface DiffVariant {
  readonly hosts: readonly string[];
  readonly diff: readonly string[];
}

/** One step of several hosts: the same words, and mostly the same diff. */
export interface GroupedStep {
  readonly step: StepOutline;
  /** In the order of the hosts; more than one when the hosts' files differ. */
  readonly variants: readonly DiffVariant[];
}

/** Hosts to which the same things are done, so that they can be read once. */
export interface HostGroup {
  readonly hosts: readonly string[];
  readonly steps: readonly GroupedStep[];
}

/** Items of one key together, in the order of the first of each. */
export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return [...groups.values()];
}

function words({ address, task, outcome }: StepOutline): readonly unknown[] {
  return outcome.kind === 'unknown'
    ? [address, task, outcome.because]
    : [address, task, outcome.change.summary, outcome.change.disruptive];
}

function diffOf(host: HostOutline, index: number): readonly string[] {
  const outcome = host.steps[index]?.outcome;
  return outcome?.kind === 'change' ? outcome.change.diff : [];
}

function variantsOf(group: readonly HostOutline[], index: number): DiffVariant[] {
  const variants = groupBy(group, (host) => JSON.stringify(diffOf(host, index)));
  return variants.map((hosts) => ({
    hosts: hosts.map(({ host }) => host),
    diff: hosts[0] ? diffOf(hosts[0], index) : [],
  }));
}

/**
 * Draws hosts together that get the same steps in the same words, so that a plan for thirty hosts stays readable.
 * Hosts without a step are left out.
 */
export function groupHosts(hosts: readonly HostOutline[]): HostGroup[] {
  const busy = hosts.filter((host) => host.steps.length > 0);
  return groupBy(busy, (host) => JSON.stringify(host.steps.map(words))).map((group) => ({
    hosts: group.map(({ host }) => host),
    steps: (group[0]?.steps ?? []).map((step, index) => ({ step, variants: variantsOf(group, index) })),
  }));
}
