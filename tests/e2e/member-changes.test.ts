import { readFile, writeFile } from 'node:fs/promises';
import { beforeAll, expect, test } from '@jest/globals';
import { powerCut, replaceMachine } from '../../src/lab/faults.js';
import { EXIT } from '../../src/model/errors.js';
import type { EventJson } from '../../src/report/event-schema.js';
import type { Way } from '../support/cluster-client.js';
import { partOfThisCommit } from '../support/kill-points.js';
import { describeOnLab } from '../support/lab.js';
import { endOf, etcdctl, must, passphraseFile, plannedChanges, runVerb } from '../support/main-job.js';
import { expectMembers, lead, listed, ofSize, startedAt, withWriters } from '../support/member-counts.js';
import { disturbedRun } from '../support/stopped-run.js';
import { ownWays } from '../support/writers.js';

// Ten membership changes, one after the other, on whatever machine.
describeOnLab('the inventory says who is a member', 'members', { etcd: 5 }, (lab) => {
  let ways: readonly Way[];

  beforeAll(async () => {
    const applied = await runVerb(lab, 'apply', await ofSize(lab, 1));
    if (applied.status !== 0) throw new Error(endOf(applied));
    // etcd-1 is a member throughout.
    ways = await ownWays(lab, [11], []);
  });

  /** Of a member that lives it is refused; where its machine is lost, another one takes its place at another address. */
  async function replaceAtAnotherAddress(inventory: string): Promise<void> {
    const host = await lab.host('etcd-5');
    const former = host.host.address;
    const address = former.replace(/\d+$/, '55');
    const moved = await withLine(inventory, 'moved', [`ansible_host: ${former}`, `ansible_host: ${address}`]);
    const { knownHosts, sshConfig } = lab.files;
    const keys = await readFile(knownHosts, 'utf8');
    await writeFile(knownHosts, keys.replace(`${former} `, `${former},${address} `));
    await must(lab.ssh('etcd-5', `ip address add ${address}/24 dev eth0`));
    const living = await runVerb(lab, 'plan', moved);
    expect([living.status, living.stdout]).toEqual([EXIT.unsafe, expect.stringContaining('member update')]);
    const words = ['member', 'replace', moved, 'etcd-5', '--yes', '--passphrase-file', await passphraseFile(lab)];
    expect((await lab.provision(...words)).stdout).toContain('it is not replaced');

    await lead(lab, 'etcd-1');
    await powerCut(host);
    await replaceMachine(host);
    await must(
      lab.ssh('etcd-5', `sysctl -q net.ipv4.conf.all.promote_secondaries=1; ip address add ${address}/24 dev eth0`),
    );
    const drop = ['ssh', '-F', sshConfig, '-l', 'root', '-o', `HostName=${address}`, 'etcd-5'];
    await must(lab.onControlSide([...drop, `ip address del ${former}/24 dev eth0`]));
    await withWriters(lab, ways, 'moved', async () => {
      const shut = await lab.provision(...words);
      expect([shut.status, shut.stdout]).toEqual([EXIT.unsafe, expect.stringContaining('--playbook firewall-lets-in')]);
      const widened = await runVerb(lab, 'apply', moved, '-p', 'firewall-lets-in', '--limit', 'all:!etcd-5');
      if (widened.status !== 0) return widened;
      await must(lab.provision(...words));
      return runVerb(lab, 'apply', moved);
    });
    const list = (await lab.ssh('etcd-1', etcdctl('https://127.0.0.1:2379', 'member list'))).stdout;
    expect(list.match(/started.*false/g)).toHaveLength(5);
    expect(list).toContain(`https://${address}:2380`);
    expect(list).not.toContain(`https://${former}:2380`);
    await expectSettled(moved);
  }

  /** etcd takes another name at its next start, and tells the others. */
  async function rename(inventory: string): Promise<void> {
    const moved = inventory.replace(/\.yaml$/, '-moved.yaml');
    const [line = ''] = /ansible_host: \S+\.12\n/.exec(await readFile(moved, 'utf8')) ?? [];
    const named = await withLine(moved, 'named', [line, `${line}          etcd_member_name: zwei\n`]);
    await withWriters(lab, ways, 'named', async () => runVerb(lab, 'apply', named));
    expect((await listed(lab)).filter((each) => each.endsWith('started'))).toEqual(
      ['etcd-1', 'etcd-3', 'etcd-4', 'etcd-5', 'zwei'].map((name) => `${name} started`),
    );
    await expectSettled(named);
  }

  async function expectSettled(inventory: string): Promise<void> {
    expect(plannedChanges(await runVerb(lab, 'plan', inventory))).toEqual([]);
    expect(endOf(await lab.provision('verify', inventory))).toMatch(/^status 0/);
  }

  /** An inventory with a text in place of another one. */
  async function withLine(inventory: string, name: string, [from, to]: readonly [string, string]): Promise<string> {
    const file = inventory.replace(/\.yaml$/, `-${name}.yaml`);
    await writeFile(file, (await readFile(inventory, 'utf8')).replace(from, to));
    return file;
  }

  test('1 → 3 → 5: no client sees it, no member that runs is restarted, and a run that is killed is finished by the next', async () => {
    const before = await startedAt(lab, 'etcd-1');
    const three = await ofSize(lab, 3);
    const grown = await withWriters(lab, ways, 'three', async () => runVerb(lab, 'apply', three));
    const notes = grown.events.flatMap((event) => (event.type === 'gate-opened' ? [event.note ?? ''] : []));
    expect(notes.filter((note) => note.includes('has caught up: raft index'))).toHaveLength(2);
    await expectMembers(lab, 3);

    const five = await ofSize(lab, 5);
    // The others would not be widened in the same run.
    const limited = await runVerb(lab, 'plan', five, '--limit', 'etcd-4');
    expect([limited.status, limited.stdout]).toEqual([
      EXIT.unsafe,
      expect.stringContaining('does not let etcd-4 in, which is to be a member'),
    ]);
    // Who is in no rule of a firewall comes where that goes in the same change.
    const open = await ofSize(lab, 5, 'open');
    const [at = ''] = partOfThisCommit(11)(['add', 'start', 'promote'], 1);
    const isAt = (event: EventJson): boolean => event.type === 'change-done' && event.address === `member-${at}:etcd-4`;
    const words = ['apply', open, '--yes', '--passphrase-file', await passphraseFile(lab)];
    await withWriters(lab, ways, 'five', async () => {
      const killed = await disturbedRun(lab, words, isAt, (kill) => {
        kill('SIGKILL');
      });
      if (killed.status !== 137) throw new Error(endOf(killed));
      console.log(`killed after: ${at}`);
      const left = await lab.provision('verify', open);
      // A learner is left, or a host that is not listed yet.
      expect(left.stdout).toContain('provision apply ');
      return runVerb(lab, 'apply', open);
    });
    await withWriters(lab, ways, 'guarded', async () => runVerb(lab, 'apply', five));
    await expectMembers(lab, 5);
    expect(await startedAt(lab, 'etcd-1')).toBe(before);

    await replaceAtAnotherAddress(five);
    await rename(five);
    expect(await startedAt(lab, 'etcd-1')).toBe(before);
  });
});
