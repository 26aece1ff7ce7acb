import { describe, expect, test } from '@jest/globals';
import type { FoundMember } from '../../../src/adopt/look-at-member.js';
import { settingsLeftBehind } from '../../../src/adopt/stacked-settings.js';
import { loadFiles } from '../../support/write-inventory.js';

/** What stacked members run with beside kubeadm's own words. */
function membersOf(flags: readonly (readonly string[])[]): readonly FoundMember[] {
  return flags.map(
    (more, index) =>
      ({ host: `cp-${index + 1}`, process: { argv: ['etcd', '--name=x', ...more] } }) as unknown as FoundMember,
  );
}

async function left(flags: readonly (readonly string[])[], variables = ''): Promise<readonly string[]> {
  const text = `etcd:\n  hosts: { etcd-1: {}, etcd-2: {} }\n${variables}`;
  const items = settingsLeftBehind(membersOf(flags), await loadFiles({ 'inventory.yaml': text }));
  return items.map(({ verdict, host = '', evidence, next = '' }) => `${verdict} ${host}: ${evidence}; ${next}`);
}

const QUOTA = '--quota-backend-bytes=8589934592';

describe('settings that stacked members were given', () => {
  test('are none by default', async () => {
    expect(await left([[], [], ['--snapshot-count=10000']])).toEqual([]);
  });

  test('are named where the hosts that join do not have them: the largest counts', async () => {
    expect(
      await left([
        ['--quota-backend-bytes=4294967296', '--heartbeat-interval', '250', '--election-timeout=2500'],
        [QUOTA, '--max-request-bytes=10485760'],
      ]),
    ).toEqual([
      'warn cp-2: runs with --quota-backend-bytes=8589934592, and etcd-1, etcd-2 would not; set for the group etcd: etcd_quota_backend_bytes: 8589934592',
      'warn cp-1: runs with --heartbeat-interval=250, and etcd-1, etcd-2 would not; set for the group etcd: etcd_heartbeat_interval: 250',
      'warn cp-1: runs with --election-timeout=2500, and etcd-1, etcd-2 would not; set for the group etcd: etcd_election_timeout: 2500',
      'warn cp-2: runs with --max-request-bytes=10485760, and etcd-1, etcd-2 would not; set for the group etcd: etcd_extra_env: { ETCD_MAX_REQUEST_BYTES: "10485760" }',
    ]);
  });

  test('are not named where the inventory has them', async () => {
    const flags = [[QUOTA, '--max-request-bytes=10485760']];
    const variables = `  vars:\n    etcd_quota_backend_bytes: 8589934592\n    etcd_extra_env: { ETCD_MAX_REQUEST_BYTES: "10485760" }\n`;
    expect(await left(flags, variables)).toEqual([]);
    expect(await left([[QUOTA]], '  vars: { etcd_quota_backend_bytes: 4294967296 }\n')).toHaveLength(1);
  });

  test('are nothing where it can not be read', async () => {
    expect(await left([['--quota-backend-bytes=many', '--election-timeout=0']])).toEqual([]);
  });
});
