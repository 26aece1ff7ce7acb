// All that a fleet prints: its Jobs for Kubernetes, its matrix for GitHub, what came of clusters that were not started, and what is refused.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { findClusters } from '../../../src/fleet/find-clusters.js';
import { fleetListSchema, fleetSchema } from '../../../src/fleet/fleet-schema.js';
import { kubernetesJobs } from '../../../src/fleet/kubernetes-jobs.js';
import { githubMatrix } from '../../../src/fleet/matrix.js';
import { failureKinds, runFleet } from '../../../src/fleet/run-fleet.js';
import { ProvisionError } from '../../../src/model/errors.js';
import { VERSION } from '../../../src/model/version.js';
import { expectGolden } from '../../support/golden.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const NAMES = ['eu/prod', 'eu-prod', 'EU_Prod--', '-', 'a'.repeat(40), `${'b'.repeat(39)}/c`, '$HOME.1'];
const CLUSTERS = NAMES.map((name) => ({ name, inventory: `fleet/${name}/inventory.yaml` }));
const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

test('the Jobs of a fleet', () => {
  const [first] = kubernetesJobs(CLUSTERS, { plans: 'plans/today', playbook: 'etcd' });
  const named = kubernetesJobs(CLUSTERS, { plans: 'plans' }).map(({ metadata }) => metadata);
  const [odd] = kubernetesJobs([{ name: '$(A)$(B)', inventory: '$(A)/$$.yaml' }], { plans: 'plans' });
  expectGolden(
    'fixtures/fleet/jobs.json',
    json({ first, named, odd }).replaceAll(`provision:${VERSION}`, 'provision:VERSION'),
  );
});

test('the matrix of a fleet', () => {
  expectGolden('fixtures/fleet/matrix.json', json(githubMatrix(CLUSTERS)));
});

test('what came of clusters of which some were not started', async () => {
  const all = [1, 2, 3, 4, 5].map((number) => ({ name: `c${number}`, inventory: `c${number}.yaml` }));
  let worked = 0;
  const results = await runFleet(all, {
    ...{ jobs: 1, stopAfter: 2, isStopped: () => worked === 4 },
    work: ({ name, inventory }) => {
      worked += 1;
      const outcome = name === 'c1' || name === 'c3' ? 'locked' : 'ok';
      return Promise.resolve({ cluster: name, inventory, outcome, changes: 1, summary: '', hint: null, elapsedMs: 1 });
    },
    onResult: () => undefined,
  });
  expect(results.slice(3)).toEqual(
    ['c4', 'c5'].map((name) => ({
      ...{ cluster: name, inventory: `${name}.yaml`, outcome: 'not-started', changes: null, hint: null, elapsedMs: 0 },
      summary: 'not started: 2 failed before (--stop-after 2)',
    })),
  );
  expect(failureKinds(results)).toEqual(['locked', 'locked']);
  const atOnce = await runFleet(all.slice(0, 3), {
    ...{ jobs: 2, stopAfter: 1, isStopped: () => false, onResult: () => undefined },
    work: ({ name, inventory }) =>
      Promise.resolve({
        ...{ cluster: name, inventory, outcome: 'failed', changes: null, summary: '', hint: null, elapsedMs: 1 },
      }),
  });
  expect(atOnce.at(-1)?.summary).toBe('not started: 2 failed before (--stop-after 1)');
  const stopped = await runFleet(all.slice(0, 1), {
    ...{ jobs: 1, stopAfter: 1, isStopped: () => true, onResult: () => undefined },
    work: () => Promise.reject(new Error('worked')),
  });
  expect(stopped.map(({ outcome, summary }) => `${outcome}: ${summary}`)).toEqual([
    'not-started: not started: stopped on request',
  ]);
});

test('the schemas take what is printed, with every outcome, and nothing else', () => {
  const outcomes = ['ok', 'failed', 'locked', 'unreachable', 'stale', 'unsafe', 'stopped', 'not-started'] as const;
  const clusters = outcomes.map((outcome, index) => ({
    ...{ cluster: 'a', inventory: 'a.yaml', outcome, summary: 's', elapsedMs: 1 },
    ...(index === 0 ? { changes: 3, hint: null } : { changes: null, hint: 'h' }),
  }));
  for (const verb of ['plan', 'apply', 'verify'] as const) {
    const whole = { formatVersion: 1, verb, directory: 'd', elapsedMs: 2, clusters };
    expect(fleetSchema.parse(whole)).toEqual(whole);
  }
  const list = { formatVersion: 1, directory: 'd', clusters: [{ cluster: 'a', inventory: 'a.yaml' }] };
  expect(fleetListSchema.parse(list)).toEqual(list);
  for (const wrong of [
    { verb: 'restore' },
    { formatVersion: 2 },
    { clusters: [{ ...clusters[0], outcome: 'lost' }] },
    { more: 1 },
  ])
    expect(
      fleetSchema.safeParse({ formatVersion: 1, verb: 'plan', directory: 'd', elapsedMs: 2, clusters, ...wrong })
        .success,
    ).toBe(false);
});

test('what is said of directories that are no fleet', async () => {
  const directories: Readonly<Record<string, readonly string[]>> = {
    nothing: [],
    'what is no inventory': ['README.md', 'prod/site.yaml', 'node_modules/hosts', 'prod/node_modules/hosts.yaml'],
    'two inventories in one directory': ['a/hosts', 'a/inventory.yml', 'b.yaml'],
    twins: ['b.yaml', 'c.yaml', 'd.yaml', 'd.ini', 'e.yaml'],
  };
  const said: string[] = [];
  for (const [name, paths] of Object.entries(directories)) {
    const directory = temporaryDirectory('fleet');
    for (const path of paths) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), '');
    }
    const error: unknown = await findClusters(directory).catch((reason: unknown) => reason);
    if (!(error instanceof ProvisionError)) throw new Error(`${name} is a fleet`);
    // Twins are named in the order of the directory.
    const message = error.message
      .replaceAll(directory, 'DIR')
      .split(/(?<=\)), /)
      .toSorted()
      .join(', ');
    said.push(`${name}: ${error.code}: ${message}`, `  → ${error.hint?.replaceAll(directory, 'DIR') ?? ''}`);
  }
  const tooMany = Array.from({ length: 257 }, (_, index) => ({ name: `c${index}`, inventory: '' }));
  try {
    githubMatrix(tooMany);
  } catch (error) {
    if (!(error instanceof ProvisionError)) throw error;
    said.push(`257 clusters: ${error.code}: ${error.message}`, `  → ${error.hint ?? ''}`);
  }
  expectGolden('fixtures/fleet/refused.txt', `${said.join('\n')}\n`);
});
