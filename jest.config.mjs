// Three rooms of tests. unit: seconds, no network, no root. contract: one suite on a fake and on the real thing,
// where the machine has it. e2e: the lab's real hosts.
const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '^.+\\.ts$': '<rootDir>/tests/support/esbuild-transform.mjs' },
};

const room = (name) => ({ ...shared, displayName: name, testMatch: [`<rootDir>/tests/${name}/**/*.test.ts`] });

export default {
  projects: [room('unit'), room('contract'), room('e2e')],
  // Only against hanging: how slow a loaded machine is, is no test's business.
  testTimeout: 60_000,
  randomize: true,
  reporters: ['default', 'summary', '<rootDir>/tests/support/tally-reporter.mjs'],
};
