import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { pathExists } from '../../src/facts/path-exists.js';
import { UNCHANGED, type Resource } from '../../src/model/change.js';
import { playOf } from '../support/fake-world.js';
import { expectGolden } from '../support/golden.js';
import { buildInto, loadedModules, type Built, type LoadedModules } from '../support/loaded-modules.js';
import { planSettledCluster, type SettledPlan } from '../support/settled-cluster.js';
import { startedCommands } from '../support/started-commands.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

// What a look costs a host, and what a verb loads: exact numbers that no machine's speed changes. More is allowed when it is
// meant: fixtures/budget/ is then written anew, and its diff is read with the change.

const HOW =
  'If that is meant: UPDATE_GOLDEN=1 npm run -s jest -- --selectProjects contract -- budget, and say why in the commit message.';

/** Expects what fixtures/budget/ has. @throws Error that says how to change it on purpose */
function expectBudget(name: string, actual: string): void {
  try {
    expectGolden(`fixtures/budget/${name}.txt`, actual);
  } catch (error) {
    throw new Error(`${name} costs something else than fixtures/budget/${name}.txt has. ${HOW}\n${String(error)}`);
  }
}

/** One host, its looks and what they start, a line each. */
function costOf({ looks, placed }: SettledPlan, host: string): string {
  const scripts = looks.get(host) ?? [];
  const files = [...(placed.get(host) ?? [])].map(
    ([path, { kind, text }]) => [path, kind === 'file' ? text : undefined] as const,
  );
  const started = startedCommands(scripts.join('\n'), new Map(files));
  const all = [...started.values()].reduce((sum, count) => sum + count, 0);
  return [
    host,
    `  execs ${scripts.length}`,
    `  script bytes ${scripts.reduce((sum, script) => sum + Buffer.byteLength(script), 0)}`,
    `  commands started ${all}`,
    ...[...started].map(([name, count]) => `    ${name} ${count}`),
    '',
  ].join('\n');
}

describe('a look that finds nothing to do', () => {
  let settled: SettledPlan;
  beforeAll(async () => {
    settled = await planSettledCluster();
  });

  test('costs a host with a member and a balancer, and a control plane, just this', () => {
    expectBudget('look', ['etcd-1', 'cp-1'].map((host) => costOf(settled, host)).join('\n'));
  });

  test('costs every member the same', () => {
    const costs = ['etcd-1', 'etcd-2', 'etcd-3'].map((host) => costOf(settled, host).replace(host, 'a member'));
    expect(new Set(costs).size).toBe(1);
  });

  test('shows a question that waits for the answer to another one: one more exec', async () => {
    const waits: Resource = {
      address: 'planted',
      paths: [],
      async plan(probe) {
        await probe.ask(pathExists, '/etc/first');
        await probe.ask(pathExists, '/etc/second');
        return UNCHANGED;
      },
    };
    const { looks } = await planSettledCluster([playOf(['cp-1'], [waits])]);
    expect(looks.get('cp-1')).toHaveLength(2);
    expect(looks.get('etcd-1')).toHaveLength(1);
    const first = looks.get('cp-1')?.[0] ?? '';
    expect(first.length).toBeGreaterThan(settled.looks.get('cp-1')?.[0]?.length ?? 0);
  });

  test('shows one command more', () => {
    const script = settled.looks.get('cp-1')?.[0] ?? '';
    const files = new Map<string, string>();
    const before = startedCommands(script, files).get('sed') ?? 0;
    expect(startedCommands(`${script}\necho | sed p`, files).get('sed')).toBe(before + 1);
  });
});

describe('modules', () => {
  let home: string;
  let program: Built;
  beforeAll(async () => {
    home = temporaryDirectory('budget');
    program = await buildInto(temporaryDirectory('package'));
    writeFileSync(join(home, 'hosts.yaml'), NOBODY_LISTENS);
  });

  const load = (...words: readonly string[]): LoadedModules => loadedModules(program, words, home);

  test('that --help, and a plan up to its first connection, load, are just these', () => {
    const help = load('--help');
    const plan = load('plan', 'hosts.yaml');
    expect(help.stdout).toContain('Usage: provision');
    expect(plan.stdout).toContain('nothing listens on port 1');
    expectBudget(
      'modules',
      `${listed('provision --help', help)}\n${listed('provision plan, to its first connection', plan)}`,
    );
  });

  test('show one import more', async () => {
    const before = load('--help');
    const planted = await buildInto(temporaryDirectory('planted'), {
      file: 'commands/program.ts',
      lines: "import '../lab/down.js';\nimport 'zod';\n",
    });
    const after = loadedModules(planted, ['--help'], home);
    expect(after.rooms.get('lab')).toContain('down');
    expect(before.rooms.get('lab') ?? []).not.toContain('down');
    expect([...before.dependencies, 'zod'].sort()).toEqual(expect.arrayContaining([...after.dependencies]));
    expect(after.dependencies).toContain('zod');
    expect(before.dependencies).not.toContain('zod');
  });
});

/** Three members where the connection is refused at once: port 1 is nobody's (RFC 1078, tcpmux). */
const NOBODY_LISTENS = `all:
  vars: { etcd_lb_ip: 10.0.0.100, ansible_port: 1 }
  children:
    etcd:
      hosts:
        etcd-1: { ansible_host: 127.0.0.1 }
        etcd-2: { ansible_host: 127.0.0.2 }
        etcd-3: { ansible_host: 127.0.0.3 }
`;

/** How many files Node opens in dist/, and what they were made of: a line each, so that two changes of it seldom meet in one. */
function listed(title: string, { files, rooms, dependencies }: LoadedModules): string {
  const modules = [...rooms].flatMap(([room, names]) =>
    names.map((name) => `  ${room === '.' ? '' : `${room}/`}${name}`),
  );
  const packages = dependencies.map((name) => `  package ${name}`);
  return [title, `  files ${files}`, ...packages, ...modules, ''].join('\n');
}
