import { describe, expect, test } from '@jest/globals';
import { unitState, type UnitState } from '../../../src/facts/unit-state.js';

/** `systemctl show` of Debian 12, etcd running since 01:20:30. */
const RUNS = {
  Id: 'etcd.service',
  Names: 'etcd.service',
  LoadState: 'loaded',
  ActiveState: 'active',
  UnitFileState: 'enabled',
  ExecMainStartTimestamp: 'Sat 2026-11-21 01:20:30.250000 UTC',
  StateChangeTimestamp: 'Sat 2026-11-21 01:20:31.000000 UTC',
  ReloadResult: 'success',
  NeedDaemonReload: 'no',
};

function read(...blocks: readonly Partial<typeof RUNS>[]): readonly UnitState[] {
  const texts = blocks.map((changes, index) =>
    Object.entries({ ...RUNS, Id: `unit-${index}.service`, Names: `unit-${index}.service`, ...changes })
      .map(([name, value]) => `${name}=${value}`)
      .join('\n'),
  );
  const units = blocks.map((_, index) => `unit-${index}`);
  return [...unitState.parse(`${texts.join('\n\n')}\n`, units).values()];
}

describe('the state of a unit', () => {
  const started = Date.UTC(2026, 10, 21, 1, 20, 30) / 1000 + 0.25;

  test('is read from what systemctl shows', () => {
    expect(read({})).toEqual([
      {
        load: 'loaded',
        active: true,
        starting: false,
        enabled: true,
        maskedAtRuntime: false,
        startedAt: started,
        loadedAt: started + 0.75,
        needsDaemonReload: false,
      },
    ]);
  });

  test.each([
    ['active', true],
    ['reloading', true],
    ['activating', false],
    ['deactivating', false],
    ['inactive', false],
    ['failed', false],
    ['maintenance', false],
    ['', false],
  ])('%j counts as active: %s', (ActiveState, active) => {
    const [unit] = read({ ActiveState });
    // One that crashes and is started again counts as starting, between two starts too.
    expect(unit?.starting).toBe(ActiveState === 'activating');
    expect(unit).toMatchObject({ active, startedAt: active || ActiveState === 'activating' ? started : undefined });
    if (!active) expect(unit?.loadedAt).toBeUndefined();
  });

  test.each([
    ['enabled', true, false],
    ['enabled-runtime', true, false],
    ['disabled', false, false],
    ['static', false, false],
    ['masked', false, false],
    ['masked-runtime', false, true],
    ['', false, false],
  ])('a unit file that is %j: enabled %s, masked at runtime %s', (UnitFileState, enabled, maskedAtRuntime) => {
    expect(read({ UnitFileState })).toMatchObject([{ enabled, maskedAtRuntime }]);
  });

  test.each([
    ['loaded', 'loaded'],
    ['not-found', 'not-found'],
    ['masked', 'masked'],
    ['error', 'other'],
    ['bad-setting', 'other'],
  ])('a unit that is %j', (LoadState, load) => {
    expect(read({ LoadState })).toMatchObject([{ load }]);
  });

  test('a reload that failed, or that came before the start, is none', () => {
    expect(read({ ReloadResult: 'exit-code' })).toMatchObject([{ loadedAt: started }]);
    expect(read({ StateChangeTimestamp: 'Sat 2026-11-21 01:00:00.000000 UTC' })).toMatchObject([{ loadedAt: started }]);
    expect(read({ ExecMainStartTimestamp: 'n/a', StateChangeTimestamp: '' })).toMatchObject([
      { startedAt: undefined, loadedAt: undefined },
    ]);
  });

  test('systemd that must read its files again says so', () => {
    expect(read({ NeedDaemonReload: 'yes' })).toMatchObject([{ needsDaemonReload: true }]);
  });

  test('units come in the order in which they were asked, and none is left out', () => {
    expect(read({}, { ActiveState: 'failed' }).map(({ active }) => active)).toEqual([true, false]);
    expect(() => unitState.parse('Id=a.service\nExecMainStartTimestamp=\n', ['a', 'b'])).toThrow(
      'said nothing about b',
    );
  });

  test('local times are refused, not misread', () => {
    expect(() => read({ ExecMainStartTimestamp: 'Sat 2026-11-21 01:20:30 CET' })).toThrow(
      'unexpected time Sat 2026-11-21 01:20:30 CET',
    );
  });
});
