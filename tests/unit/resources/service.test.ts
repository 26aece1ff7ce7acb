import { describe, expect, test } from '@jest/globals';
import type { FileState } from '../../../src/facts/file-state.js';
import type { UnitState } from '../../../src/facts/unit-state.js';
import { changed, UNCHANGED, type Outcome, type Resource } from '../../../src/model/change.js';
import { service } from '../../../src/resources/service.js';
import { fakeProbe } from '../../support/fake-probe.js';

const RUNNING: UnitState = {
  load: 'loaded',
  active: true,
  starting: false,
  enabled: true,
  maskedAtRuntime: false,
  startedAt: 1000,
  loadedAt: 2000,
  needsDaemonReload: false,
};
const NOT_INSTALLED: UnitState = {
  ...RUNNING,
  load: 'not-found',
  active: false,
  enabled: false,
  startedAt: undefined,
  loadedAt: undefined,
};

function fileChangedAt(changedAt: number): FileState {
  return { kind: 'file', owner: 'root', group: 'root', mode: '0644', changedAt, sha256: 'x' };
}

function config(outcome: Outcome): Resource {
  return { address: 'file:/c', paths: ['/c'], plan: () => Promise.resolve(outcome) };
}

const PENDING = changed({ summary: 'update /c', diff: [], actions: [], effect: 'change', disruptive: false });

/** As its package leaves it where an installation must not start it. */
const INSTALLED: UnitState = { ...NOT_INSTALLED, load: 'loaded' };

interface Case {
  readonly unit: UnitState;
  readonly file?: FileState;
  readonly outcome?: Outcome;
  readonly onChange?: 'restart' | 'reload';
  readonly enabled?: boolean;
  readonly isReloadFelt?: boolean;
}

async function decide({ unit, file = fileChangedAt(0), outcome = UNCHANGED, ...options }: Case): Promise<Outcome> {
  const probe = fakeProbe({ units: { x: unit }, 'file-states': { '/c': file } });
  return service({ unit: 'x', onChange: 'restart', runsWith: [config(outcome)], ...options }).plan(probe);
}

describe('a service', () => {
  test.each<[string, Case, string | undefined]>([
    ['runs with the current files', { unit: RUNNING }, undefined],
    ['is not installed yet', { unit: NOT_INSTALLED }, 'enable and start x'],
    ['is stopped', { unit: { ...RUNNING, active: false, startedAt: undefined } }, 'start x'],
    ['is not started at boot', { unit: { ...RUNNING, enabled: false } }, 'enable x'],
    ['is started at boot and should not be', { unit: RUNNING, enabled: false }, 'disable x'],
    ['was left masked by an interrupted run', { unit: { ...RUNNING, maskedAtRuntime: true } }, 'unmask x'],
    ['is older than its file', { unit: RUNNING, file: fileChangedAt(1001) }, 'restart x'],
    [
      'was reloaded after its file changed',
      { unit: RUNNING, file: fileChangedAt(1500), onChange: 'reload' },
      undefined,
    ],
    ['was reloaded before that', { unit: RUNNING, file: fileChangedAt(2001), onChange: 'reload' }, 'reload x'],
    ['runs with a file that will change in this run', { unit: RUNNING, outcome: PENDING }, 'restart x'],
    ['lacks a file that is not there yet', { unit: RUNNING, file: { kind: 'absent' } }, undefined],
  ])('that %s', async (_, given, expected) => {
    const outcome = await decide(given);
    expect(outcome.kind === 'change' ? outcome.change.summary : undefined).toBe(expected);
  });

  test('is set up by the same actions before and after its package is there, in an earlier play of the same plan', async () => {
    const planned = await decide({ unit: NOT_INSTALLED });
    expect(planned).toMatchObject({
      change: {
        actions: [{ command: { summary: 'systemctl enable x' } }, { command: { summary: 'systemctl restart x' } }],
      },
    });
    expect(await decide({ unit: INSTALLED })).toEqual(planned);
  });

  test('is disruptive when it restarts, or when its reload is felt', async () => {
    const disruptive = async (given: Case): Promise<unknown> => {
      const outcome = await decide(given);
      return outcome.kind === 'change' && outcome.change.disruptive;
    };
    expect(await disruptive({ unit: RUNNING, outcome: PENDING })).toBe(true);
    expect(await disruptive({ unit: RUNNING, outcome: PENDING, onChange: 'reload' })).toBe(false);
    expect(await disruptive({ unit: RUNNING, outcome: PENDING, onChange: 'reload', isReloadFelt: true })).toBe(true);
    expect(await disruptive({ unit: NOT_INSTALLED, isReloadFelt: true })).toBe(false);
  });

  test('of several files each counts, and what has none is not asked', async () => {
    const of = (path: string, outcome: Outcome, paths = [path]): Resource => ({
      ...{ address: path, paths, plan: () => Promise.resolve(outcome) },
    });
    const states = {
      '/old': fileChangedAt(0),
      '/new': fileChangedAt(1001),
      '/next': fileChangedAt(0),
      '/gone': { kind: 'absent' },
    };
    const probe = fakeProbe({ units: { x: RUNNING }, 'file-states': states });
    const runsWith = [
      ...[of('/old', UNCHANGED), of('', PENDING, []), of('/new', UNCHANGED, ['/gone', '/old', '/new'])],
      ...[of('/next', PENDING), of('/gone', UNCHANGED)],
    ];
    expect(await service({ unit: 'x', onChange: 'restart', runsWith }).plan(probe)).toMatchObject({
      change: { diff: ['because /gone, /old, /new is newer than the running process', 'because /next changes'] },
    });
  });

  test('says which file it does not run with', async () => {
    const outcome = await decide({ unit: RUNNING, file: fileChangedAt(1001) });
    expect(outcome).toMatchObject({ change: { diff: ['because /c is newer than the running process'] } });
  });
});
