// The unit and contract rooms with all mutants in the sources, each behind a switch (mutate.ts writes them to MUTATION_WORK).
import base from '../../jest.config.mjs';

const rootDir = new URL('../..', import.meta.url).pathname;
const [unit, contract] = base.projects;
const withMutants = (project) => ({
  ...project,
  rootDir,
  transform: { '^.+\\.ts$': '<rootDir>/tests/mutation/mutant-transform.mjs' },
  testRunner: '<rootDir>/tests/mutation/mutant-circus.mjs',
  runner: '<rootDir>/tests/mutation/mutant-runner.mjs',
});

export default {
  rootDir,
  projects: [withMutants(unit), withMutants(contract)],
  testTimeout: base.testTimeout,
  maxWorkers: 1,
  silent: true,
  reporters: [],
};
