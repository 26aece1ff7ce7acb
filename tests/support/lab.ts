import { execFile } from 'node:child_process';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, jest } from '@jest/globals';
import { labFiles, type LabFiles, type LabUser } from '../../src/lab/directory.js';
import { downLab } from '../../src/lab/down.js';
import { labHost } from '../../src/lab/faults.js';
import type { HostHandle } from '../../src/lab/host.js';
import { findMirror, readAptSources } from '../../src/lab/mirror.js';
import { inControlNamespace } from '../../src/lab/network.js';
import { labPaths } from '../../src/lab/paths.js';
import { inspectMachine, whatIsMissing } from '../../src/lab/requirements.js';
import { labNames } from '../../src/lab/state.js';
import { upLab, type UpOptions } from '../../src/lab/up.js';

/** This machine's lab paths. */
export const LAB_PATHS = labPaths(process.env);

/**
 * Against hanging alone, for each test and each hook: how slow a loaded machine is, is no test's business. A lab may have to build its
 * images first, and Kubernetes, which takes minutes.
 */
const HANGING_MS = 40 * 60_000;

/** How a command ended. */
export interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, whatever its status. */
export async function run(command: readonly string[], input = ''): Promise<Ended> {
  const [program = '', ...args] = command;
  return new Promise((resolve) => {
    const child = execFile(program, args, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : typeof error.code === 'number' ? error.code : 255, stdout, stderr });
    });
    child.stdin?.on('error', () => undefined).end(input);
  });
}

/** The command line of this program, as `build-program.mjs` made it of the sources. */
export function provision(...args: readonly string[]): readonly string[] {
  return [process.execPath, 'dist/main.js', ...args];
}

/** The lab of one test file. */
export interface TestLab {
  readonly name: string;
  readonly files: LabFiles;
  /** A host, for power cuts and the like (src/lab/faults.ts, src/lab/overlay.ts). */
  host(name: string): Promise<HostHandle>;
  /** Runs a command on a host. */
  ssh(host: string, script: string, user?: LabUser): Promise<Ended>;
  /** Runs a program on the control side, from where the hosts can be reached. */
  onControlSide(command: readonly string[], input?: string): Promise<Ended>;
  /** Runs this program on the control side: `lab.provision('plan', lab.files.inventory)`. */
  provision(...args: readonly string[]): Promise<Ended>;
}

function testLab(name: string, directory: string): TestLab {
  const files = labFiles(directory);
  const onControlSide = async (command: readonly string[], input?: string): Promise<Ended> =>
    run(inControlNamespace(name, command), input);
  return {
    name,
    files,
    host: async (host) => labHost(LAB_PATHS, name, host),
    ssh: async (host, script, user = 'root') => onControlSide(['ssh', '-F', files.sshConfig, '-l', user, host, script]),
    onControlSide,
    provision: async (...args) => onControlSide(provision(...args)),
  };
}

const missing = whatIsMissing(
  await inspectMachine(process.env['PATH'] ?? '', findMirror(await readAptSources('/etc/apt')) !== undefined),
);

/** What a test lab should hold; what is left out is none. */
export type LabShape = Partial<
  Pick<UpOptions, 'etcd' | 'lb' | 'controlPlanes' | 'workers' | 'hosts' | 'release' | 'kubernetes' | 'crashPauses'>
>;

/** Options for a lab of a test. @param suffix tells the labs of one test file apart */
export function testLabOptions(suffix: string, shape: LabShape): UpOptions {
  // The pid in the name tells later runs whose test was ended before it could clean up.
  const name = `test${process.pid}-${suffix}`;
  return {
    etcd: 0,
    lb: 0,
    controlPlanes: 0,
    hosts: 0,
    release: 'bookworm',
    workers: 0,
    kubernetes: 'stand-in',
    crashPauses: 'short',
    ...shape,
    name,
    directory: join(tmpdir(), `lab-${name}`),
    installMissing: 'no',
    paths: LAB_PATHS,
    env: process.env,
    announce: () => undefined,
  };
}

/** Whether a process is a test run; one that has taken the number of an ended run is none. */
function isTestRun(pid: string): boolean {
  return readOrNothing(`/proc/${pid}/cmdline`).includes('jest');
}

/** Takes down the labs of test runs that were ended before they could. Another run may be at the same: one of them succeeds. */
async function sweep(): Promise<void> {
  for (const name of await labNames(LAB_PATHS)) {
    const pid = /^test(\d+)-/.exec(name)?.[1];
    if (pid === undefined || isTestRun(pid)) continue;
    await downLab(LAB_PATHS, name).catch((error: unknown) => {
      console.warn(`lab ${name}, left by an ended test run, could not be taken down: ${String(error)}`);
    });
  }
}

/** Brings a lab up; once more where a host did not boot: that is no test's subject but those of the lab itself. */
async function upForTests(options: UpOptions): Promise<void> {
  try {
    await timedUp(options);
  } catch (error) {
    console.warn(`lab ${options.name} did not come up, second attempt: ${String(error)}`);
    await timedUp(options);
  }
}

/** Says how long it took: with images that are built already, an idle machine boots six hosts in less than half a minute. */
async function timedUp(options: UpOptions): Promise<void> {
  const begun = Date.now();
  const { hosts } = await upLab(options);
  console.log(`lab ${options.name}: ${hosts.length} hosts in ${((Date.now() - begun) / 1000).toFixed(1)} s`);
}

/** `describe` where a lab can run; elsewhere the tests are skipped, and the reasons printed once. */
export const describeWhereLabsRun = missing.problems.length === 0 ? describe : describe.skip;
if (missing.problems.length > 0) console.warn(`skipped, no lab can run here:\n${missing.problems.join('\n')}`);

/**
 * Tests on a lab of their own: up before the first, down after the last.
 * @param suffix short, unique in the test file: part of the lab's name
 */
export function describeOnLab(title: string, suffix: string, shape: LabShape, tests: (lab: TestLab) => void): void {
  describeWhereLabsRun(title, () => {
    const options = testLabOptions(suffix, shape);
    jest.setTimeout(HANGING_MS);

    beforeAll(async () => {
      await sweep();
      await upForTests(options);
    });

    afterAll(async () => {
      await downLab(LAB_PATHS, options.name);
    });

    tests(testLab(options.name, options.directory));
  });
}

function filesBelow(directory: string, prefix: string): readonly string[] {
  if (statSync(directory, { throwIfNoEntry: false }) === undefined) return [];
  return readdirSync(directory)
    .filter((name) => name === prefix || name.startsWith(`${prefix}.`))
    .map((name) => join(directory, name));
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // a process that has just ended
  }
}

/** What a lab has left on this machine, by kind. */
export interface Leftovers {
  readonly processes: readonly string[];
  readonly mounts: readonly string[];
  readonly namespaces: readonly string[];
  readonly cgroups: readonly string[];
  readonly directories: readonly string[];
}

/** Looks for everything that a lab may leave, without asking the code that cleans up. */
export async function leftoversOf(options: Pick<UpOptions, 'name' | 'directory'>): Promise<Leftovers> {
  const state = join(LAB_PATHS.state, options.name);
  // A zombie has ended: it only waits for the machine's init to take note.
  const runs = (pid: string): boolean => !/^State:\tZ/m.test(readOrNothing(`/proc/${pid}/status`));
  const mine = (pid: string): boolean =>
    readOrNothing(`/proc/${pid}/cgroup`).includes(`provision-lab.${options.name}.`) ||
    readOrNothing(`/proc/${pid}/cmdline`).includes(`${state}/`);
  const mountCgroups =
    'mkdir -p /tmp/cgroups && mount -t cgroup2 cgroup2 /tmp/cgroups && find /tmp/cgroups -type d -name "$1"';
  const found = await run(['unshare', '--mount', 'sh', '-c', mountCgroups, 'sh', `provision-lab.${options.name}.*`]);
  return {
    processes: readdirSync('/proc').filter((name) => /^\d+$/.test(name) && mine(name) && runs(name)),
    mounts: readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => line.includes(`${state}/`)),
    namespaces: filesBelow('/run/netns', `provision-lab.${options.name}`),
    cgroups: found.stdout.split('\n').filter((line) => line !== ''),
    directories: [
      ...filesBelow(LAB_PATHS.state, options.name),
      ...filesBelow('/run/systemd/nspawn/propagate', options.name),
      options.directory,
    ].filter((path) => statSync(path, { throwIfNoEntry: false }) !== undefined),
  };
}

/** {@link leftoversOf} when there are none. */
export const NOTHING: Leftovers = { processes: [], mounts: [], namespaces: [], cgroups: [], directories: [] };
