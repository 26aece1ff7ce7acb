import { describe, expect, test } from '@jest/globals';
import type { EtcdStatus } from '../../../src/facts/etcd-status.js';
import { etcdPodKey } from '../../../src/facts/etcd-pod.js';
import type { Outcome } from '../../../src/model/change.js';
import type { Cluster, EtcdRelease } from '../../../src/model/cluster.js';
import type { Replacement } from '../../../src/resources/decide-replacement.js';
import { joinableVersion } from '../../../src/resources/joinable-version.js';
import { etcdHost, healthy, NO_DATA, SILENT, STOPPED } from '../../support/etcd-answers.js';
import { fakeProbes, type FakeAnswers } from '../../support/fake-probe.js';
import { SAMPLE_CLUSTER, sampleMember } from '../../support/sample-cluster.js';

const stacked = [1, 2, 3].map((number) => ({
  ...sampleMember(number),
  manifest: '/etc/kubernetes/manifests/etcd.yaml',
}));

/** Three stacked members of these versions, and one host that is to join them. */
async function plan(versions: readonly string[], candidate: string | undefined, version?: string): Promise<Outcome> {
  const release: EtcdRelease | undefined =
    version === undefined ? undefined : { version, sha256: '', source: '/etcd.tar.gz', fetch: 'control' };
  const member = { ...sampleMember(4), release };
  const cluster: Cluster = { ...SAMPLE_CLUSTER, members: [member], formerMembers: stacked };
  const pod = { hasManifest: true, isRunning: true, clusterId: '77' };
  const hostOf = (number: number, status: EtcdStatus): FakeAnswers => ({
    ...etcdHost({ status }),
    'etcd-pod': Object.fromEntries(stacked.map((each) => [etcdPodKey(each), pod])),
  });
  const running = versions.map((each, index) => [
    `etcd-${index + 1}`,
    hostOf(index + 1, healthy(index + 1, { version: each })),
  ]);
  const packages = { 'etcd-server': { installed: undefined, candidate, held: false } };
  const bare = { ...etcdHost({ data: NO_DATA, unit: STOPPED, status: SILENT }), packages };
  const probe = fakeProbes({ ...(Object.fromEntries(running) as Record<string, FakeAnswers>), 'etcd-4': bare }).get(
    'etcd-4',
  );
  if (probe === undefined) throw new Error('no probe');
  const left: Replacement = { steps: ['add'], removed: undefined, initialCluster: '', found: undefined };
  return joinableVersion({ cluster, member, peers: stacked, decide: () => Promise.resolve(left) }).plan(probe);
}

describe('the etcd of a member that is to join', () => {
  test.each<[string, readonly string[], string | undefined, string | undefined]>([
    ['the same minor', ['3.4.13', '3.4.13', '3.4.13'], '3.4.23-4+b4', undefined],
    ['the next one', ['3.4.13', '3.4.13', '3.4.13'], '3.5.16-4', undefined],
    ['a release', ['3.5.12', '3.5.12', '3.5.12'], '3.4.23-4+b4', '3.5.16'],
    ['not known yet', ['3.5.12', '3.5.12', '3.5.12'], undefined, undefined],
    ['what one that lies says is passed over', ['3.9.0', '3.4.13', '3.4.13'], '3.4.23-4+b4', undefined],
  ])('may join: %s', async (_, running, candidate, release) => {
    expect(await plan(running, candidate, release)).toEqual({ kind: 'unchanged' });
  });

  test.each<[string, readonly string[], string, string | undefined, string]>([
    ['older', ['3.5.12', '3.5.12', '3.5.12'], '3.4.23-4+b4', undefined, "etcd 3.4.23 (its system's package)"],
    ['two minors newer', ['3.4.13', '3.4.13', '3.4.13'], '3.4.23-4', '3.6.4', 'etcd 3.6.4 (etcd_version)'],
  ])('is refused where it is %s', async (_, running, candidate, release, what) => {
    await expect(plan(running, candidate, release)).rejects.toMatchObject({
      code: 'upgrade-refused',
      message: expect.stringContaining(what),
      hint: expect.stringContaining('etcd_install: release'),
    });
  });
});
