import { describe, expect, test } from '@jest/globals';
import { snapshotBeforeUpgrade } from '../../../src/resources/snapshot-before-upgrade.js';
import { cluster, PACKAGE, released, summary } from '../../support/release-answers.js';

describe('a snapshot before the first member', () => {
  const BEFORE = 'save a snapshot of the cluster on this machine, before the first member is upgraded';

  test.each([
    ['all run the old version', ['3.4.23', '3.4.23', '3.4.23'], BEFORE],
    ['it is down, the others serve', ['down', '3.4.23', '3.4.23'], BEFORE],
    // One that claims the new version makes none of the others go without.
    ['one says that it runs the new version', ['3.4.23', '3.5.16', '3.4.23'], BEFORE],
    ['two of them say so', ['3.4.23', '3.5.16', '3.5.16'], BEFORE],
    ['it runs the new version itself', ['3.5.16', '3.4.23', '3.4.23'], 'unchanged'],
    ['all run it', ['3.5.16', '3.5.16', '3.5.16'], 'unchanged'],
    ['there is no cluster yet', ['bare', 'bare', 'bare'], 'unchanged'],
    ['nobody answers', ['down', 'down', 'down'], 'unchanged'],
  ])('%s', async (_, versions, expected) => {
    expect(await summary(snapshotBeforeUpgrade(released()), cluster(PACKAGE, ...versions))).toBe(expected);
  });

  test('is made once in a run, however many members plan it', async () => {
    const outcome = await snapshotBeforeUpgrade(released()).plan(cluster(PACKAGE, '3.4.23', '3.4.23', '3.4.23'));
    expect(outcome).toMatchObject({ change: { actions: [{ kind: 'save-snapshot', per: 'run' }] } });
  });

  test('is none for another tarball of the version that runs', async () => {
    const probe = cluster(PACKAGE, '3.4.23', '3.4.23', '3.4.23');
    expect(await summary(snapshotBeforeUpgrade(released('3.4.23')), probe)).toBe('unchanged');
  });
});
