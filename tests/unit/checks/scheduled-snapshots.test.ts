import { describe, expect, test } from '@jest/globals';
import { checkScheduledSnapshots, judgeSnapshots } from '../../../src/checks/scheduled-snapshots.js';
import {
  scheduledSnapshots,
  scheduledSnapshotsKey,
  type ScheduledSnapshots,
} from '../../../src/facts/scheduled-snapshots.js';
import type { SnapshotSchedule } from '../../../src/model/cluster.js';
import { asLine, contextOf, linesOf, UNREACHABLE } from '../../support/check-context.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';

const HOUR = 3600;
/** 2026-11-26T18:00:00Z */
const SIX = Date.UTC(2026, 10, 26, 18) / 1000;
const SCHEDULE: SnapshotSchedule = { onCalendar: 'hourly', directory: '/var/backups/etcd', keep: 7 };
const FILE = 'etcd-etcd-1-2026-11-26T18-00-00Z.db';

const SAVED = { file: FILE, savedAt: SIX, revision: 300, keys: 1, bytes: 20_512 } as const;
const LAST = { ...SAVED, larger: 0, other: 0, upload: 'none' } as const;

/** An hourly schedule, half an hour after a good one. */
const WELL: ScheduledSnapshots = {
  now: SIX + HOUR / 2,
  timer: { active: true, since: SIX - 24 * HOUR },
  run: { isRunning: false, result: 'success', status: 0, said: `saved /var/backups/etcd/${FILE}` },
  last: LAST,
  lastBytes: LAST.bytes,
  due: [SIX + HOUR, SIX + 2 * HOUR],
};
const KEPT = 'the last good one is of 2026-11-26T18:00:00Z: revision 300, 1 key, 0.0 MiB';

function judged(changes: Partial<ScheduledSnapshots>): string {
  const item = judgeSnapshots({ host: 'etcd-1', schedule: SCHEDULE, inventory: 'hosts.yaml' }, { ...WELL, ...changes });
  expect(item.next === undefined).toBe(item.verdict === 'ok');
  return asLine(item).replace('snapshots-scheduled etcd-1 /var/backups/etcd: ', '');
}

describe('snapshots on a schedule', () => {
  const failed = { isRunning: false, result: 'exit-code', status: 1, said: 'etcd gave no snapshot: EOF' };

  test.each<[string, Partial<ScheduledSnapshots>, string]>([
    ['a good one', {}, `ok ${KEPT}; the next is due at 2026-11-26T19:00:00Z`],
    [
      'the first is yet to come',
      { last: undefined, lastBytes: undefined },
      'ok none was saved yet; the next is due at 2026-11-26T19:00:00Z',
    ],
    ['one that is being saved', { run: { ...failed, isRunning: true } }, `ok ${KEPT}; one is being saved`],
    [
      'within what a run may take',
      { now: SIX + 2 * HOUR + 300 },
      `ok ${KEPT}; the next is due at 2026-11-26T19:00:00Z`,
    ],
    [
      'one was missed',
      { now: SIX + 2 * HOUR + 301 },
      `warn one was due at 2026-11-26T19:00:00Z, and none was saved; ${KEPT}`,
    ],
    [
      'two were missed',
      { now: SIX + 3 * HOUR + 301 },
      `fail one was due at 2026-11-26T19:00:00Z, and none was saved; ${KEPT}`,
    ],
    [
      'none ever came',
      { now: SIX + 9 * HOUR, last: undefined, lastBytes: undefined },
      'fail one was due at 2026-11-26T19:00:00Z, and none was saved; none was saved yet',
    ],
    [
      'one that was saved while the clock was wrong',
      { now: SIX - 2 * HOUR },
      `fail the host's clock is at 2026-11-26T16:00:00Z, before the last good one: ${KEPT}`,
    ],
    [
      'the last run failed',
      { run: failed },
      `fail the last run failed (status 1): etcd gave no snapshot: EOF; ${KEPT}`,
    ],
    [
      'the last run took too long',
      { run: { ...failed, result: 'timeout', said: '' } },
      `fail the last run failed (timeout); ${KEPT}`,
    ],
    [
      'the timer is off',
      { timer: { active: false, since: undefined } },
      'fail provision-etcd-snapshot.timer is not active',
    ],
    ['the last good one is gone', { lastBytes: undefined }, `fail ${FILE}, the last good one, is gone`],
    ['it was cut', { lastBytes: 512 }, `fail ${FILE}, the last good one, is of another size now`],
    ['a stamp that says something else', { last: 'unreadable' }, 'fail the stamp of the last good snapshot is damaged'],
    [
      'its upload failed: told before the run, which failed for that',
      { last: { ...LAST, upload: { failedWith: 4 } }, run: failed },
      `fail the upload of the last good one failed with status 4: ${KEPT}`,
    ],
    [
      'its upload was cut off',
      { last: { ...LAST, upload: 'unfinished' } },
      `fail the upload of the last good one was cut off: ${KEPT}`,
    ],
    [
      'an upload that goes on',
      { last: { ...LAST, upload: 'unfinished' }, run: { ...failed, isRunning: true } },
      `ok ${KEPT}; one is being saved`,
    ],
    [
      'the cluster was set up again under the same name: what was saved before is reported',
      { last: { ...LAST, other: 7, larger: 1 } },
      `warn ${KEPT}; the next is due at 2026-11-26T19:00:00Z; kept apart: 7 older ones of another cluster id, 1 older one with more than twice its keys`,
    ],
    ['systemd says nothing', { due: [] }, `warn systemd does not say when the next one is due; ${KEPT}`],
  ])('%s', (_, changes, expected) => {
    expect(judged(changes)).toBe(expected);
  });

  test('only members with a schedule are asked; a host that can not be asked hides no other', async () => {
    const members = SAMPLE_CLUSTER.members.map((member, index) =>
      index === 2 ? member : { ...member, snapshots: SCHEDULE },
    );
    const answers = { 'scheduled-snapshots': { [scheduledSnapshotsKey('etcd-2', SCHEDULE)]: WELL } };
    const lines = await linesOf(
      checkScheduledSnapshots,
      contextOf({ 'etcd-1': UNREACHABLE, 'etcd-2': answers }, { cluster: { ...SAMPLE_CLUSTER, members } }),
    );
    expect(lines).toEqual([
      'fail host etcd-1: etcd-1: connection refused',
      `ok snapshots-scheduled etcd-2 /var/backups/etcd: ${KEPT}; the next is due at 2026-11-26T19:00:00Z`,
    ]);
  });
});

describe('what a host says of its snapshots', () => {
  const key = scheduledSnapshotsKey('etcd-1', SCHEDULE);
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const STAMP = `file=${FILE}\nsaved=${SIX}\nrevision=300\nkeys=1\nbytes=20512\nlarger=0\nother=0\nupload=none\n`;
  // As systemd 252 shows a calendar where the zone is not UTC.
  const CALENDAR = [
    'C   Original form: hourly',
    'C     Next elapse: Thu 2026-11-26 20:00:00 CET',
    'C        (in UTC): Thu 2026-11-26 19:00:00 UTC',
    'C        From now: 21min left',
    'C    Iteration #2: Thu 2026-11-26 21:00:00 CET',
    'C        (in UTC): Thu 2026-11-26 20:00:00 UTC',
  ];
  function parsed(stamp: string, calendar = CALENDAR, more: readonly string[] = []): ScheduledSnapshots | undefined {
    const lines = [
      ...['K', `N ${SIX + HOUR / 2}`, 'T ActiveState=active', `T ActiveEnterTimestamp=@${SIX - 24 * HOUR}`],
      ...['R ActiveState=inactive', 'R Result=success', 'R ExecMainStatus=0', `J ${base64(WELL.run.said)}`],
      ...[`S ${base64(stamp)}`, 'B 20512', ...calendar, ...more],
    ];
    return scheduledSnapshots.parse(`${lines.join('\n')}\n`, [key]).get(key);
  }

  test('is read', () => {
    expect(parsed(STAMP)).toEqual(WELL);
    expect(parsed(STAMP.replace('none', 'failed 4'))?.last).toEqual({ ...LAST, upload: { failedWith: 4 } });
  });

  test('is read where the zone is UTC, too, and where systemd says it otherwise', () => {
    const utc = ['C     Next elapse: Thu 2026-11-26 19:00:00 UTC', 'C        Iter. #2: Thu 2026-11-26 20:00:00 UTC'];
    expect(parsed(STAMP, utc)?.due).toEqual(WELL.due);
    expect(parsed(STAMP, ['C     Next elapse: never'])?.due).toEqual([]);
  });

  test('hosts that share a directory have a stamp each, also where a name is no name of a file', () => {
    const keyOf = (host: string): string => scheduledSnapshotsKey(host, SCHEDULE);
    expect(keyOf('etcd-2')).not.toBe(key);
    const script = scheduledSnapshots.script([keyOf('../etc')]);
    expect(script).toContain('/var/backups/etcd/last-good-.._etc');
    // Anyone may sign like the unit; who it was is journald's word.
    expect(script).toContain('-t provision-etcd-snapshot _SYSTEMD_UNIT=provision-etcd-snapshot.service ');
  });

  test.each([
    STAMP.replace(FILE, '../../etc/passwd'),
    STAMP.replace('saved=', 'saved=x'),
    STAMP.replace('upload=none', 'upload=failed yes'),
    STAMP.replace('other=0\n', ''),
    'x',
  ])('a stamp that is none of ours is reported, and not believed: %j', (stamp) => {
    expect(parsed(stamp)?.last).toBe('unreadable');
  });
});
