import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, expect, jest, test } from '@jest/globals';
import { snapshotListSchema, type SnapshotList } from '../../src/day-two/snapshot-manifest.js';
import { describeOnLab, type Ended } from '../support/lab.js';
import { endOf, etcdctl, passphraseFile, PASSPHRASE, runVerb } from '../support/main-job.js';

jest.setTimeout(600_000);

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];

describeOnLab('provision snapshot', 'snapshot', { etcd: 3, controlPlanes: 1 }, (lab) => {
  const directory = (): string => join(dirname(lab.files.inventory), '.provision', 'snapshots');

  async function must(ended: Promise<Ended>): Promise<string> {
    const done = await ended;
    if (done.status !== 0) throw new Error(endOf(done));
    return done.stdout;
  }

  const snapshot = async (...words: readonly string[]): Promise<Ended> => lab.provision('snapshot', ...words);
  const ctl = async (words: string): Promise<string> =>
    (await must(lab.ssh('etcd-1', etcdctl('https://127.0.0.1:2379', words)))).trim();

  async function list(): Promise<SnapshotList['snapshots']> {
    const listed = await must(snapshot('list', lab.files.inventory, '--format', 'json'));
    return snapshotListSchema.parse(JSON.parse(listed)).snapshots;
  }

  beforeAll(async () => {
    await Promise.all(
      ['cp-1'].map(async (host) => lab.ssh(host, `echo 'BACK_OFF_S="1 2 5"' >/etc/default/kubelet-stand-in`)),
    );
    await lab.ssh('cp-1', 'systemctl restart kubelet');
    const applied = await runVerb(lab, 'apply');
    if (applied.status !== 0) throw new Error(endOf(applied));
  }, 600_000);

  test('saves while it is written to, and what was saved verifies on a host', async () => {
    await ctl('put planted before');
    // Writes for as long as the file is there.
    await lab.ssh(
      'etcd-2',
      `touch /run/write-on; nohup sh -c 'while [ -e /run/write-on ]; do ${etcdctl('https://127.0.0.1:2379', 'put busy "$(date +%N)"')} >/dev/null; done' >/dev/null 2>&1 &`,
    );
    await must(snapshot('save', lab.files.inventory));
    await lab.ssh('etcd-2', 'rm /run/write-on');
    const saved = (await list()).at(-1);
    if (saved === undefined) throw new Error('nothing is listed');
    expect(saved).toMatchObject({ isThere: true, manifest: { encryption: 'none', cluster: 'etcd-cluster' } });
    expect(saved.manifest.members.map(({ name }) => name).toSorted()).toEqual(MEMBERS);
    const verified = await must(snapshot('verify', saved.path, lab.files.inventory, '--on', 'etcd-3'));
    expect(verified).toContain(`restored on trial on etcd-3, and thrown away: revision ${saved.manifest.revision}`);
    // Nothing stays on any host.
    for (const host of MEMBERS) expect((await lab.ssh(host, 'ls -A /var/lib/provision 2>/dev/null')).stdout).toBe('');
    const { stdout } = await lab.provision('history', lab.files.inventory);
    expect(stdout).toContain('snapshot save');
  });

  test('saves encrypted, keeps as many as it was told to, and removes nothing else', async () => {
    await mkdir(directory(), { recursive: true });
    await writeFile(join(directory(), 'by-hand.db'), 'precious');
    const words = ['--encrypt', '--passphrase-file', await passphraseFile(lab)];
    await must(snapshot('save', lab.files.inventory, ...words, '--keep', '1'));
    const [only, ...others] = await list();
    expect(others).toEqual([]);
    if (only === undefined) throw new Error('nothing is listed');
    expect(only.manifest.encryption).toBe('age');
    expect((await readFile(only.path)).includes('planted')).toBe(false);
    const names = await readdir(directory());
    expect(names.filter((name) => !name.startsWith('etcd-'))).toEqual(['by-hand.db']);
    const verify = ['verify', only.path, lab.files.inventory, '--on', 'etcd-2', '--passphrase-file', words[2] ?? ''];
    const verified = await must(snapshot(...verify));
    expect(verified).toContain(`revision ${only.manifest.revision}`);
    expect(verified).not.toContain(PASSPHRASE);
  });

  test('refuses what is damaged, and says so', async () => {
    const file = join(directory(), 'plain.db');
    await must(snapshot('save', lab.files.inventory, '-o', file));
    const whole = await readFile(file);
    whole[5000] = (whole[5000] ?? 0) ^ 1;
    await writeFile(file, whole);
    const refused = await snapshot('verify', file, lab.files.inventory, '--on', 'etcd-2');
    expect([refused.status, refused.stderr]).toEqual([
      1,
      expect.stringContaining('SHA-256 is not that of its manifest'),
    ]);
  });
});
