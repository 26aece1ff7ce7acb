import { describe, expect, test } from '@jest/globals';
import type { EtcdIdentity } from '../../../src/facts/etcd-identity.js';
import type { EtcdStatus } from '../../../src/facts/etcd-status.js';
import { knownServers } from '../../../src/model/known-servers.js';
import { etcdProblem, type MemberSeen } from '../../../src/roles/kube-apiserver/whose-etcd.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';

const DOWN: EtcdIdentity = { kind: 'silent', reason: 'Connection refused' };

function answers(clusterId: number, memberId: number, revision = 50_000): EtcdIdentity {
  return { kind: 'answers', clusterId: String(clusterId), memberId: String(memberId), leaderId: '1', revision };
}

/** A member of cluster 7 unless said otherwise, whose members are 1, 2 and 3. */
function member(number: number, clusterId = 7, revision = 50_000): MemberSeen {
  const members = ['1', '2', '3'].map((id) => ({ id, name: `m${id}`, peerUrls: [], isLearner: false }));
  const status: EtcdStatus = {
    ...{ kind: 'answers', isHealthy: true, version: '3.4.23', clusterId: String(clusterId), memberId: String(number) },
    ...{ leaderId: '1', isLearner: false, raftIndex: 9, dbSize: 9, revision, members, alarms: [] },
  };
  return { host: `etcd-${number}`, status, hasData: true };
}

function silent(number: number, hasData: boolean | undefined): MemberSeen {
  return { host: `etcd-${number}`, status: { kind: 'silent', reason: 'certificate has expired' }, hasData };
}

const SERVING = [member(1), member(2), member(3)];
const BARE = [silent(1, false), silent(2, false), silent(3, false)];
const EXPIRED = [silent(1, true), silent(2, true), silent(3, undefined)];

/** Names as the control plane resolves them. */
const RESOLVED = new Map([
  ['m1.example', ['10.0.0.1']],
  ['two.example', ['10.0.0.1', '192.168.0.1']],
]);

function judged(endpoints: Readonly<Record<string, EtcdIdentity>>, members: readonly MemberSeen[]): string | undefined {
  const problem = etcdProblem({
    endpoints: Object.entries(endpoints).map(([url, identity]) => ({ url, identity })),
    members,
    isKnown: knownServers(SAMPLE_CLUSTER, RESOLVED),
    controlPlane: { host: 'cp-1', manifest: '/m.yaml' },
  });
  return problem === undefined ? undefined : `${problem.code}: ${problem.message}`;
}

describe('an API server may be moved', () => {
  test.each<readonly [string, Readonly<Record<string, EtcdIdentity>>, readonly MemberSeen[]]>([
    ['from the members', { 'https://10.0.0.1:2379': answers(7, 1), 'https://10.0.0.2:2379': answers(7, 2) }, SERVING],
    ['from the virtual IP', { 'https://10.0.0.100:2379': answers(7, 2) }, SERVING],
    ["from a member's other address", { 'https://192.168.7.1:2379': answers(7, 1) }, SERVING],
    ['from a name of 127.0.1.1', { 'https://node-1.example:2379': answers(7, 1) }, SERVING],
    ["from its own host's member", { 'https://127.0.0.1:2379': answers(7, 1) }, SERVING],
    ['from a member without TLS', { 'http://127.0.0.1:2379': answers(7, 3) }, SERVING],
    ['from an old virtual IP and port', { 'https://10.0.0.99:12379': answers(7, 1) }, SERVING],
    ['while a member lags', { 'https://10.0.0.1:2379': answers(7, 1, 49_700) }, SERVING],
    [
      'while one member is away',
      { 'https://10.0.0.1:2379': answers(7, 1) },
      [member(1), member(2), silent(3, undefined)],
    ],
    [
      'from members of which one is down',
      { 'https://10.0.0.1:2379': answers(7, 1), 'https://10.0.0.2:2379': DOWN },
      SERVING,
    ],
    [
      'from what is down, by the name of a member',
      { 'https://etcd-1:2379': DOWN, 'https://m1.example:2379': DOWN },
      SERVING,
    ],
    ['from the virtual IP that is down', { 'https://etcd.example.com:2379': DOWN }, SERVING],
    [
      'on bare hosts, where nothing answers yet',
      { 'https://10.0.0.1:2379': DOWN, 'https://10.0.0.3:2379': DOWN },
      BARE,
    ],
    ["where the members' own certificates have expired", { 'https://10.0.0.1:2379': answers(7, 1) }, EXPIRED],
  ])('%s', (_, endpoints, members) => {
    expect(judged(endpoints, members)).toBeUndefined();
  });
});

describe('an API server is not moved', () => {
  test.each<readonly [string, Readonly<Record<string, EtcdIdentity>>, readonly MemberSeen[], string]>([
    [
      'from a stacked etcd without TLS',
      { 'http://127.0.0.1:2379': answers(8, 9) },
      SERVING,
      'foreign-etcd: kube-apiserver on cp-1 uses http://127.0.0.1:2379, and etcd cluster 8 at revision 50000 answers there, not this',
    ],
    ['from a stacked etcd with TLS', { 'https://127.0.0.1:2379': answers(8, 9) }, SERVING, 'foreign-etcd: '],
    ["from another etcd on a member's host", { 'http://10.0.0.1:12379': answers(8, 9) }, SERVING, 'foreign-etcd: '],
    [
      "from another etcd at a member's own address",
      { 'https://10.0.0.1:2379': answers(8, 9) },
      SERVING,
      'foreign-etcd: ',
    ],
    [
      'to a cluster that is still to be made',
      { 'https://10.0.0.1:2379': answers(8, 9) },
      BARE,
      'members have no data yet',
    ],
    [
      'from two clusters',
      { 'https://10.0.0.1:2379': answers(7, 1), 'https://10.9.9.9:2379': answers(8, 9) },
      SERVING,
      '10.9.9.9:2379',
    ],
    ['from a removed member', { 'https://10.0.0.1:2379': answers(7, 4) }, SERVING, 'foreign-etcd: '],
    [
      'to an empty cluster that was made with the same names and token',
      { 'https://10.0.0.1:2379': answers(7, 1) },
      [1, 2, 3].map((number) => member(number, 7, 1)),
      'etcd-1: cluster 7 at revision 1',
    ],
    [
      'where one member speaks for another cluster',
      { 'https://10.9.9.9:2379': answers(8, 1) },
      [member(1, 8), member(2), member(3)],
      'the members of this inventory are in different clusters: etcd-1: cluster 8',
    ],
    [
      'where one member speaks, and the others are away',
      { 'https://10.9.9.9:2379': answers(8, 1) },
      [member(1, 8), silent(2, undefined), silent(3, undefined)],
      'etcd-not-proved: ',
    ],
    [
      'from a loopback that is silent',
      { 'https://127.0.0.1:2379': DOWN },
      SERVING,
      'nothing answers there (Connection refused)',
    ],
    ['from another port that is silent', { 'https://10.0.0.1:12379': DOWN }, SERVING, 'etcd-not-proved: '],
    ['from a member without TLS that is silent', { 'http://10.0.0.1:2379': DOWN }, SERVING, 'etcd-not-proved: '],
    ['from a name with another address too', { 'https://two.example:2379': DOWN }, SERVING, 'etcd-not-proved: '],
    ['from a socket', { 'unix:///run/etcd.sock': DOWN }, SERVING, 'etcd-not-proved: '],
    ['from nothing', {}, SERVING, 'gives no --etcd-servers'],
    [
      'while one member has no data yet, and the others can not say',
      { 'https://10.0.0.1:2379': answers(8, 9) },
      [silent(1, false), silent(2, true), silent(3, undefined)],
      'etcd-not-proved: kube-apiserver on cp-1 uses https://10.0.0.1:2379, and etcd cluster 8 at revision 50000 answers there; whether',
    ],
    [
      'from an unknown address, while the members cannot be asked',
      { 'https://10.0.0.99:2379': answers(7, 1) },
      EXPIRED,
      'most of its members do not answer: etcd-1: certificate has expired',
    ],
  ])('%s', (_, endpoints, members, words) => {
    expect(judged(endpoints, members)).toContain(words);
  });
});

describe('what is said of it', () => {
  test('names each member that answers with its cluster, as etcdctl prints it, and no other', () => {
    expect(
      judged({ 'https://10.9.9.9:2379': answers(255, 9) }, [member(1, 171), silent(2, true), member(3, 171)]),
    ).toContain(
      "etcd cluster ff at revision 50000 answers there, not this inventory's (etcd-1: cluster ab at revision 50000, etcd-3: cluster ab at revision 50000): after the move",
    );
    expect(
      judged({ 'https://10.0.0.1:2379': answers(7, 1) }, [member(1, 8), silent(2, true), member(3), member(2)]),
    ).toBe(
      'foreign-etcd: the members of this inventory are in different clusters: etcd-1: cluster 8 at revision 50000, etcd-3: cluster 7 at revision 50000, etcd-2: cluster 7 at revision 50000',
    );
  });

  test('names each member that does not answer, where that is why, and no other', () => {
    expect(
      judged({ 'https://10.9.9.9:2379': answers(8, 1) }, [silent(1, undefined), member(2, 8), silent(3, true)]),
    ).toMatch(
      /for most of its members do not answer: etcd-1: certificate has expired; etcd-3: certificate has expired$/,
    );
  });
});
