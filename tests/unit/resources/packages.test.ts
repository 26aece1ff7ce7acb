import { describe, expect, test } from '@jest/globals';
import type { PackageState } from '../../../src/facts/packages.js';
import { packages } from '../../../src/resources/packages.js';
import { fakeProbe } from '../../support/fake-probe.js';

const INSTALLED: PackageState = { installed: '1.0', candidate: undefined, held: false };
const MISSING: PackageState = { installed: undefined, candidate: '1.1', held: false };

function decide(states: Readonly<Record<string, PackageState>>, names: readonly string[]): Promise<unknown> {
  return packages({ names, keepStopped: ['x'] }).plan(fakeProbe({ packages: states }));
}

describe('packages', () => {
  test('that are installed need nothing, whatever apt would offer', async () => {
    expect(await decide({ x: INSTALLED }, ['x'])).toEqual({ kind: 'unchanged' });
  });

  test('that are missing are installed at the version that the plan shows', async () => {
    expect(await decide({ x: MISSING, y: INSTALLED }, ['x', 'y'])).toMatchObject({
      change: {
        summary: 'install x',
        diff: ['+ x 1.1'],
        actions: [
          { gate: 'apt-unlocked' },
          { command: { summary: 'apt-get install x=1.1', script: expect.not.stringMatching(/ update$/m) } },
        ],
      },
    });
  });

  test('that apt does not know yet need its lists first', async () => {
    expect(await decide({ x: { ...MISSING, candidate: undefined } }, ['x'])).toMatchObject({
      change: {
        actions: [
          { gate: 'apt-unlocked' },
          { command: { script: expect.stringMatching(/apt-get .* update\n.*install x; }$/m) } },
        ],
      },
    });
  });

  test('with a version are moved to it', async () => {
    expect(await decide({ x: INSTALLED }, ['x=2.0'])).toMatchObject({ change: { diff: ['~ x 1.0 → 2.0'] } });
    expect(await decide({ x: INSTALLED }, ['x=1.0'])).toEqual({ kind: 'unchanged' });
  });

  test('on hold are never moved', async () => {
    await expect(decide({ x: { ...INSTALLED, held: true } }, ['x=2.0'])).rejects.toThrow('package x is on hold at 1.0');
    expect(await decide({ x: { ...INSTALLED, held: true } }, ['x'])).toEqual({ kind: 'unchanged' });
  });
});
