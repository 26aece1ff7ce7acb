import { beforeAll, expect, jest, test } from '@jest/globals';
import type { EventJson } from '../../src/report/event-schema.js';
import type { Way } from '../support/cluster-client.js';
import { partOfThisCommit } from '../support/kill-points.js';
import { describeOnLab } from '../support/lab.js';
import { endOf, passphraseFile, runVerb } from '../support/main-job.js';
import { expectMembers, ofSize, startedAt, withWriters } from '../support/member-counts.js';
import { disturbedRun } from '../support/stopped-run.js';
import { ownWays } from '../support/writers.js';

jest.setTimeout(900_000);

describeOnLab('the inventory says who is a member', 'members', { etcd: 5 }, (lab) => {
  let ways: readonly Way[];

  beforeAll(async () => {
    const applied = await runVerb(lab, 'apply', await ofSize(lab, 1));
    if (applied.status !== 0) throw new Error(endOf(applied));
    // etcd-1 is a member throughout.
    ways = await ownWays(lab, [11], []);
  }, 600_000);

  test('1 → 3 → 5: no client sees it, no member that runs is restarted, and a run that is killed is finished by the next', async () => {
    const before = await startedAt(lab, 'etcd-1');
    const three = await ofSize(lab, 3);
    const grown = await withWriters(lab, ways, 'three', async () => runVerb(lab, 'apply', three));
    const notes = grown.events.flatMap((event) => (event.type === 'gate-opened' ? [event.note ?? ''] : []));
    expect(notes.filter((note) => note.includes('has caught up: raft index'))).toHaveLength(2);
    await expectMembers(lab, 3);

    const five = await ofSize(lab, 5);
    const [at = ''] = partOfThisCommit(11)(['add', 'start', 'promote'], 1);
    const isAt = (event: EventJson): boolean => event.type === 'change-done' && event.address === `member-${at}:etcd-4`;
    const words = ['apply', five, '--yes', '--passphrase-file', await passphraseFile(lab)];
    await withWriters(lab, ways, 'five', async () => {
      const killed = await disturbedRun(lab, words, isAt, (kill) => {
        kill('SIGKILL');
      });
      if (killed.status !== 137) throw new Error(endOf(killed));
      console.log(`killed after: ${at}`);
      const left = await lab.provision('verify', five);
      // A learner is left, or a host that is not listed yet.
      expect(left.stdout).toContain('provision apply ');
      return runVerb(lab, 'apply', five);
    });
    await expectMembers(lab, 5);
    expect(await startedAt(lab, 'etcd-1')).toBe(before);
  });
});
