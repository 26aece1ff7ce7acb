import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { EXIT } from '../../src/model/errors.js';
import { waitUntil } from '../../src/lab/process.js';
import type { EventJson } from '../../src/report/event-schema.js';
import type { Way } from '../support/cluster-client.js';
import { describeOnLab, run, type Ended } from '../support/lab.js';
import { loseMachine } from '../support/lost-machine.js';
import { endOf, etcdctl, passphraseFile, plannedChanges, runVerb, vipOf } from '../support/main-job.js';
import { disturbedRun, type DisturbedRun } from '../support/stopped-run.js';
import { numberOfThisCommit } from '../support/this-commit.mjs';
import { lostWrites, ownWays, startWriters, tell, type Writers } from '../support/writers.js';

const DATA = '/var/lib/etcd/default';

describeOnLab('provision member replace', 'member', { etcd: 3, controlPlanes: 1 }, (lab) => {
  let vip: string;
  let ways: readonly Way[];

  const words = async (host: string): Promise<readonly string[]> => [
    ...['member', 'replace', lab.files.inventory, host, '--yes'],
    ...['--passphrase-file', await passphraseFile(lab)],
  ];
  const replace = async (host: string, ...more: readonly string[]): Promise<Ended> =>
    lab.provision(...(await words(host)), ...more);
  const textOf = ({ stdout, stderr }: Ended): string => `${stdout}\n${stderr}`;

  async function mustWait(what: string, condition: () => Promise<boolean>): Promise<void> {
    if (!(await waitUntil(condition, 180_000, 300))) throw new Error(`not within three minutes: ${what}`);
  }

  /** Members as etcd lists them: `etcd-1 started voter`. */
  async function listed(): Promise<readonly string[]> {
    const { stdout } = await lab.ssh('etcd-1', etcdctl('https://127.0.0.1:2379', 'member list'));
    return stdout
      .trim()
      .split('\n')
      .map((line) => line.split(', '))
      .map(
        ([, state = '', name = '', , , learner = '']) => `${name} ${state} ${learner === 'true' ? 'learner' : 'voter'}`,
      )
      .toSorted();
  }

  async function write(name: string): Promise<Writers> {
    return startWriters(lab, name, ways);
  }

  async function expectNothingLost(name: string, writers: Writers): Promise<void> {
    const written = await writers.stop();
    for (const each of written) console.log(tell(each));
    expect(written.map(({ way, failed }) => [way, failed])).toEqual(ways.map((way) => [way.name, []]));
    expect(await lostWrites(lab, name, ways, written)).toEqual([]);
  }

  async function expectWell(): Promise<void> {
    expect(await listed()).toEqual(['etcd-1', 'etcd-2', 'etcd-3'].map((name) => `${name} started voter`));
    const verified = await lab.provision('verify', lab.files.inventory);
    expect(endOf(verified)).toMatch(/^status 0/);
    expect(plannedChanges(await runVerb(lab, 'plan'))).toEqual([]);
  }

  beforeAll(async () => {
    vip = await vipOf(lab);
    const applied = await runVerb(lab, 'apply');
    if (applied.status !== 0) throw new Error(endOf(applied));
    ways = await ownWays(lab, [11, 12, 13], ['cp-1']);
  });

  test('a member that answers, is slow, or is only stopped, is not replaced', async () => {
    const before = await listed();
    const answers = await replace('etcd-3');
    expect([answers.status, textOf(answers)]).toEqual([0, expect.stringContaining('it is not replaced')]);
    await lab.ssh('etcd-3', 'systemctl kill -s STOP etcd');
    const slow = await replace('etcd-3');
    await lab.ssh('etcd-3', 'systemctl kill -s CONT etcd');
    expect([slow.status, textOf(slow)]).toEqual([
      EXIT.unsafe,
      expect.stringContaining('a member that is only slow is no dead one'),
    ]);
    await lab.ssh('etcd-3', 'systemctl stop etcd');
    const stopped = await replace('etcd-3');
    await lab.ssh('etcd-3', 'systemctl start etcd');
    expect([stopped.status, textOf(stopped)]).toEqual([
      EXIT.unsafe,
      expect.stringContaining('is stopped, and has its data'),
    ]);
    const unknown = await replace('cp-1');
    expect([unknown.status, textOf(unknown)]).toEqual([1, expect.stringContaining('is no etcd host of the inventory')]);
    expect(await listed()).toEqual(before);
  });

  test('a machine that lost its power is replaced by a bare one: no client sees it, and nothing is lost', async () => {
    await loseMachine(lab, 'etcd-3');
    expect((await lab.provision('verify', lab.files.inventory)).status).toBe(1);
    const refused = await runVerb(lab, 'plan');
    expect(textOf(refused)).toContain('provision member replace INVENTORY etcd-3');

    // With another member down, the two that are left could not agree on anything.
    await lab.ssh('etcd-2', 'systemctl stop etcd');
    const atRisk = await replace('etcd-3');
    expect([atRisk.status, textOf(atRisk)]).toEqual([
      EXIT.unsafe,
      expect.stringMatching(/[01] of 3 voters are healthy without it, and a quorum is 2/),
    ]);
    await lab.ssh('etcd-2', 'systemctl start etcd');
    const health = etcdctl(`https://${vip}:2379`, 'endpoint health');
    await mustWait('the others serve again', async () => (await lab.ssh('etcd-1', health)).status === 0);

    const writers = await write('replaced');
    const begun = Date.now();
    const replaced = await replace('etcd-3');
    const seconds = ((Date.now() - begun) / 1000).toFixed(1);
    if (replaced.status !== 0) throw new Error(endOf(replaced));
    console.log(`a bare host became a member and a balancer in ${seconds} s`);
    await expectNothingLost('replaced', writers);
    expect(textOf(replaced)).toMatch(/has caught up: raft index \d+ of \d+/);
    expect(textOf(replaced)).toMatch(/saved \S+\/\.provision\/snapshots\/etcd-\S+\.db: revision \d+/);
    await expectWell();
  });

  test('killed in the middle, and the old machine’s data comes back: it ends by itself, and the next run completes', async () => {
    const old = await loseMachine(lab, 'etcd-2');
    const writers = await write('again');
    const at = ['remove', 'add', 'start'][numberOfThisCommit(9, 3)] ?? '';
    const isAt = (event: EventJson): boolean => event.type === 'change-done' && event.address === `member-${at}:etcd-2`;
    const killed = await killReplace('etcd-2', isAt);
    if (killed.status !== 137) throw new Error(endOf(killed));
    console.log(`killed after: ${at}`);
    // The old disk is in the machine again: what it had of etcd, instead of what is there.
    const { paths } = await lab.host('etcd-2');
    const swap = `rm -rf ${DATA}/member /etc/systemd/system/etcd.service.d; systemctl daemon-reload`;
    await lab.ssh('etcd-2', `systemctl stop etcd; ${swap}`);
    for (const path of [`${DATA}/member`, '/etc/default/etcd'])
      await run(['cp', '-a', '-T', join(old, path), join(paths.root, path)]);
    await lab.ssh('etcd-2', `chown -R etcd:etcd ${DATA}; systemctl start --no-block etcd`);
    // The others tell it so; or, once they speak to its successor, it hears of a log that it does not have, and gives up.
    await mustWait('the removed member ends by itself', async () => {
      const told = 'journalctl -o cat -u etcd | grep -cE "removed from the cluster|panic: tocommit"';
      const { stdout } = await lab.ssh('etcd-2', `systemctl show -P ActiveState etcd; ${told}`);
      const [state = '', times = '0'] = stdout.trim().split('\n');
      return ['inactive', 'failed'].includes(state) && Number(times) > 0;
    });
    expect(await listed()).toEqual(expect.arrayContaining(['etcd-1 started voter', 'etcd-3 started voter']));
    const replaced = await replace('etcd-2');
    if (replaced.status !== 0) throw new Error(endOf(replaced));
    await expectNothingLost('again', writers);
    expect((await lab.ssh('etcd-2', `ls -d ${DATA}/member.replaced-*`)).status).toBe(0);
    await expectWell();
  });

  async function killReplace(host: string, when: (event: EventJson) => boolean): Promise<DisturbedRun> {
    return disturbedRun(lab, await words(host), when, (kill) => {
      kill('SIGKILL');
    });
  }
});
