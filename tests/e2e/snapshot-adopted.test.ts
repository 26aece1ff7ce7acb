import { dirname, join } from 'node:path';
import { beforeAll, expect, jest, test } from '@jest/globals';
import { adopt, createHandMadeCluster, memberctl } from '../support/hand-made-cluster.js';
import { describeOnLab } from '../support/lab.js';
import { must } from '../support/main-job.js';

jest.setTimeout(600_000);

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];

// Its members have other units, data directories and configurations each, and there is no control plane.
describeOnLab('snapshots of an existing etcd cluster', 'snapadopt', { etcd: 3 }, (lab) => {
  let endpoints: readonly string[] = [];

  /** Asks the member of a host at its own address. */
  const ctl = async (host: string, words: string): Promise<string> => {
    const endpoint = endpoints[MEMBERS.indexOf(host)] ?? '';
    return (await must(lab.ssh(host, memberctl(host, `--endpoints=${endpoint} ${words}`)))).trim();
  };

  beforeAll(async () => {
    const made = await createHandMadeCluster(lab);
    endpoints = made.endpoints;
    await adopt(lab, made);
  }, 400_000);

  test('are saved and restored on it; every member has the old value, and its data of before', async () => {
    await ctl('etcd-1', 'put planted before');
    const file = join(dirname(lab.files.inventory), 'saved', 'adopted.db');
    await must(lab.provision('snapshot', 'save', lab.files.inventory, '-o', file));
    await ctl('etcd-1', 'put planted after');
    const dryRun = await must(lab.provision('snapshot', 'restore', lab.files.inventory, file, '--dry-run'));
    expect(dryRun).toContain('revisions are NOT raised');
    expect(await ctl('etcd-2', 'get planted --print-value-only')).toBe('after');
    const words = ['--yes', '--confirm', 'etcd-cluster'];
    await must(lab.provision('snapshot', 'restore', lab.files.inventory, file, ...words));
    for (const host of MEMBERS) {
      expect(await ctl(host, 'get planted --print-value-only')).toBe('before');
      const kept = await must(lab.ssh(host, 'find /var/lib /srv -maxdepth 4 -name "member.before-*" -type d'));
      expect(kept.trim().split('\n')).toHaveLength(1);
    }
    const verified = await lab.provision('verify', lab.files.inventory);
    expect(verified.stdout).not.toMatch(/✘.*etcd/);
  });
});
