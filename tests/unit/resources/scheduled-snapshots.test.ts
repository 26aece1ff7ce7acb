import { describe, expect, test } from '@jest/globals';
import type { FileOrigin } from '../../../src/facts/file-origin.js';
import type { UnitState } from '../../../src/facts/unit-state.js';
import { noScheduledSnapshots } from '../../../src/resources/no-scheduled-snapshots.js';
import { snapshotDirectory } from '../../../src/resources/snapshot-directory.js';
import { SNAPSHOT_FILES, SNAPSHOT_TIMER } from '../../../src/shell/snapshot-unit.js';
import { NOT_INSTALLED, RUNNING } from '../../support/etcd-answers.js';
import { fakeProbe } from '../../support/fake-probe.js';
import { expectRefused } from '../../support/refusals.js';

const { timer, script, service } = SNAPSHOT_FILES;

describe('no snapshots on a schedule any more', () => {
  /** @param there the files that the host has, and who wrote them */
  function plan(there: Readonly<Record<string, FileOrigin['kind']>>, unit: UnitState = RUNNING) {
    return noScheduledSnapshots().plan(
      fakeProbe({
        units: { [SNAPSHOT_TIMER]: unit },
        'file-states': Object.fromEntries(
          [timer, script, service].map((path) => [path, { kind: there[path] === undefined ? 'absent' : 'file' }]),
        ),
        'file-origins': Object.fromEntries([timer, script, service].map((path) => [path, { kind: there[path] }])),
      }),
    );
  }

  test('is nothing to do for a host that has none', async () => {
    expect(await plan({})).toEqual({ kind: 'unchanged' });
  });

  const ALL = { [timer]: 'ours', [script]: 'ours', [service]: 'ours' } as const;
  const REMOVED = [
    ...[timer, script, service].map((path) => ({ kind: 'remove-file', path })),
    { kind: 'run', command: { summary: 'systemctl daemon-reload' } },
  ];
  const run = (verb: string, undo: unknown): object => ({
    ...{ kind: 'run', undo },
    command: { summary: `systemctl ${verb} ${SNAPSHOT_TIMER}` },
  });
  const systemctl = (verb: string): object => ({ summary: `systemctl ${verb} ${SNAPSHOT_TIMER}` });

  test.each<[string, Partial<UnitState>, readonly string[], readonly object[]]>([
    [
      'runs, and is enabled',
      {},
      [`disable and stop ${SNAPSHOT_TIMER}`],
      [run('disable', systemctl('enable')), run('stop', systemctl('start'))],
    ],
    [
      'an administrator has stopped',
      { active: false },
      [`disable and stop ${SNAPSHOT_TIMER}`],
      [run('disable', systemctl('enable')), run('stop', 'nothing')],
    ],
    [
      'an administrator has disabled',
      { enabled: false },
      [`stop ${SNAPSHOT_TIMER}`],
      [run('stop', systemctl('start'))],
    ],
    ['an administrator has disabled and stopped', { active: false, enabled: false }, [], []],
  ])('a timer that %s goes; a roll-back leaves it as it was; the snapshots stay', async (_, unit, lines, ends) => {
    const diff = [...lines, ...[timer, script, service].map((path) => `- ${path}`), 'the snapshots stay'];
    expect(await plan(ALL, { ...RUNNING, ...unit })).toMatchObject({
      change: { diff, actions: [...ends, ...REMOVED], disruptive: false },
    });
  });

  test('what a run that was cut off left goes, too', async () => {
    expect(await plan({ [service]: 'ours' }, NOT_INSTALLED)).toMatchObject({
      change: { actions: [{ kind: 'remove-file', path: service }, { kind: 'run' }] },
    });
  });

  test('a timer that runs without its file is stopped for good', async () => {
    expect(await plan({ [service]: 'ours' }, { ...RUNNING, enabled: false })).toMatchObject({
      change: {
        diff: [`stop ${SNAPSHOT_TIMER}`, `- ${service}`, 'the snapshots stay'],
        actions: [run('stop', { lasting: `${SNAPSHOT_TIMER} stays stopped` }), {}, {}],
      },
    });
  });

  test('the timer of others runs on, whatever of ours is beside it', async () => {
    expect(await plan({ [timer]: 'foreign', [script]: 'ours', [service]: 'ours' })).toMatchObject({
      change: {
        diff: [`- ${script}`, `- ${service}`, 'the snapshots stay'],
        actions: [{ kind: 'remove-file', path: script }, { kind: 'remove-file', path: service }, { kind: 'run' }],
      },
    });
  });

  test('files of others stay, and their timer', async () => {
    expect(await plan({ [timer]: 'foreign', [service]: 'foreign' })).toEqual({ kind: 'unchanged' });
  });
});

describe('the directory of snapshots', () => {
  const PATH = '/srv/etcd';
  function plan(mode: string, names: readonly string[]) {
    const state = { kind: 'directory', owner: 'root', group: 'root', mode };
    return snapshotDirectory(PATH).plan(
      fakeProbe({ 'file-states': { [PATH]: state }, 'file-names': { [PATH]: names } }),
    );
  }

  test('is closed to others than root', async () => {
    expect(
      await plan('0755', ['etcd-etcd-2-2026-11-26T18-00-00Z.db', 'last-good-etcd-2', '.new-etcd-1']),
    ).toMatchObject({ kind: 'change' });
  });

  test('is not closed to those who use it', async () => {
    await expectRefused(plan('0755', ['www']), 'directory-in-use');
  });

  test('may hold what is only root’s anyway', async () => {
    expect(await plan('0700', ['by-hand.db'])).toEqual({ kind: 'unchanged' });
  });

  test('is made where it is not', async () => {
    const probe = fakeProbe({ 'file-states': { [PATH]: { kind: 'absent' } }, 'file-names': { [PATH]: [] } });
    expect(await snapshotDirectory(PATH).plan(probe)).toMatchObject({ kind: 'change' });
  });
});
