import { beforeAll, expect, test } from '@jest/globals';
import { recoveredClusterId } from '../../src/day-two/recovered-cluster.js';
import { EXIT } from '../../src/model/errors.js';
import { cutNetwork, powerCut, replaceMachine, restoreNetwork } from '../../src/lab/faults.js';
import { waitUntil } from '../../src/lab/process.js';
import type { Way } from '../support/cluster-client.js';
import { describeOnLab, type Ended } from '../support/lab.js';
import { consentTyped, endOf, etcdctl, must, passphraseFile, runVerb, verifyUntil } from '../support/main-job.js';
import { logInOn } from '../support/lost-hosts.js';
import { disturbedRun } from '../support/stopped-run.js';
import { numberOfThisCommit } from '../support/this-commit.mjs';
import { lostWrites, ownWays, startWriters, tell, type Writers, type Written } from '../support/writers.js';

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];
const LOCAL = 'https://127.0.0.1:2379';
const DATA = '/var/lib/etcd/default';

describeOnLab('the worst day', 'worst', { etcd: 3, controlPlanes: 1 }, (lab) => {
  const { inventory } = lab.files;
  let ways: readonly Way[];

  const ctl = async (words: string, host = 'etcd-1'): Promise<string> =>
    (await must(lab.ssh(host, etcdctl(LOCAL, words)))).trim();

  async function waitFor(what: string, condition: () => Promise<boolean>): Promise<void> {
    if (!(await waitUntil(condition, 180_000, 300))) throw new Error(`not within three minutes: ${what}`);
  }

  async function expectWell(): Promise<void> {
    const { stdout } = await lab.ssh('etcd-1', etcdctl(LOCAL, 'member list'));
    expect(stdout.match(/started.*false/g)).toHaveLength(3);
    expect(endOf(await verifyUntil(lab, inventory))).toMatch(/^status 0/);
  }

  beforeAll(async () => {
    const applied = await runVerb(lab, 'apply');
    if (applied.status !== 0) throw new Error(endOf(applied));
    ways = await ownWays(lab, [11, 12, 13], ['cp-1']);
  });

  const recover = async (...words: readonly string[]): Promise<Ended> =>
    lab.provision(
      'recover',
      inventory,
      ...(await consentTyped(lab)),
      '--passphrase-file',
      await passphraseFile(lab),
      ...words,
    );
  const textOf = ({ stdout, stderr }: Ended): string => `${stdout}\n${stderr}`;
  const revisionOf = async (host: string): Promise<number> =>
    Number(/"revision":(\d+)/.exec(await ctl('endpoint status -w json', host))?.[1] ?? Number.NaN);

  const TWO = ['etcd-2', 'etcd-3'];
  const NAMED = TWO.flatMap((host) => ['--lost', host]);

  test('a quorum that serves is given up by nobody: neither where nobody can log in on it, nor where it comes back after the yes', async () => {
    await expectWell();
    const hosts = await Promise.all(TWO.map(async (name) => lab.host(name)));
    const onTwo = async (script: string): Promise<readonly string[]> =>
      Promise.all(TWO.map(async (host) => must(lab.ssh(host, script))));
    const processes = async (): Promise<readonly string[]> => onTwo('systemctl show -P MainPID etcd');
    await must(lab.ssh('etcd-1', 'systemctl stop etcd'));
    const before = await processes();
    for (const host of hosts) await logInOn(host, 'refused');
    const deaf = await recover(...NAMED);
    for (const host of hosts) await logInOn(host, 'possible');
    expect([deaf.status, textOf(deaf)]).toEqual([
      EXIT.unsafe,
      expect.stringMatching(/etcd serves: etcd-2, which is named as lost, has a leader, by what (?:etcd-1|cp-1) hears/),
    ]);
    expect(await processes()).toEqual(before);

    await onTwo('systemctl stop etcd');
    const words = ['recover', inventory, ...(await consentTyped(lab)), ...NAMED];
    const late = await disturbedRun(
      lab,
      [...words, '--passphrase-file', await passphraseFile(lab)],
      ({ type }) => type === 'planned',
      async (kill) => {
        kill('SIGSTOP');
        try {
          await onTwo('systemctl start etcd');
        } finally {
          kill('SIGCONT');
        }
      },
    );
    expect([late.status, textOf(late)]).toEqual([
      EXIT.unsafe,
      expect.stringContaining('etcd serves: etcd-2, which is named as lost, has a leader'),
    ]);
    expect(late.events.filter(({ type }) => type === 'change-started')).toEqual([]);
    await onTwo(`systemctl is-enabled etcd && ! ls -d ${DATA}/member.before-*`);
    await must(lab.ssh('etcd-1', 'systemctl start etcd'));
    await expectWell();
  });

  test('two of three members lost for good: recovered from the third, nothing of that lost', async () => {
    await expectWell();
    const refused = await recover('--lost', 'etcd-2', '--lost', 'etcd-3');
    expect([refused.status, textOf(refused)]).toEqual([
      EXIT.unsafe,
      expect.stringContaining('etcd serves: etcd-1 has a leader'),
    ]);
    const run = `lost${Date.now().toString(36)}`;
    const writers = await startWriters(lab, run, ways);
    await waitFor('some writes', () => Promise.resolve(ways.every(({ name }) => writers.count(name) > 20)));
    // Two machines at once; what one had is kept elsewhere, to come back.
    await Promise.all(
      ['etcd-2', 'etcd-3'].map(async (host) =>
        must(
          lab.ssh(
            host,
            `systemctl kill -s KILL etcd; systemctl stop etcd; rm -rf /root/old; cp -a ${DATA}/member /root/old; rm -rf ${DATA}/member`,
          ),
        ),
      ),
    );
    const written = await writers.stop();
    const revision = await revisionOf('etcd-1');
    const doctor = await lab.provision('doctor', 'etcd', inventory, '--format', 'json');
    expect(doctor.stdout).toContain(`provision recover ${inventory}`);

    // A member that is only stopped may come back: nothing is recovered over it.
    await must(lab.ssh('etcd-2', `cp -a /root/old ${DATA}/member`));
    const early = await recover();
    await must(lab.ssh('etcd-2', `rm -rf ${DATA}/member`));
    expect([early.status, textOf(early)]).toEqual([
      EXIT.unsafe,
      expect.stringContaining('a quorum may come back: etcd-1, etcd-2'),
    ]);
    const pid = async (): Promise<string> => (await lab.ssh('etcd-1', 'systemctl show -P MainPID etcd')).stdout;
    const before = await pid();
    const dry = await must(recover('--dry-run'));
    expect(dry).toContain(`recovered is what etcd-1 has (revision ${revision} by now)`);
    expect([await pid(), await revisionOf('etcd-1')]).toEqual([before, revision]);

    const nthOf = numberOfThisCommit(11, 24);
    let seen = 0;
    const words = ['recover', inventory, ...(await consentTyped(lab))];
    const killed = await disturbedRun(
      lab,
      [...words, '--passphrase-file', await passphraseFile(lab)],
      ({ type }) => type.startsWith('change-') && seen++ === nthOf,
      (kill) => {
        kill('SIGKILL');
      },
    );
    if (killed.status !== 137) throw new Error(endOf(killed));
    const begun = Date.now();
    const recovered = await must(recover());
    console.log(`killed at change event ${nthOf}; the next run took ${((Date.now() - begun) / 1000).toFixed(1)} s`);
    expect(recovered).toContain('has caught up');
    expect(await revisionOf('etcd-1')).toBeGreaterThanOrEqual(revision);
    const missing = await lostWrites(lab, run, ways, written);
    const ids = new Set(missing.map((each) => each.split(' ')[0]));
    console.log(
      `of ${written.reduce((sum, each) => sum + each.acknowledged.length, 0)} acknowledged writes the survivor had all but ${ids.size}`,
    );
    // What a follower had not applied when two machines went at once.
    expect(ids.size).toBeLessThan(10);
    await expectWell();
    const kept = await must(lab.ssh('etcd-1', `ls -d ${DATA}/member.before-*`));
    // Another test of this file may have left what its recovery kept, too.
    const recoveries = [...kept.matchAll(/member\.before-(\S+-recover)/g)].map(([, id = '']) => id);
    const { address } = (await lab.host('etcd-1')).host;
    const clusterIds = recoveries.map((id) => recoveredClusterId('etcd-cluster', id, { address, peerPort: 2380 }));
    expect(clusterIds).toContain(/"cluster_id":(\d+)/.exec(await ctl('endpoint status -w json'))?.[1]);

    // The old disk of one machine is in it again.
    await must(
      lab.ssh(
        'etcd-3',
        `systemctl stop etcd; mv ${DATA}/member /root/new; cp -a /root/old ${DATA}/member; systemctl start --no-block etcd`,
      ),
    );
    await waitFor('the others refuse it', async () => {
      const told = await lab.ssh('etcd-1', 'journalctl -o cat -u etcd --since -2min | grep -ci "cluster ID mismatch"');
      return Number(told.stdout) > 0;
    });
    await ctl('put /after the-old-one');
    // It fails where the member does not serve.
    await ctl('endpoint health', 'etcd-2');
    await must(
      lab.ssh(
        'etcd-3',
        `systemctl stop etcd; rm -rf ${DATA}/member; mv /root/new ${DATA}/member; systemctl reset-failed etcd; systemctl start etcd`,
      ),
    );
    await expectWell();
  });

  const keysOf = async (host: string): Promise<ReadonlySet<string>> =>
    new Set((await ctl("get '' --prefix --keys-only --consistency=s", host)).split('\n').filter((key) => key !== ''));

  /** Two machines are gone at once; what they had agreed on last, the third one has never got. @returns when it was cut off */
  async function loseTwo(writers: Writers): Promise<number> {
    const [first, ...others] = await Promise.all(MEMBERS.map(async (name) => lab.host(name)));
    if (first === undefined) throw new Error('no etcd-1');
    const cutAt = Date.now();
    await cutNetwork(first);
    await waitFor(
      'the other two agree without it',
      async () => (await lab.ssh('etcd-2', etcdctl(LOCAL, 'put /only-the-two yes'))).status === 0,
    );
    const before = writers.count('members');
    await waitFor('more writes', () => Promise.resolve(writers.count('members') > before + 20));
    await Promise.all(others.map(powerCut));
    await restoreNetwork(first);
    return cutAt;
  }

  test('two of three machines lose their power for good, while it is written: the third goes on with all that it had', async () => {
    const run = `cut${Date.now().toString(36)}`;
    await ctl('put /all-three yes');
    const writers = await startWriters(lab, run, ways);
    await waitFor('some writes', () => Promise.resolve(ways.every(({ name }) => writers.count(name) > 20)));
    const cutAt = await loseTwo(writers);
    const [revision, had] = [await revisionOf('etcd-1'), await keysOf('etcd-1')];
    expect([had.has('/all-three'), had.has('/only-the-two')]).toEqual([true, false]);

    // That they can't be reached is no proof that they are lost.
    const refused = await recover();
    expect([refused.status, textOf(refused)]).toEqual([
      EXIT.unsafe,
      expect.stringContaining('a quorum may come back: etcd-1, etcd-2, etcd-3'),
    ]);
    const begun = Date.now();
    const recovered = await must(recover('--lost', 'etcd-2', '--lost', 'etcd-3'));
    const seconds = ((Date.now() - begun) / 1000).toFixed(1);
    expect(recovered).toContain(`recovered is what etcd-1 has (revision ${revision} by now)`);
    expect(await revisionOf('etcd-1')).toBeGreaterThanOrEqual(revision);
    const now = await keysOf('etcd-1');
    expect([...had].filter((key) => !now.has(key))).toEqual([]);
    const counts = ways.map(({ name }) => writers.count(name));
    await waitFor('every way in takes writes again', () =>
      Promise.resolve(ways.every(({ name }, index) => writers.count(name) > (counts[index] ?? 0) + 5)),
    );
    const written = await writers.stop();

    await bareOnesJoin();
    expect(await ctl('get /all-three --print-value-only')).toBe('yes');
    expect(await ctl('get /only-the-two --print-value-only')).toBe('');
    const lost = new Set((await lostWrites(lab, run, ways, written)).map((each) => each.split(' ')[0] ?? ''));
    tellOfLoss(written, lost, `recovered at revision ${revision} in ${seconds} s`);
    const at = new Map(written.flatMap(({ acknowledged }) => acknowledged.map((each) => [each.id, each.at] as const)));
    expect(lost.size).toBeGreaterThan(20);
    // A follower has what was agreed on no later than a heartbeat after, and a busy machine may hold it up.
    expect([...lost].filter((id) => (at.get(id) ?? 0) < cutAt - 10_000)).toEqual([]);
    await expectWell();
  });

  function tellOfLoss(written: readonly Written[], lost: ReadonlySet<string>, what: string): void {
    const all = written.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
    console.log(
      [
        `${what}; ${lost.size} of ${all} acknowledged writes were known to the two lost machines alone`,
        ...written.map(tell),
      ].join('\n'),
    );
  }

  /** Fresh machines in the places of the lost ones: no client sees them come. */
  async function bareOnesJoin(): Promise<void> {
    for (const name of ['etcd-2', 'etcd-3']) await replaceMachine(await lab.host(name));
    const writers = await startWriters(lab, 'joining', ways);
    const begun = Date.now();
    const applied = await runVerb(lab, 'apply');
    const written = await writers.stop();
    if (applied.status !== 0) throw new Error(endOf(applied));
    console.log(
      [`two bare hosts are members in ${((Date.now() - begun) / 1000).toFixed(1)} s`, ...written.map(tell)].join('\n'),
    );
    expect(written.map(({ way, failed }) => [way, failed])).toEqual(ways.map((way) => [way.name, []]));
    expect(await lostWrites(lab, 'joining', ways, written)).toEqual([]);
  }
});
