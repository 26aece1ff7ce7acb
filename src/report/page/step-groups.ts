import { groupBy } from '../plan-groups.js';
import { nameHosts } from '../wording.js';
import type { ReportStep, StepEnd } from './report-steps.js';
import type { RunReport } from './run-report.js';

/** A step, with each diff that it is on hosts. */
export interface GroupedReportStep {
  /** Of the first host. */
  readonly step: ReportStep;
  readonly variants: readonly { readonly hosts: readonly string[]; readonly diff: readonly string[] }[];
  /** What became of it where: `done`, `failed on etcd-2`; `''` of a plan. */
  readonly ends: string;
}

/** Hosts of a play that get the same steps in the same words. */
export interface StepGroup {
  readonly play: string;
  readonly hosts: readonly string[];
  readonly steps: readonly GroupedReportStep[];
}

/** The steps of a report, with hosts drawn together that get the same, in the order of the plays. */
export function stepGroups({ steps }: RunReport): readonly StepGroup[] {
  const byHost = groupBy(steps, ({ play, host }) => JSON.stringify([play, host]));
  const alike = groupBy(byHost, (own) =>
    JSON.stringify(
      own.map(({ play, address, task, summary, disruptive }) => [play, address, task, summary, disruptive]),
    ),
  );
  return alike.map((group) => {
    const [first = []] = group;
    return {
      play: first[0]?.play ?? '',
      hosts: group.flatMap(([step]) => (step === undefined ? [] : [step.host])),
      steps: first.map((step, index) =>
        groupedStep(
          step,
          group.flatMap((own) => own[index] ?? []),
        ),
      ),
    };
  });
}

function groupedStep(step: ReportStep, everywhere: readonly ReportStep[]): GroupedReportStep {
  const variants = groupBy(everywhere, ({ diff }) => JSON.stringify(diff)).map((same) => ({
    hosts: same.map(({ host }) => host),
    diff: same[0]?.diff ?? [],
  }));
  return { step, variants, ends: endsOf(everywhere) };
}

/** A plan's steps have no end yet. */
const NO_END: ReadonlySet<StepEnd> = new Set(['planned', 'unknown']);

function endsOf(everywhere: readonly ReportStep[]): string {
  const kinds = groupBy(
    everywhere.filter(({ end }) => !NO_END.has(end)),
    ({ end }) => end,
  );
  const [only] = kinds;
  if (kinds.length === 1) return only?.[0]?.end ?? '';
  return kinds.map((same) => `${same[0]?.end ?? ''} on ${nameHosts(same.map(({ host }) => host))}`).join('; ');
}
