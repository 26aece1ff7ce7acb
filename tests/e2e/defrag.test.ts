import { beforeAll, expect, test } from '@jest/globals';
import type { Way } from '../support/cluster-client.js';
import { describeOnLab, type Ended } from '../support/lab.js';
import { endOf, etcdctl, inventoryWith, must, passphraseFile, runVerb, verifyUntil } from '../support/main-job.js';
import { longestGapMs, lostWrites, ownWays, startWriters, tell, type Writers } from '../support/writers.js';

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];
const LOCAL = 'https://127.0.0.1:2379';
const QUOTA = 24 * 1024 ** 2;

describeOnLab('databases with much free space, or none', 'space', { etcd: 3, controlPlanes: 1 }, (lab) => {
  let inventory: string;
  let ways: readonly Way[];

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

  beforeAll(async () => {
    inventory = await inventoryWith(lab, 'small-quota', [`etcd_quota_backend_bytes: ${QUOTA}`]);
    const applied = await runVerb(lab, 'apply', inventory);
    if (applied.status !== 0) throw new Error(endOf(applied));
    ways = await ownWays(lab, [11, 12, 13], ['cp-1']);
  });

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
    // What was deleted last has left no entry now: the snapshot is of an older revision than the members are at.
    const saved = await lab.provision('snapshot', 'save', inventory);
    expect(endOf(saved)).toMatch(/^status 0/);
    inventory = small;
    expect((await runVerb(lab, 'apply', inventory)).status).toBe(0);
    expect((await verifyUntil(lab, inventory)).status).toBe(0);
  });
});
