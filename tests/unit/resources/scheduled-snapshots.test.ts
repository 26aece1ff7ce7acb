import { describe, expect, test } from '@jest/globals';
import type { FileOrigin } from '../../../src/facts/file-origin.js';
import { noScheduledSnapshots } from '../../../src/resources/no-scheduled-snapshots.js';
import { snapshotDirectory } from '../../../src/resources/snapshot-directory.js';
import { SNAPSHOT_FILES, SNAPSHOT_TIMER } from '../../../src/shell/snapshot-unit.js';
import { fakeProbe } from '../../support/fake-probe.js';

const { timer, script, service } = SNAPSHOT_FILES;

describe('no snapshots on a schedule any more', () => {
  /** @param there the files that the host has, and who wrote them */
  function plan(there: Readonly<Record<string, FileOrigin['kind']>>) {
    return noScheduledSnapshots().plan(
      fakeProbe({
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

  test('the timer is stopped, its files go, the service last; the snapshots stay, and that is said', async () => {
    expect(await plan({ [timer]: 'ours', [script]: 'ours', [service]: 'ours' })).toMatchObject({
      change: {
        diff: [...[timer, script, service].map((path) => `- ${path}`), 'the snapshots stay'],
        actions: [
          {
            kind: 'run',
            command: { summary: `stop and disable ${SNAPSHOT_TIMER}` },
            undo: { summary: `enable and start ${SNAPSHOT_TIMER}` },
          },
          ...[timer, script, service].map((path) => ({ kind: 'remove-file', path })),
          { kind: 'run', command: { summary: 'systemctl daemon-reload' } },
        ],
        disruptive: false,
      },
    });
  });

  test('what a run that was cut off left goes, too', async () => {
    expect(await plan({ [service]: 'ours' })).toMatchObject({
      change: { actions: [{ kind: 'run' }, { kind: 'remove-file', path: service }, { kind: 'run' }] },
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
    await expect(plan('0755', ['www'])).rejects.toMatchObject({ code: 'directory-in-use' });
  });

  test('may hold what is only root’s anyway', async () => {
    expect(await plan('0700', ['by-hand.db'])).toEqual({ kind: 'unchanged' });
  });

  test('is made where it is not', async () => {
    const probe = fakeProbe({ 'file-states': { [PATH]: { kind: 'absent' } }, 'file-names': { [PATH]: [] } });
    expect(await snapshotDirectory(PATH).plan(probe)).toMatchObject({ kind: 'change' });
  });
});
