import { describe, expect, test } from '@jest/globals';
import { clusterWarnings, describeCluster } from '../../../src/cluster/describe-cluster.js';
import { InputError } from '../../../src/model/errors.js';
import { loadFiles } from '../../support/write-inventory.js';

/** @param more variables of all members, as YAML */
async function inventoryWith(more: Readonly<Record<string, string>>) {
  const lines = Object.entries(more).map(([name, value]) => `        ${name}: ${value}\n`);
  const hosts = [1, 2, 3].map((each) => `        etcd-${each}: { ansible_host: 10.0.0.${each} }\n`);
  return loadFiles({
    'hosts.yaml': `all:\n  children:\n    etcd:\n      vars:\n${lines.join('')}      hosts:\n${hosts.join('')}`,
  });
}

async function problemsOf(more: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const inventory = await inventoryWith(more);
  try {
    describeCluster(inventory);
  } catch (error) {
    if (error instanceof InputError) return error.problems.map(({ subject, message }) => `${subject} ${message}`);
    throw error;
  }
  return clusterWarnings(inventory).map(({ subject, message }) => `${subject} ${message}`);
}

describe('snapshots on a schedule', () => {
  test.each<[string, Readonly<Record<string, string>>, object | undefined]>([
    ['are none by default', { etcd_snapshot_count: '5' }, undefined],
    [
      'have a directory, and keep a week of daily ones',
      { etcd_snapshot_schedule: 'daily' },
      { onCalendar: 'daily', directory: '/var/backups/etcd', keep: 7, upload: undefined },
    ],
    [
      'are uploaded by a list of words',
      { etcd_snapshot_schedule: '"*-*-* 02:30"', etcd_snapshot_upload: '[/opt/put, --to, "a b", 5]' },
      { upload: ['/opt/put', '--to', 'a b', '5'] },
    ],
    [
      'are uploaded by a text that is split at its blanks',
      { etcd_snapshot_schedule: 'hourly', etcd_snapshot_upload: '/opt/put  --to $(x)', etcd_snapshot_keep: '"24"' },
      { upload: ['/opt/put', '--to', '$(x)'], keep: 24 },
    ],
    [
      'are in a directory without a slash at its end',
      { etcd_snapshot_schedule: 'hourly', etcd_snapshot_directory: '/srv/etcd//' },
      { directory: '/srv/etcd' },
    ],
  ])('%s', async (_, more, expected) => {
    for (const { snapshots } of describeCluster(await inventoryWith(more)).members)
      if (expected === undefined) expect(snapshots).toBeUndefined();
      else expect(snapshots).toMatchObject(expected);
  });

  test.each<[Readonly<Record<string, string>>, string]>([
    [{ etcd_snapshot_schedule: 'dayly' }, 'etcd_snapshot_schedule "dayly": expected a calendar expression'],
    [{ etcd_snapshot_schedule: '5' }, 'etcd_snapshot_schedule 5: expected a calendar expression'],
    [{ etcd_snapshot_schedule: '"hourly\\nUTC"' }, 'has more than one line'],
    [{ etcd_snapshot_schedule: 'daily', etcd_snapshot_upload: 'put' }, 'etcd_snapshot_upload "put": expected a list'],
    [{ etcd_snapshot_schedule: 'daily', etcd_snapshot_upload: `/bin/sh -c "x y"` }, 'etcd_snapshot_upload '],
    [{ etcd_snapshot_schedule: 'daily', etcd_snapshot_upload: '[]' }, 'etcd_snapshot_upload []: expected a list'],
    [{ etcd_snapshot_schedule: 'daily', etcd_snapshot_upload: '["/a b"]' }, 'etcd_snapshot_upload '],
    [{ etcd_snapshot_schedule: 'daily', etcd_snapshot_keep: '0' }, 'etcd_snapshot_keep 0: expected a whole number'],
    [
      { etcd_snapshot_schedule: 'daily', etcd_snapshot_directory: '/var/lib/etcd/default/x' },
      'etcd_snapshot_directory /var/lib/etcd/default/x: expected a directory outside /var/lib/etcd/default',
    ],
    [
      { etcd_snapshot_schedule: 'daily', etcd_snapshot_directory: '/var/lib' },
      'etcd_snapshot_directory /var/lib: expected a directory outside /var/lib/etcd/default',
    ],
    [
      { etcd_snapshot_schedule: 'daily', etcd_snapshot_directory: '/srv' },
      'etcd_snapshot_directory /srv: expected a directory of its own',
    ],
    [
      { etcd_snapshot_schedule: 'daily', etcd_snapshot_directory: '/srv/../etc' },
      'etcd_snapshot_directory /srv/../etc: expected a directory of its own',
    ],
    [{ etcd_snapshot_keep: '3' }, 'etcd_snapshot_keep has no effect without etcd_snapshot_schedule'],
  ])('%j is refused, or warned of', async (more, expected) => {
    const problems = await problemsOf(more);
    expect(problems).toEqual([expect.stringContaining(expected)]);
  });
});
