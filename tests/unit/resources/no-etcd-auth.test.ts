import { expect, test } from '@jest/globals';
import { etcdAuthKey, type EtcdAuth } from '../../../src/facts/etcd-auth.js';
import { etcdStatusKey } from '../../../src/facts/etcd-status.js';
import type { Outcome } from '../../../src/model/change.js';
import { noEtcdAuth } from '../../../src/resources/no-etcd-auth.js';
import { etcdHost, healthy, NO_DATA, NOT_INSTALLED, SILENT as NO_STATUS } from '../../support/etcd-answers.js';
import { fakeProbe, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { sampleMember, SAMPLE_CLUSTER } from '../../support/sample-cluster.js';
import { expectRefused } from '../../support/refusals.js';

const SILENT: EtcdAuth = { kind: 'silent', reason: 'refused' };
const OFF: EtcdAuth = { kind: 'off' };
const ON: EtcdAuth = { kind: 'on' };

/** What a host hears at the members' addresses: nothing. */
const ELSEWHERE = Object.fromEntries(
  SAMPLE_CLUSTER.members.map(({ address, client }) => [
    etcdStatusKey({ clientUrl: `https://${address}:2379`, client }),
    NO_STATUS,
  ]),
);

type Said = EtcdAuth | 'away' | 'bare';

function hostOf(said: Said, number: number): FakeAnswers {
  if (said === 'away') return UNREACHABLE;
  const auth = { [etcdAuthKey(sampleMember(number))]: said === 'bare' ? SILENT : said };
  if (said === 'bare') return { ...etcdHost({ data: NO_DATA, unit: NOT_INSTALLED }), 'etcd-auth': auth };
  const own = etcdHost({ status: said.kind === 'silent' ? NO_STATUS : healthy(number) });
  return { ...own, 'etcd-auth': auth, 'etcd-status': { ...own['etcd-status'], ...ELSEWHERE } };
}

function planned(answers: readonly Said[]): Promise<Outcome> {
  const hosts = answers.map((answer, index) => [`etcd-${index + 1}`, hostOf(answer, index + 1)] as const);
  return noEtcdAuth(SAMPLE_CLUSTER).plan(fakeProbe({}, Object.fromEntries(hosts)));
}

test.each<[string, readonly Said[]]>([
  ['no member asks who clients are', [OFF, OFF, OFF]],
  ['nothing is there yet', ['bare', 'bare', 'bare']],
  ['a member is away', [OFF, 'away', OFF]],
  ['a member does not answer', [OFF, SILENT, OFF]],
])('a proxy may end TLS where %s', async (_, answers) => {
  expect(await planned(answers)).toEqual({ kind: 'unchanged' });
});

test.each<[string, readonly Said[]]>([
  ['all of them ask', [ON, ON, ON]],
  ['the one that answers does', [SILENT, 'away', ON]],
  ['one does, and others deny it', [OFF, OFF, ON]],
])('and may not where %s', async (_, answers) => {
  await expectRefused(planned(answers), 'etcd-auth-on');
});

test.each<[string, readonly Said[]]>([
  ['members have data, and nobody answers', [SILENT, SILENT, SILENT]],
  ['all hosts are away', ['away', 'away', 'away']],
  ['one alone denies it', [OFF, SILENT, SILENT]],
  ['one that has data does not answer, and the others have none', ['bare', SILENT, 'bare']],
  ['one alone denies it, and the others are away', [OFF, 'away', 'away']],
])('and where %s that is not known', async (_, answers) => {
  expect(await planned(answers)).toMatchObject({
    kind: 'unknown',
    because: expect.stringContaining('known once most members answer'),
  });
});

test('the word of one of two members is not that of most', async () => {
  const two = { ...SAMPLE_CLUSTER, members: [sampleMember(1), sampleMember(2)] };
  const hosts = { 'etcd-1': hostOf(OFF, 1), 'etcd-2': hostOf(SILENT, 2) };
  expect((await noEtcdAuth(two).plan(fakeProbe({}, hosts))).kind).toBe('unknown');
});
