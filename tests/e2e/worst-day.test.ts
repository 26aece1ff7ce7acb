import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, expect, jest, test } from '@jest/globals';
import { EXIT } from '../../src/model/errors.js';
import { waitUntil } from '../../src/lab/process.js';
import type { Way } from '../support/cluster-client.js';
import { describeOnLab, type Ended } from '../support/lab.js';
import { endOf, etcdctl, inventoryWith, passphraseFile, runVerb, verifyUntil, vipOf } from '../support/main-job.js';
import { disturbedRun } from '../support/stopped-run.js';
import { numberOfThisCommit } from '../support/this-commit.mjs';
import { apiWay, longestGapMs, lostWrites, startWriters, tell, type Writers } from '../support/writers.js';

jest.setTimeout(900_000);

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];
const LOCAL = 'https://127.0.0.1:2379';
const DATA = '/var/lib/etcd/default';
const QUOTA = 24 * 1024 ** 2;

describeOnLab('the worst day', 'worst', { etcd: 3, controlPlanes: 1 }, (lab) => {
  let inventory: string;
  let vip: string;
  let ways: readonly Way[];

  async function must(ended: Promise<Ended>): Promise<string> {
    const done = await ended;
    if (done.status !== 0) throw new Error(endOf(done));
    return `${done.stdout}\n${done.stderr}`;
  }

  const defrag = async (...words: readonly string[]): Promise<Ended> =>
    lab.provision('defrag', inventory, '--yes', '--passphrase-file', await passphraseFile(lab), ...words);
  const ctl = async (words: string, host = 'etcd-1'): Promise<string> =>
    (await must(lab.ssh(host, etcdctl(LOCAL, words)))).trim();

  /** Writes values under keys of their own, until etcd takes no more. */
  const fill = (count: number, bytes = 300_000): string =>
    `head -c ${bytes} /dev/zero | tr '\\0' x > /root/value; n=0; while [ $n -lt ${count} ]; do ${etcdctl(LOCAL, `put /fill/${bytes}-$n`)} < /root/value >/dev/null 2>&1 || break; n=$((n + 1)); done; echo $n`;

  async function sizes(): Promise<readonly number[]> {
    return Promise.all(
      MEMBERS.map(async (host) =>
        Number(/"dbSize":(\d+)/.exec(await ctl('endpoint status -w json', host))?.[1] ?? Number.NaN),
      ),
    );
  }

  async function expectNoError(name: string, writers: Writers): Promise<void> {
    const written = await writers.stop();
    for (const each of written) console.log(`${name}: ${tell(each)}`);
    expect(written.map(({ way, failed }) => [way, failed])).toEqual(ways.map((way) => [way.name, []]));
    expect(await lostWrites(lab, name, ways, written)).toEqual([]);
    expect(written.every((each) => longestGapMs(each) > 0)).toBe(true);
  }

  async function waitFor(what: string, condition: () => Promise<boolean>): Promise<void> {
    if (!(await waitUntil(condition, 180_000, 300))) throw new Error(`not within three minutes: ${what}`);
  }

  async function expectWell(): Promise<void> {
    const { stdout } = await lab.ssh('etcd-1', etcdctl(LOCAL, 'member list'));
    expect(stdout.match(/started.*false/g)).toHaveLength(3);
    expect(endOf(await verifyUntil(lab, inventory))).toMatch(/^status 0/);
  }

  beforeAll(async () => {
    vip = await vipOf(lab);
    inventory = await inventoryWith(lab, 'small-quota', [`etcd_quota_backend_bytes: ${QUOTA}`]);
    const applied = await runVerb(lab, 'apply', inventory);
    if (applied.status !== 0) throw new Error(endOf(applied));
    const copy = async (name: string): Promise<string> => {
      const file = join(dirname(lab.files.inventory), name);
      await writeFile(file, (await lab.ssh('etcd-1', `cat /etc/etcd/pki/${name}`)).stdout, { mode: 0o600 });
      return file;
    };
    const client = { ca: await copy('ca.crt'), certificate: await copy('client.crt'), key: await copy('client.key') };
    const endpoints = ['11', '12', '13'].map((end) => `https://${vip.replace(/\d+$/, end)}:2379`);
    ways = [
      { name: 'members', kind: 'etcd', endpoints, ...client, begins: 'at-once' },
      { name: 'vip', kind: 'etcd', endpoints: [`https://${vip}:2379`], ...client, begins: 'at-once' },
      await apiWay(lab, 'api', ['cp-1']),
    ];
  }, 600_000);

  test('defrag gives back what is free, while all is written to; then nothing is to do', async () => {
    await must(lab.ssh('etcd-1', fill(40)));
    await ctl('del --prefix /fill');
    const before = await sizes();
    const writers = await startWriters(lab, 'fragmented', ways);
    const dry = await must(defrag('--dry-run', '--compact'));
    expect(dry).toContain('drop the history of all keys before revision');
    const done = await defrag('--compact');
    await expectNoError('fragmented', writers);
    const said = await must(Promise.resolve(done));
    const after = await sizes();
    console.log(`sizes before ${before.join(', ')}, after ${after.join(', ')}`);
    expect(Math.min(...before)).toBeGreaterThan(11e6);
    expect(Math.max(...after)).toBeLessThan(6e6);
    expect(said).toMatch(/etcd-1.*database \d+\.\d MiB, .* in use .* quota 24\.0 MiB, alarms: none/);
    const nothing = await must(defrag());
    expect(nothing).toContain('nothing to do: no alarm is raised, and no database has 45 % or more free');
  });

  test('out of space: compacted, defragmented, disarmed; where all is in use, with a larger quota', async () => {
    // Small ones at last, for they take what large ones leave between them.
    await must(lab.ssh('etcd-1', fill(64)));
    await must(lab.ssh('etcd-1', fill(500, 16_000)));
    expect(await ctl('alarm list')).toContain('NOSPACE');
    const doctor = await lab.provision('doctor', 'etcd', inventory, '--format', 'json');
    expect(doctor.stdout).toContain(`provision defrag ${inventory}`);
    // All of it is in use: nothing can be freed, so that writes are not allowed again.
    const refused = await defrag('--gate-timeout', '3');
    expect([refused.status, refused.stdout + refused.stderr]).toEqual([
      1,
      expect.stringContaining('the database is still near its quota'),
    ]);
    expect(await ctl('alarm list')).toContain('NOSPACE');
    const small = inventory;
    inventory = await inventoryWith(lab, 'larger-quota', [`etcd_quota_backend_bytes: ${QUOTA * 2}`]);
    await must(defrag());
    expect(await ctl('alarm list')).toBe('');
    await ctl('put /written again');
    await ctl('del --prefix /fill');
    await must(defrag('--compact'));
    inventory = small;
    expect((await runVerb(lab, 'apply', inventory)).status).toBe(0);
    expect((await verifyUntil(lab, inventory)).status).toBe(0);
  });

  const recover = async (...words: readonly string[]): Promise<Ended> =>
    lab.provision('recover', inventory, '--yes', '--passphrase-file', await passphraseFile(lab), ...words);
  const textOf = ({ stdout, stderr }: Ended): string => `${stdout}\n${stderr}`;
  const revisionOf = async (host: string): Promise<number> =>
    Number(/"revision":(\d+)/.exec(await ctl('endpoint status -w json', host))?.[1] ?? Number.NaN);

  test('two of three members lost for good: recovered from the third, nothing of that lost', async () => {
    await expectWell();
    const refused = await recover('--confirm', 'etcd-cluster', '--lost', 'etcd-2', '--lost', 'etcd-3');
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
    const early = await recover('--confirm', 'etcd-cluster');
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
    const words = ['recover', inventory, '--yes', '--confirm', 'etcd-cluster'];
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
    const recovered = await must(recover('--confirm', 'etcd-cluster'));
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
    for (const host of MEMBERS.slice(0, 1))
      expect((await lab.ssh(host, `ls -d ${DATA}/member.before-*`)).status).toBe(0);

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
    expect(await ctl('endpoint health', 'etcd-2')).toContain('is healthy');
    await must(
      lab.ssh(
        'etcd-3',
        `systemctl stop etcd; rm -rf ${DATA}/member; mv /root/new ${DATA}/member; systemctl reset-failed etcd; systemctl start etcd`,
      ),
    );
    await expectWell();
  });
});
