import { spawnSync } from 'node:child_process';
import { describe } from '@jest/globals';

/** `describe` where this machine has a program; elsewhere its tests are skipped, which is said. `tests/prepare.mjs` installs it. */
export function describeWith(program: string): typeof describe.skip {
  if (spawnSync(program, ['--version']).error === undefined) return describe;
  console.warn(`skipped, for there is no ${program} here`);
  return describe.skip;
}
