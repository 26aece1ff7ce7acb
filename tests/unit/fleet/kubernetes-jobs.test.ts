import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { Job } from 'kubernetes-models/batch/v1/Job';
import { parse } from 'yaml';
import { kubernetesJobs, type Job as OurJob } from '../../../src/fleet/kubernetes-jobs.js';
import { EXIT } from '../../../src/model/errors.js';

// Jobs as Kubernetes' own schema has them (its OpenAPI document, in kubernetes-models).

function jobsOf(names: readonly string[], playbook?: string): readonly OurJob[] {
  return kubernetesJobs(
    names.map((name) => ({ name, inventory: `fleet/${name}/inventory.yaml` })),
    { plans: 'plans', playbook },
  );
}

/** What the schema has against it. */
function problemOf(job: unknown): string {
  try {
    new Job(job as ConstructorParameters<typeof Job>[0]).validate();
    return '';
  } catch (error) {
    return String(error);
  }
}

interface Pod {
  readonly template: { readonly spec: { readonly containers: readonly { readonly args: readonly string[] }[] } };
  readonly podFailurePolicy: { readonly rules: readonly { readonly onExitCodes: { readonly values: number[] } }[] };
}

function podOf(job: OurJob | undefined): Pod {
  return job?.spec as unknown as Pod;
}

describe('a Job for each cluster', () => {
  test('is one by the schema of Kubernetes, which would notice another', () => {
    const [job] = jobsOf(['eu/prod']);
    expect(problemOf(job)).toBe('');
    expect(problemOf({ ...job, spec: { ...job?.spec, template: undefined } })).toContain('template');
    expect(problemOf({ ...job, spec: { ...job?.spec, backoffLimit: 'six' } })).toContain('backoffLimit');
  });

  test('has a name that is a label, and that of no other cluster', () => {
    const names = ['eu/a', 'eu-a', 'EU-a', 'eu_a', 'ä', '-', 'a'.repeat(90), 'b'.repeat(41), '0'];
    const jobs = jobsOf(names).map(({ metadata }) => metadata.name);
    expect(new Set(jobs).size).toBe(names.length);
    for (const name of jobs) {
      expect(name).toMatch(/^provision-[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/);
      expect(name.length).toBeLessThanOrEqual(63);
    }
    expect(jobs[1]).toBe('provision-eu-a');
  });

  test('applies the saved plan of its cluster, and nothing of its words is replaced or an option', () => {
    const [plain, odd] = jobsOf(['eu/prod', '-x$(HOME)']);
    const args = (job: OurJob | undefined): readonly string[] =>
      podOf(job).template.spec.containers.flatMap((each) => each.args);
    expect(args(plain)).toEqual([
      ...['apply', '--plan', 'plans/eu/prod.plan', '--format', 'json'],
      ...['--', 'fleet/eu/prod/inventory.yaml'],
    ]);
    expect(args(odd)).toContain('plans/-x$$(HOME).plan');
    expect(args(odd).at(-1)).toBe('fleet/-x$$(HOME)/inventory.yaml');
  });

  test('has the playbook that the plans were made of, where one was named', () => {
    const [{ args } = { args: [] }] = podOf(jobsOf(['a'], 'etcd')[0]).template.spec.containers;
    expect(args.slice(0, 5)).toEqual(['apply', '--plan', 'plans/a.plan', '--playbook', 'etcd']);
  });

  test('is tried again only after what may be tried again', () => {
    const { rules } = podOf(jobsOf(['a'])[0]).podFailurePolicy;
    expect(rules.flatMap(({ onExitCodes }) => onExitCodes.values)).toEqual([EXIT.failed, EXIT.stale, EXIT.unsafe]);
  });
});

test('the Job in parts is one by the schema, and no part of it ends another or is tried again', () => {
  const job = parse(readFileSync('deploy/kubernetes/indexed-job.yaml', 'utf8')) as OurJob;
  expect(problemOf(job)).toBe('');
  const { completions } = job.spec;
  expect(job.spec).toMatchObject({ backoffLimitPerIndex: 0, maxFailedIndexes: completions });
  expect(job.spec).not.toHaveProperty('podFailurePolicy');
});
