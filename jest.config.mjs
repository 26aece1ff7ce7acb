import { availableParallelism } from 'node:os';
import { numberOfThisCommit } from './tests/support/this-commit.mjs';

// Three rooms of tests. unit: seconds, no network, no root. contract: one suite on a fake and on the real thing,
// where the machine has it. e2e: the lab's real hosts, a lab for each file.
const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '^.+\\.ts$': '<rootDir>/tests/support/esbuild-transform.mjs' },
};

const processors = availableParallelism();
/** A run has one of so many parts of the other lab files, another one for each commit: 1 has them all, CI's 8 an eighth. */
const PARTS = Number(process.env.PROVISION_LAB_PARTS ?? 10);

/** What each file runs beside, and which lab files a run has, by their names. */
const runs = {
  /** Hosts of a lab mostly wait, for boots, for elections, for deadlines; but the kubelets of one keep a processor busy by themselves. */
  labs: Number(process.env.PROVISION_TEST_LABS ?? Math.min(processors, 6)),
  others: processors,
  /** The two jobs that this program is for. */
  always: ['main-job', 'migration'],
  parts: PARTS,
  part: numberOfThisCommit(12, PARTS),
  /** They measure how long a client waits. */
  alone: [
    'drill',
    'etcd-safety',
    'kubernetes-lab',
    'kubernetes-migration',
    'kubernetes-power-cuts',
    'main-job',
    'migration',
  ],
  /** They take minutes; the longest first. */
  first: [
    'worst-day',
    'kubernetes-unstack',
    'runbooks-members',
    'runbooks',
    'ca-rotate',
    'member-changes',
    'unstack',
    'member-growth',
    'snapshot',
    'member-leaving',
    'runbooks-authority',
    'ca-rotate-members',
    'member-replace',
    'etcd-versions',
    'killed-run',
    'kubernetes-repoint',
    'kubernetes-member-lost',
    'kubernetes-nodes',
    'virtual-ip-changes',
    'apiserver-lb',
    'kubernetes-playbook',
    'bypass',
    'verify',
    'killed-migration',
    'external-balancer',
    'expired-certificates',
    'nginx',
    'kubernetes-certificates',
    'kubernetes-packages',
    'fleet-jobs',
    'fleet',
    'vrrp-version',
    'diagnosis',
    'lost-authority',
    'image',
    'external-ca',
    'defrag',
    'tutorials',
  ],
};

/** Rooms that run this program as a process. */
const program = { globalSetup: '<rootDir>/tests/support/build-program.mjs' };

const room = (name, more) => ({
  ...shared,
  displayName: name,
  testMatch: [`<rootDir>/tests/${name}/**/*.test.ts`],
  runner: ['<rootDir>/tests/support/room-runner.mjs', runs],
  ...more,
});

export default {
  projects: [room('unit'), room('contract', program), room('e2e', program)],
  // Only against hanging: how slow a loaded machine is, is no test's business.
  testTimeout: 60_000,
  // A worker that was told to end has nothing open, and ends within 0.1 s of its own time; where both processors are busy,
  // and its memory is large, half a second (jest's default) passes first, and jest says that it leaks. One that does still
  // is told after this.
  workerGracefulExitTimeout: 20_000,
  randomize: true,
  reporters: ['default', 'summary', '<rootDir>/tests/support/tally-reporter.mjs'],
};
