import { describe, expect, test } from '@jest/globals';
import {
  decideDefrag,
  describeSpace,
  isFragmented,
  type DefragWishes,
  type SpaceSeen,
} from '../../../src/day-two/decide-defrag.js';
import { healthy } from '../../support/etcd-answers.js';
import { SAMPLE_CLUSTER, sampleMember } from '../../support/sample-cluster.js';

const MIB = 1024 ** 2;
const USUAL: DefragWishes = { compaction: 'where-needed', percent: undefined };

function seen(
  number: number,
  changes: Parameters<typeof healthy>[1] = {},
  quota: number | undefined = 2048 * MIB,
): SpaceSeen {
  const host = `etcd-${number}`;
  return { member: sampleMember(number), status: { host, ...healthy(number, changes) }, quota, inode: `${number}` };
}

const FULL = { alarms: ['NOSPACE'], dbSize: 2048 * MIB, dbSizeInUse: 2040 * MIB };
const all = (changes: Parameters<typeof healthy>[1] = {}, quota?: number): readonly SpaceSeen[] =>
  [1, 2, 3].map((number) => seen(number, changes, quota));

describe('what is done about the space', () => {
  test('nothing more than defragmenting, where no alarm is raised', () => {
    expect(decideDefrag(SAMPLE_CLUSTER, all(), USUAL)).toMatchObject({
      ...{ alarm: 'none', compactTo: undefined, quota: 'as-it-is' },
      rule: { percent: 45, leastBytes: 45 * MIB },
    });
  });

  test('the history is compacted where that is asked for, and under the alarm', () => {
    expect(decideDefrag(SAMPLE_CLUSTER, all(), { ...USUAL, compaction: 'asked' }).compactTo).toBe(40);
    expect(decideDefrag(SAMPLE_CLUSTER, all(FULL), USUAL)).toMatchObject({ alarm: 'nospace', compactTo: 40 });
  });

  test('the quota is raised where one member has a smaller one, and nowhere without the alarm', () => {
    const mixed = [seen(1, FULL, 1024 * MIB), seen(2, FULL), seen(3, FULL)];
    const quotaOf = (those: readonly SpaceSeen[]) => decideDefrag({ isManaged: true }, those, USUAL).quota;
    expect(quotaOf(mixed)).toBe('raised');
    expect(quotaOf([seen(1, FULL), seen(2, FULL), seen(3, FULL)])).toBe('as-it-is');
    expect(quotaOf([seen(1, {}, 1024 * MIB), seen(2), seen(3)])).toBe('as-it-is');
  });

  test('what a member said of its space is shown with how much of it is free', () => {
    expect(describeSpace(seen(1, { dbSize: 100 * MIB, dbSizeInUse: 25 * MIB, alarms: ['NOSPACE'] }))).toBe(
      'database 100 MiB, 25.0 MiB in use (75 % free), quota 2048 MiB, alarms: NOSPACE',
    );
  });

  test('an empty store has no history', () => {
    const wishes = { ...USUAL, compaction: 'asked' } as const;
    expect(decideDefrag(SAMPLE_CLUSTER, all({ revision: 1 }), wishes).compactTo).toBeUndefined();
  });

  test.each([
    ['far ahead', 9_000_000, 40],
    ['far behind', 1, 40],
  ])('the revision of one host that reports one %s does not count', (_, revision, wanted) => {
    const told = [seen(1, FULL), seen(2, { ...FULL, revision }), seen(3, FULL)];
    expect(decideDefrag(SAMPLE_CLUSTER, told, USUAL).compactTo).toBe(wanted);
  });

  test('one host that alone lists the alarm drops nobody’s history', () => {
    expect(() => decideDefrag(SAMPLE_CLUSTER, [seen(1), seen(2, FULL), seen(3)], USUAL)).toThrow(
      'etcd-2 reports the alarm NOSPACE, which etcd-1, etcd-3 does not list',
    );
  });

  test.each([
    ['one of two', [seen(1), seen(2, FULL)]],
    ['two of four', [seen(1), seen(2, FULL), seen(3), seen(4, FULL)]],
  ])('nor do half of them: %s', (_, told) => {
    expect(() => decideDefrag(SAMPLE_CLUSTER, told, USUAL)).toThrow('the alarm NOSPACE, which');
  });

  test('one that alone hides it hides nothing', () => {
    expect(decideDefrag(SAMPLE_CLUSTER, [seen(1, FULL), seen(2), seen(3, FULL)], USUAL).alarm).toBe('nospace');
  });

  test('a follower’s host asks for what is done once', () => {
    expect(decideDefrag(SAMPLE_CLUSTER, all(), USUAL).worker.host).toBe('etcd-2');
    expect(decideDefrag(SAMPLE_CLUSTER, [seen(1)], USUAL).worker.host).toBe('etcd-1');
  });

  test.each([
    ['the inventory has a larger one, and the alarm is raised', FULL, 1024 * MIB, true, 'raised'],
    ['it is the same', FULL, 2048 * MIB, true, 'as-it-is'],
    ['the process has the larger one', FULL, 4096 * MIB, true, 'as-it-is'],
    ['nobody is out of space', {}, 1024 * MIB, true, 'as-it-is'],
    ['the cluster was adopted', FULL, 1024 * MIB, false, 'as-it-is'],
  ])('the quota is raised or not: %s', (_, changes, quota, isManaged, wanted) => {
    expect(decideDefrag({ isManaged }, all(changes, quota), USUAL).quota).toBe(wanted);
  });
});

describe('a fragmented database', () => {
  const rule = { percent: 45, leastBytes: 45 * MIB };
  test.each([
    [100, 55, true],
    [100, 56, false],
    [80, 36, false],
    [8192, 4000, true],
    [100, undefined, false],
  ])('%s MiB, of which %s are in use: %s', (size, use, wanted) => {
    const status = { dbSize: size * MIB, ...(use === undefined ? {} : { dbSizeInUse: use * MIB }) };
    expect(isFragmented(status, rule)).toBe(wanted);
  });

  test('a person may ask for less', () => {
    const { rule: asked } = decideDefrag(SAMPLE_CLUSTER, all(), { ...USUAL, percent: 20 });
    expect(isFragmented({ dbSize: 10 * MIB, dbSizeInUse: 7 * MIB }, asked)).toBe(true);
    expect(isFragmented({ dbSize: 20480, dbSizeInUse: 8192 }, asked)).toBe(false);
  });
});
