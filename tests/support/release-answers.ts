import type { EtcdInstalled } from '../../src/facts/etcd-installed.js';
import { httpsKey, type HttpsAnswer } from '../../src/facts/https-answer.js';
import type { Outcome, Resource } from '../../src/model/change.js';
import type { EtcdRelease } from '../../src/model/cluster.js';
import type { ReleasedMember } from '../../src/resources/etcd-release.js';
import { etcdHost, healthy, NO_DATA, NOT_INSTALLED, SILENT, STOPPED } from './etcd-answers.js';
import { fakeProbes, type FakeAnswers, type FakeProbe } from './fake-probe.js';
import { SAMPLE_CLUSTER, sampleMember } from './sample-cluster.js';

const SHA = 'ab'.repeat(32);
/** A release as an inventory asks for it. */
export const RELEASE: EtcdRelease = {
  version: '3.5.16',
  sha256: SHA,
  source: 'https://mirror/etcd.tar.gz',
  fetch: 'control',
};
/** Where it is unpacked. */
export const DIRECTORY = '3.5.16-abababababab';
/** A host with the package of Debian 12. */
export const PACKAGE: EtcdInstalled = {
  releases: [],
  current: undefined,
  isFirst: false,
  inTheWay: [],
  packaged: { minor: 4, patch: 23 },
  running: '/usr/bin/etcd',
};
/** It is switched, and the process not started anew. */
export const SWITCHED: EtcdInstalled = { ...PACKAGE, releases: [DIRECTORY], current: DIRECTORY, isFirst: true };
/** The release runs. */
export const NEW: EtcdInstalled = { ...SWITCHED, running: `/usr/local/lib/etcd/${DIRECTORY}/etcd` };

/** The member that is asked about. */
export const member = sampleMember(1);

/** The member with a release of this version. */
export const released = (version = '3.5.16') =>
  ({ cluster: SAMPLE_CLUSTER, member, release: { ...RELEASE, version } }) as const;

/** The hosts of the sample cluster, seen from the first. */
export function probeOf(installed: EtcdInstalled, own: FakeAnswers, two: FakeAnswers, three: FakeAnswers): FakeProbe {
  const probe = fakeProbes({
    'etcd-1': { 'etcd-installed': { etcd: installed }, ...own },
    'etcd-2': two,
    'etcd-3': three,
  }).get('etcd-1');
  if (probe === undefined) throw new Error('no probe');
  return probe;
}

/**
 * The hosts of the sample cluster by the versions that they run.
 * @param versions of the three members; `down`, `bare`; with what it says of the cluster: `3.5.16 in 3.4`
 */
export function cluster(installed: EtcdInstalled, ...versions: readonly string[]): FakeProbe {
  const [one, two, three] = versions.map(hostRunning);
  return probeOf(installed, one ?? {}, two ?? {}, three ?? {});
}

/** A host without data that joins the sample cluster as its fourth member, and what its release is to be. */
export function joiner(version: string): ReleasedMember {
  const fourth = sampleMember(4);
  const grown = { ...SAMPLE_CLUSTER, members: [...SAMPLE_CLUSTER.members, fourth] };
  return { cluster: grown, member: fourth, release: { ...RELEASE, version } };
}

/** That host, and the three members that it would join, by the versions that they run. */
export function besideBare(...versions: readonly string[]): FakeProbe {
  const hosts = versions.map(hostRunning).map((host, index) => [`etcd-${index + 1}`, host] as const);
  const bare = { 'etcd-installed': { etcd: PACKAGE }, ...hostRunning('bare', 3) };
  const probe = fakeProbes({ ...Object.fromEntries(hosts), 'etcd-4': bare }).get('etcd-4');
  if (probe === undefined) throw new Error('no probe');
  return probe;
}

function hostRunning(said: string, index: number): FakeAnswers {
  const [version = '', told] = said.split(' in ');
  if (version === 'down') return { ...etcdHost({ unit: STOPPED, status: SILENT }), ...clusterSaid(undefined) };
  if (version === 'bare') return { ...etcdHost({ data: NO_DATA, unit: NOT_INSTALLED }), ...clusterSaid(undefined) };
  return { ...etcdHost({ status: healthy(index + 1, { version }) }), ...clusterSaid(told ?? version) };
}

/** What a resource would do, in its own words. */
export async function summary(resource: Resource, probe: FakeProbe): Promise<string> {
  const outcome: Outcome = await resource.plan(probe);
  return outcome.kind === 'change' ? outcome.change.summary : outcome.kind;
}

/** What a member answers to `/version`. */
function clusterSaid(version: string | undefined): FakeAnswers {
  const { clientUrl, client } = member;
  const { ca, certificate, key } = client;
  const minor = version?.split('.').slice(0, 2).join('.') ?? '';
  const answer: HttpsAnswer =
    version === undefined
      ? { kind: 'failure', reason: 'connection refused' }
      : { kind: 'answer', status: 200, body: `{"etcdserver":"${version}","etcdcluster":"${minor}.0"}` };
  return { 'https-answers': { [httpsKey({ url: `${clientUrl}/version`, ca, certificate, key })]: answer } };
}
