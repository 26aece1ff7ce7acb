import { describe, expect, test } from '@jest/globals';
import { etcdPodKey } from '../../../src/facts/etcd-pod.js';
import { etcdQuotaKey } from '../../../src/facts/etcd-quota.js';
import type { Cluster, Member } from '../../../src/model/cluster.js';
import type { Probe } from '../../../src/model/remote.js';
import type { ReplacementStep } from '../../../src/resources/decide-replacement.js';
import { joinableSize } from '../../../src/resources/joinable-size.js';
import type { JoiningWay } from '../../../src/resources/joining-steps.js';
import { etcdHost, healthy, NO_DATA, SILENT, STOPPED } from '../../support/etcd-answers.js';
import { fakeProbes, type FakeAnswers } from '../../support/fake-probe.js';
import { SAMPLE_CLUSTER, sampleMember } from '../../support/sample-cluster.js';

const GIB = 1024 ** 3;

const stacked = [1, 2, 3].map((number) => ({
  ...sampleMember(number),
  manifest: '/etc/kubernetes/manifests/etcd.yaml',
}));

/** Of each stacked member: the size of its database, and the quota that it runs with, GiB; or that it can't be asked. */
type Said = readonly (readonly [number, number?] | 'silent')[];

/** One host that is to join, with this quota in the inventory. */
function joining(said: Said, quotaBackendBytes: number): readonly [Cluster, Member, Probe] {
  const member = { ...sampleMember(4), quotaBackendBytes };
  const cluster: Cluster = { ...SAMPLE_CLUSTER, members: [member], formerMembers: stacked };
  const pod = { hasManifest: true, isRunning: true, clusterId: '77' };
  const hosts = said.map((each, index): [string, FakeAnswers] => {
    const number = index + 1;
    const [size, quota] = each === 'silent' ? [0] : each;
    const status = each === 'silent' ? SILENT : healthy(number, { dbSize: size * GIB });
    return [
      `etcd-${number}`,
      {
        ...etcdHost({ status }),
        'etcd-pod': Object.fromEntries(stacked.map((other) => [etcdPodKey(other), pod])),
        'etcd-quota': { [etcdQuotaKey(sampleMember(number))]: quota === undefined ? undefined : quota * GIB },
      },
    ];
  });
  const bare = etcdHost({ data: NO_DATA, unit: STOPPED, status: SILENT });
  const probe = fakeProbes({ ...(Object.fromEntries(hosts) as Record<string, FakeAnswers>), 'etcd-4': bare }).get(
    'etcd-4',
  );
  if (probe === undefined) throw new Error('no probe');
  return [cluster, member, probe];
}

function wayOf(cluster: Cluster, member: Member, steps: readonly ReplacementStep[] = ['add']): JoiningWay {
  const left = { steps, removed: undefined, initialCluster: '', found: undefined };
  return { cluster, member, peers: stacked, decide: () => Promise.resolve(left) };
}

async function planned(said: Said, quota: number): Promise<unknown> {
  const [cluster, member, probe] = joining(said, quota);
  return joinableSize(wayOf(cluster, member)).plan(probe);
}

async function doubt(said: Said, quota: number): Promise<string | undefined> {
  const [cluster, member, probe] = joining(said, quota);
  return joinableSize(wayOf(cluster, member)).doubt?.(probe);
}

describe('the quota of a member that is to join', () => {
  test.each<[string, Said, number]>([
    [
      'the database is small',
      [
        [0.1, 8],
        [0.1, 8],
        [0.1, 8],
      ],
      2 * GIB,
    ],
    [
      'the quota is that of the members',
      [
        [3, 8],
        [3, 8],
        [3, 8],
      ],
      8 * GIB,
    ],
    [
      'one that lies says that its database is large',
      [
        [1, 8],
        [900, 8],
        [1, 8],
      ],
      2 * GIB,
    ],
    ['one is silent', [[1, 8], 'silent', [1, 8]], 2 * GIB],
    [
      'the database fills just so much of it',
      [
        [1.6, 8],
        [1.6, 8],
        [1.6, 8],
      ],
      2 * GIB,
    ],
    ['nobody answers', ['silent', 'silent', 'silent'], 1],
    // etcd takes its default where it is given 0.
    [
      "it is etcd's default",
      [
        [1.5, 2],
        [1.5, 2],
        [1.5, 2],
      ],
      0,
    ],
    [
      'it is as near its end as that of the members, which it changes nothing of',
      [
        [1.7, 2],
        [1.7, 2],
        [1.7, 2],
      ],
      2 * GIB,
    ],
    [
      'the database has just 80 % of it',
      [
        [4, 8],
        [4, 8],
        [4, 8],
      ],
      5 * GIB,
    ],
  ])('has room where %s', async (_, said, quota) => {
    expect(await planned(said, quota)).toEqual({ kind: 'unchanged' });
  });

  test.each<[string, Said, number, string]>([
    [
      'the members have more than it',
      [
        [3, 8],
        [3, 8],
        [3, 8],
      ],
      2 * GIB,
      'such as 8589934592',
    ],
    [
      'one that lies says that its database is small',
      [
        [3, 8],
        [0, 8],
        [3, 8],
      ],
      2 * GIB,
      'such as 8589934592',
    ],
    [
      'the database would fit, and is near its end',
      [
        [1.7, 8],
        [1.7, 8],
        [1.7, 8],
      ],
      2 * GIB,
      'such as 8589934592',
    ],
    ['one is silent', [[3, 8], 'silent', [3, 8]], 2 * GIB, 'such as 8589934592'],
    ['they do not tell their quota', [[3], [3], [3]], 2 * GIB, 'such as 4294967296'],
    [
      "it is etcd's default",
      [
        [3, 8],
        [3, 8],
        [3, 8],
      ],
      0,
      'such as 8589934592',
    ],
  ])('is refused where %s', async (_, said, quota, such) => {
    await expect(planned(said, quota)).rejects.toMatchObject({
      code: 'quota-too-small',
      message: expect.stringMatching(
        /^etcd-4 would join with a quota of 2048 MiB \(etcd_quota_backend_bytes\), and .*: expected at most 80 % of it$/,
      ),
      hint: expect.stringContaining(such),
    });
  });

  test('is a doubt where most members run with a larger one, whatever they have now', async () => {
    expect(
      await doubt(
        [
          [0.1, 8],
          [0.1, 8],
          [0.1, 8],
        ],
        2 * GIB,
      ),
    ).toBe(
      'etcd-4 would join with a quota of 2048 MiB, and most members run with 8192 MiB or more: the smallest one stops the writes of all (etcd_quota_backend_bytes: 8589934592)',
    );
    expect(
      await doubt(
        [
          [0.1, 2],
          [0.1, 8],
          [0.1, 2],
        ],
        2 * GIB,
      ),
    ).toBeUndefined();
    expect(await doubt([[0.1], [0.1], [0.1]], 2 * GIB)).toBeUndefined();
    const nearlyFull: Said = [
      [1.7, 2],
      [1.7, 2],
      [1.7, 2],
    ];
    const atTheLine: Said = [
      [1.6, 2],
      [1.6, 2],
      [1.6, 2],
    ];
    expect(await doubt(atTheLine, 2 * GIB)).toBeUndefined();
    expect(await doubt(nearlyFull, 2 * GIB)).toMatch(/1741 MiB of a quota of 2048 MiB: .*provision defrag INVENTORY$/);
  });

  test('is nothing to look at for who has joined', async () => {
    const [, , probe] = joining(
      [
        [3, 8],
        [3, 8],
        [3, 8],
      ],
      2 * GIB,
    );
    const [first] = stacked;
    if (first === undefined) throw new Error('there is one');
    const cluster: Cluster = { ...SAMPLE_CLUSTER, members: stacked, formerMembers: [] };
    expect(await joinableSize(wayOf(cluster, first, ['open'])).plan(probe)).toEqual({ kind: 'unchanged' });
  });
});
