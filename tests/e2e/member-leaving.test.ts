import { beforeAll, expect, test } from '@jest/globals';
import type { EventJson } from '../../src/report/event-schema.js';
import type { Way } from '../support/cluster-client.js';
import { partOfThisCommit } from '../support/kill-points.js';
import { powerCut } from '../../src/lab/faults.js';
import { describeOnLab } from '../support/lab.js';
import { endOf, passphraseFile, plannedChanges, runVerb, vipOf } from '../support/main-job.js';
import {
  expectMembers,
  lead,
  listed,
  named,
  ofSize,
  startedAt,
  withPrintedLines,
  withWriters,
} from '../support/member-counts.js';
import { disturbedRun } from '../support/stopped-run.js';
import { ownWays } from '../support/writers.js';

describeOnLab('members leave', 'leaving', { etcd: 5 }, (lab) => {
  let ways: readonly Way[];

  beforeAll(async () => {
    const applied = await runVerb(lab, 'apply', await ofSize(lab, 5));
    if (applied.status !== 0) throw new Error(endOf(applied));
    // etcd-1 is a member throughout.
    ways = await ownWays(lab, [11], []);
  });

  test('5 → 3 → 2 → 1: no client sees it, no member that stays is restarted, and a run that is killed is finished by the next', async () => {
    const before = await startedAt(lab, 'etcd-1');
    await lead(lab, 'etcd-5');
    const former = await withPrintedLines(lab, 3);
    const [leftAt = ''] = partOfThisCommit(12)(['stop', 'remove', 'aside'], 1);
    const isLeftAt = (event: EventJson): boolean =>
      event.type === 'change-done' && event.address === `member-${leftAt}:etcd-4`;
    const shrink = ['apply', former, '--yes', '--passphrase-file', await passphraseFile(lab)];
    await withWriters(lab, ways, 'back', async () => {
      const killed = await disturbedRun(lab, shrink, isLeftAt, (kill) => {
        kill('SIGKILL');
      });
      if (killed.status !== 137) throw new Error(endOf(killed));
      console.log(`killed after: ${leftAt}`);
      // Who leads leaves last.
      expect((await lab.ssh('etcd-4', 'systemctl is-active etcd')).stdout.trim()).toBe('inactive');
      expect((await lab.ssh('etcd-5', 'systemctl is-active etcd')).stdout.trim()).toBe('active');
      return runVerb(lab, 'apply', former);
    });
    expect(plannedChanges(await runVerb(lab, 'plan', former))).toEqual([]);
    await expectMembers(lab, 3);
    expect(await startedAt(lab, 'etcd-1')).toBe(before);
    for (const host of ['etcd-4', 'etcd-5']) {
      const { stdout } = await lab.ssh(
        host,
        'systemctl is-active etcd; systemctl is-enabled etcd; ls /var/lib/etcd/*/ | sed s/[0-9TZ]*$//',
      );
      expect(stdout.trim().split('\n')).toEqual(['inactive', 'disabled', 'member.removed-']);
      // It is closed out, and has no firewall of ours any more.
      const member = (await vipOf(lab)).replace(/\d+$/, '11');
      const knock = `for port in 2379 2380; do timeout 3 bash -c "</dev/tcp/${member}/$port" 2>/dev/null && echo open $port; done; nft list tables`;
      expect((await lab.ssh(host, knock)).stdout).toBe('');
    }

    // A host that is lost leaves without being reached, once someone leaves it out; right after it went, while the leader
    // still sends to it.
    const lost = await withPrintedLines(lab, 2);
    await lead(lab, 'etcd-2');
    await withWriters(lab, ways, 'lost', async () => {
      await powerCut(await lab.host('etcd-3'));
      const planned = await runVerb(lab, 'plan', lost);
      expect([planned.status, planned.stdout]).toEqual([4, expect.stringContaining("--limit 'all:!etcd-3'")]);
      return runVerb(lab, 'apply', lost, '--limit', 'all:!etcd-3');
    });
    expect(await listed(lab)).toEqual(named(2).map((name) => `${name} started`));

    // Of two both must agree: the one that leaves, and leads, is not stopped before.
    const last = await withPrintedLines(lab, 1);
    const plan = await lab.provision('plan', last);
    expect(plan.stdout).toContain('then etcd has one member: when its host is down, so is etcd');
    await withWriters(lab, ways, 'last', async () => runVerb(lab, 'apply', last));
    expect(plannedChanges(await runVerb(lab, 'plan', last))).toEqual([]);
    await expectMembers(lab, 1);
    expect(await startedAt(lab, 'etcd-1')).toBe(before);
  });
});
