import type { Change, ChangeOutline, Outcome } from './change.js';

/** One resource of a host whose outcome is not `unchanged`. */
export interface PlannedStep<C extends ChangeOutline = Change> {
  readonly address: string;
  /** The name of its task, where the playbook gives it one. */
  readonly task?: string | undefined;
  readonly outcome: Exclude<Outcome<C>, { kind: 'unchanged' }>;
  /** What the decision was built on: the evidence of its facts (see `Fact.evidence`), as a text. */
  readonly before?: string | undefined;
}

/** What one play does to one host. */
export interface PlannedHost<C extends ChangeOutline = Change> {
  readonly host: string;
  /** In the order in which they will be performed. */
  readonly steps: readonly PlannedStep<C>[];
  /** How many resources need nothing. */
  readonly unchanged: number;
}

/** Hosts that are worked on at once, between their gates. */
export interface PlannedBatch<C extends ChangeOutline = Change> {
  readonly hosts: readonly PlannedHost<C>[];
}

/** One play: its batches, in order. */
export interface PlannedPlay<C extends ChangeOutline = Change> {
  readonly name: string;
  /** Name of the order that its hosts are in. */
  readonly order: string;
  /** How many hosts are worked on at once; all when absent. */
  readonly batchSize: number | undefined;
  readonly batches: readonly PlannedBatch<C>[];
  /** Hosts of the play that can't be asked: nothing is done on them, whether `--limit` leaves them out or not. */
  readonly leftOut: readonly string[];
  /** Names of the gates asked before and after each batch that changes something. */
  readonly gatesBefore: readonly string[];
  readonly gatesAfter: readonly string[];
}

/** A host that could not be asked. */
export interface AwayHost {
  readonly host: string;
  readonly because: string;
}

/** All that apply will do. Serialised as JSON it holds digests in place of contents, and never a secret. */
export interface Plan<C extends ChangeOutline = Change> {
  /** The version of this program. */
  readonly tool: string;
  readonly inventoryDigest: string;
  readonly playbook: string;
  /** Of the playbook, what it imports, and the templates beside it: what is decided later depends on them, too. */
  readonly playbookDigest: string;
  readonly limit: string | undefined;
  /** Hosts that could not be asked, and that the plan is made without. */
  readonly away: readonly AwayHost[];
  readonly plays: readonly PlannedPlay<C>[];
}

/** A plan as far as people read it: one that was just made, or a saved one. */
export type PlanOutline = Plan<ChangeOutline>;
/** A play of a {@link PlanOutline}. */
export type PlayOutline = PlannedPlay<ChangeOutline>;
/** A batch of a {@link PlanOutline}. */
export type BatchOutline = PlannedBatch<ChangeOutline>;
/** A host of a {@link PlanOutline}. */
export type HostOutline = PlannedHost<ChangeOutline>;
/** A step of a {@link PlanOutline}. */
export type StepOutline = PlannedStep<ChangeOutline>;

/** Plays, batches and their hosts, whatever is known of each host. */
interface Planned<Host> {
  readonly plays: readonly {
    readonly name: string;
    readonly batches: readonly { readonly hosts: readonly Host[] }[];
  }[];
}

/** What each play does to each of its hosts, in the order of the plan. */
export function plannedHosts<Host extends object>({
  plays,
}: Planned<Host>): readonly (Host & { readonly play: string })[] {
  return plays.flatMap(({ name, batches }) =>
    batches.flatMap(({ hosts }) => hosts.map((host) => ({ ...host, play: name }))),
  );
}

/** The steps of a plan, each with its play and its host, in the order of the plan. */
export function plannedSteps<Step>(
  plan: Planned<{ readonly host: string; readonly steps: readonly Step[] }>,
): readonly { readonly play: string; readonly host: string; readonly step: Step }[] {
  return plannedHosts(plan).flatMap(({ play, host, steps }) => steps.map((step) => ({ play, host, step })));
}

/** What a plan changes on each host, as far as it is known before apply. */
export function plannedChanges(plan: Plan): readonly { readonly host: string; readonly change: Change }[] {
  return plannedSteps(plan).flatMap(({ host, step: { outcome } }) =>
    outcome.kind === 'change' ? [{ host, change: outcome.change }] : [],
  );
}

/** The hosts on which something is changed, or may be once it can be decided; each once. */
export function hostsToChange(plan: Plan): readonly string[] {
  const planned = plannedHosts(plan);
  return [...new Set(planned.filter(({ steps }) => steps.length > 0).map(({ host }) => host))];
}

/** Figures for the summary line. */
export interface PlanSummary {
  /** Hosts that were looked at. */
  readonly hosts: number;
  /** Hosts on which something changes. */
  readonly changedHosts: number;
  readonly changes: number;
  readonly unknown: number;
  readonly disruptive: number;
  readonly unchanged: number;
}

/** Counts a plan's outcomes. */
export function summarisePlan(plan: PlanOutline): PlanSummary {
  const planned = plannedHosts(plan);
  const outcomes = plannedSteps(plan).map(({ step }) => step.outcome);
  const away = new Set(plan.away.map(({ host }) => host));
  const changing = planned.filter((host) => host.steps.some((step) => step.outcome.kind === 'change'));
  return {
    // A play that asks nothing of a host has it, though nobody could.
    hosts: new Set(planned.map((host) => host.host).filter((host) => !away.has(host))).size,
    changedHosts: new Set(changing.map((host) => host.host)).size,
    changes: outcomes.filter((outcome) => outcome.kind === 'change').length,
    unknown: outcomes.filter((outcome) => outcome.kind === 'unknown').length,
    disruptive: outcomes.filter((outcome) => outcome.kind === 'change' && outcome.change.disruptive).length,
    unchanged: planned.reduce((sum, host) => sum + host.unchanged, 0),
  };
}
