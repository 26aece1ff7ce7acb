import { describe, expect, test } from '@jest/globals';
import type { PackageState } from '../../../src/facts/packages.js';
import { packages, type PackagesOptions } from '../../../src/resources/packages.js';
import { requireSource } from '../../../src/shell/apt.js';
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

  const scriptOf = async (options: Partial<PackagesOptions>): Promise<readonly string[]> => {
    const outcome = await packages({ names: ['x'], ...options }).plan(fakeProbe({ packages: { x: MISSING } }));
    const [, install] = outcome.kind === 'change' ? outcome.change.actions : [];
    return install?.kind === 'run' ? install.command.script.split('\n') : [];
  };

  test('of a source come from there, or not at all', async () => {
    const source = { file: '/etc/apt/sources.list.d/x.sources', uri: 'https://x.example/deb/' };
    const required = requireSource(['x=1.1'], source);
    expect(required.length).toBeGreaterThan(5);
    const [plain, lines] = [await scriptOf({}), await scriptOf({ source })];
    const at = lines.indexOf(required[0] ?? '');
    expect(lines.slice(at, at + required.length)).toEqual(required);
    // Before anything is installed.
    expect(lines.findIndex((line) => line.startsWith('install()'))).toBe(at + required.length);
    expect([plain, lines].map((each) => each.join().includes('AllowUnauthenticated=false'))).toEqual([false, true]);
  });

  test.each([
    ['nothing is said of units', {}, [], []],
    ['a unit is not to start', { keepStopped: ['a'] }, ['a'], []],
    [
      'a unit of one that is installed is not wanted',
      { keepStopped: ['a'], keepDisabled: ['x', 'z'] },
      ['a', 'x'],
      ['x'],
    ],
    ['it is one of another package', { keepDisabled: ['z'] }, [], []],
  ])('mask their units while they come, and disable what is not wanted: %s', async (_, options, masked, disabled) => {
    const units = (of: readonly string[]): string => of.map((unit) => `${unit}.service`).join(' ');
    const lines = await scriptOf(options);
    expect(lines.filter((line) => line.includes('systemctl'))).toEqual([
      ...(masked.length === 0
        ? []
        : [
            `trap 'systemctl unmask --runtime --quiet ${units(masked)}' EXIT`,
            `systemctl mask --runtime --quiet ${units(masked)}`,
          ]),
      ...(disabled.length === 0 ? [] : [`systemctl disable --quiet ${units(disabled)}`]),
    ]);
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
